//! Sequences on the server and its functions that random ones hardly come upon.

/// What a sequence is about, and its steps.
pub(crate) const TABLE: &[(&str, &str)] = &[
    (
        "a function that may not write",
        r##"
        [0] FUNCTION LOAD "#!lua name=r\nredis.register_function{function_name='r', callback=function(keys) return redis.call('GET', keys[1]) end, flags={'no-writes'}}"
        [0] SET a 1
        [0] FCALL_RO r 1 a
        [0] FCALL r 1 a
        "##,
    ),
    (
        "what FUNCTION LOAD refuses, and what FUNCTION and FCALL say then",
        r##"
        [0] function flush
        [0] function load "return 1"
        [0] function load "#!lua\nreturn 1"
        [0] function load "#!lua name=\nreturn 1"
        [0] function load "#!lua name=a"
        [0] function load "#!luaa name=a\n"
        [0] function load "#!LUA name=a\nx=1"
        [0] function load "#!lua name=a foo=b\n"
        [0] function load "#!lua name=a name=b\n"
        [0] function load "#!lua name=a-b\n"
        [0] function load "#!lua name=\"a b\"\n"
        [0] function load "#!lua name=\"a\n"
        [0] function load "#!\n"
        [0] function load "#! lua name=a\n"
        [0] function load "#!lua NAME=a\n"
        [0] function load "#!lua name=a\n"
        [0] function load "#!lua name=a\nreturn ("
        [0] function load x y
        [0] function load replace y z
        [0] function load replace
        [0] function load replace "#!lua name=a\nx=1"
        [0] function load replace "#!lua name=a\nreturn redis.call(\"get\",\"x\")"
        [0] function load replace "#!lua name=a\nredis.setresp(3)"
        [0] function load replace "#!lua name=a\nerror(\"x\")"
        [0] function load replace "#!lua name=a\nerror({err=\"My err\"})"
        [0] function load replace "#!lua name=a\nerror({})"
        [0] function load replace "#!lua name=a\nredis.register_function()"
        [0] function load replace "#!lua name=a\nredis.register_function(\"a\")"
        [0] function load replace "#!lua name=a\nredis.register_function(1,2)"
        [0] function load replace "#!lua name=a\nredis.register_function(\"a\",2)"
        [0] function load replace "#!lua name=a\nredis.register_function(1,function() end)"
        [0] function load replace "#!lua name=a\nredis.register_function(\"a-b\",function() end)"
        [0] function load replace "#!lua name=a\nredis.register_function(\"\",function() end)"
        [0] function load replace "#!lua name=a\nredis.register_function(\"a\",function() end,1)"
        [0] function load replace "#!lua name=a\nredis.register_function{}"
        [0] function load replace "#!lua name=a\nredis.register_function(1)"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\"}"
        [0] function load replace "#!lua name=a\nredis.register_function{callback=function() end}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=1,callback=function() end}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=1}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,description=1}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,description={}}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,flags=1}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,flags={1}}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,flags={\"x\"}}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,foo=1}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,[1]=1}"
        [0] function load replace "#!lua name=a\nredis.register_function{\"a\",function() end}"
        [0] function load replace "#!lua name=a\nredis.register_function(\"a\",function() end) redis.register_function(\"a\",function() end)"
        [0] function load replace "#!lua name=a\nredis.register_function(\"A\",function() end) redis.register_function(\"a\",function() end)"
        [0] function list
        [0] function load replace "#!lua name=b\nredis.register_function(\"a\",function() end)"
        [0] function load "#!lua name=a\nreturn 1"
        [0] function load "#!lua name=A\nredis.register_function(\"zz\",function() end)"
        [0] fcall ZZ 0
        [0] function list libraryname *
        [0] function list libraryname A
        [0] function list libraryname [
        [0] function list libraryname
        [0] function list withcode withcode
        [0] function list libraryname a libraryname a
        [0] function list foo
        [0] function delete q
        [0] function delete A
        [0] function flush x
        [0] function flush sync sync
        [0] function kill
        [0] function foo
        [0] function
        [0] function stats x
        [0] fcall a x
        [0] fcall a 1
        [0] fcall a -1
        [0] fcall nosuch x
        [0] fcall nosuch -1
        [0] fcall nosuch 5
        "##,
    ),
    (
        "what functions see and may do",
        r##"
        [0] function flush
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) local t={} for k in pairs(_G) do t[#t+1]=tostring(k) end table.sort(t) return table.concat(t,\" \") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) local t={} for k in pairs(redis) do t[#t+1]=tostring(k) end table.sort(t) return table.concat(t,\" \") end)"
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return ARGV[1] end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.register_function(\"a\",function() end) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal r=redis redis.register_function(\"f\",function(k,a) return r.register_function(\"a\",function() end) end)"
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal r=redis redis.register_function(\"f\",function(k,a) return r.call(\"get\",\"x\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return tostring(rawget(_G,\"foo\")) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) foo=1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return foo end)"
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) rawset(_G,\"x\",1) end)"
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) error(\"x\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) error({err=\"MY x\"}) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.error_reply(\"x y\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.call(\"nosuch\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.call(\"get\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.pcall(\"get\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.call(\"incr\",\"l\") end)"
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return {err=\"x\"} end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return pcall(function() error(\"x\") end) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) local a,b=pcall(function() error(\"x\") end) return b end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) nosuch() end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) local x = nil x() end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.setresp(3) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) redis.setresp(3) return redis.call(\"hgetall\",\"h\") end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.REDIS_VERSION end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return #k, #a end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) k[1]=\"z\" return k[1] end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return select(\"#\", ...) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return tostring(_G==G) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis == redis end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return getmetatable(redis) end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) redis.foo=1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) return redis.foo end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) string.foo=1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function(\"f\",function(k,a) _G.x=1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = redis.foo redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.foo=1 redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = foo redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nnosuch() redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.log(redis.LOG_NOTICE,\"hi\") redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.log(9,\"hi\") redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.log() redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = {} setmetatable(x,{}) redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = (\"a\"):rep(3) redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = \"a\" .. {} redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = (\"a\"):rep(3) redis.register_function(\"f\",function(k,a) return x end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nlocal x = redis.REDIS_VERSION..\"\" redis.register_function(\"f\",function(k,a) return redis.REDIS_VERSION end)"
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nfor i=1,10 do redis.register_function(\"f\"..i,function() return i end) end redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] fcall f 0
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"q\",callback=function() end,description=\"a\",flags={\"no-writes\",\"no-writes\"}} redis.register_function(\"f\",function(k,a) return 1 end)"
        [0] fcall f 0
        [0] function list
        "##,
    ),
    (
        "collisions of functions, and functions inside scripts and transactions",
        r##"
        [0] function flush
        [0] function load replace "#!lua name=a\nredis.register_function(\"foo\",function() end)"
        [0] function load replace "#!lua name=b\nredis.register_function(\"FOO\",function() end)"
        [0] function load replace "#!lua name=a\nredis.register_function(\"foo\",function() return 1 end)"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,[true]=1}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"a\",callback=function() end,flags={\"no-writes\",x=1}}"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name={},callback=function() end}"
        [0] function load replace "#!lua name=a\nredis.register_function(nil,function() end)"
        [0] function load replace "#!lua name=a\nredis.register_function{function_name=\"q.x\",callback=function() end}"
        [0] function load replace "#!lua name=a\nredis.register_function(1.5,function() end)"
        [0] function load replace "#!lua name=c\nredis.register_function(\"w\",function() return redis.call(\"set\",\"x\",1) end)"
        [0] function load replace "#!lua name=d\nredis.register_function{function_name=\"ro\",callback=function() return redis.call(\"set\",\"x\",1) end,flags={\"no-writes\"}}"
        [0] fcall ro 0
        [0] fcall_ro ro 0
        [0] fcall_ro w 0
        [0] eval "return redis.call(\"fcall\",\"w\",0)" 0
        [0] eval "return redis.call(\"function\",\"flush\")" 0
        [0] multi
        [0] fcall w 0
        [0] function flush
        [0] fcall w 0
        [0] exec
        [0] command getkeys fcall x 2 a b
        [0] command getkeys fcall x 3 a b
        [0] command getkeys fcall x 0
        "##,
    ),
    (
        "what the server says of itself, and digests",
        r##"
        [0] lolwut
        [0] lolwut x
        [0] lolwut version x
        [0] lolwut version
        [0] role
        [0] module
        [0] module list
        [0] module list x
        [0] module nosuch
        [0] module help
        [0] module load
        [0] module load x
        [0] module loadex x
        [0] module unload x
        [0] eval "return redis.call(\"module\",\"list\")" 0
        [0] eval "return redis.call(\"module\",\"load\",\"x\")" 0
        [0] multi
        [0] module list
        [0] exec
        [0] multi
        [0] module load x
        [0] exec
        [0] command info module|list module|load module|help
        [0] readonly
        [0] readwrite
        [0] asking
        [0] cluster info
        [0] cluster nosuch
        [0] cluster
        [0] cluster keyslot a
        [0] cluster keyslot
        [0] replicaof no one
        [0] replicaof a b
        [0] replicaof 127.0.0.1 1x
        [0] slaveof no one
        [0] failover
        [0] failover abort
        [0] failover x
        [0] failover to
        [0] bgsave x
        [0] bgsave schedule x
        [0] shutdown x
        [0] shutdown abort
        [0] shutdown abort nosave
        [0] shutdown save nosave
        [0] memory purge
        [0] memory nosuch
        [0] latency doctor
        [0] latency graph x
        [0] latency history x
        [0] latency latest
        [0] latency latest x
        [0] latency reset
        [0] latency reset a b
        [0] latency nosuch
        [0] slowlog reset
        [0] slowlog nosuch
        [0] debug
        [0] debug nosuch
        [0] debug sleep
        [0] debug sleep x
        [0] debug sleep 0
        [0] debug stringmatch-len a b
        [0] debug jmap
        [0] debug digest
        [0] debug digest x
        [0] debug digest-value
        [0] debug digest-value a b
        [0] debug quicklist-packed-threshold 100
        [0] debug quicklist-packed-threshold x
        [0] debug quicklist-packed-threshold 0
        [0] debug quicklist-packed-threshold
        [0] debug change-repl-id
        [0] debug listpack a
        [0] debug error hello
        [0] debug protocol string
        [0] debug protocol integer
        [0] debug protocol double
        [0] debug protocol bignum
        [0] debug protocol null
        [0] debug protocol array
        [0] debug protocol set
        [0] debug protocol map
        [0] debug protocol attrib
        [0] debug protocol verbatim
        [0] debug protocol true
        [0] debug protocol false
        [0] debug protocol x
        [0] debug log hi
        [0] debug populate 3
        [0] debug populate 2 pre 20
        [0] debug populate
        [0] get key:1
        [0] get pre:0
        [0] debug populate 1 pre 3
        [0] get pre:0
        [0] debug set-disable-deny-scripts 1
        [0] debug set-skip-checksum-validation 1
        [0] debug pause-cron 0
        [0] debug replybuffer resizing 1
        [0] debug client-eviction
        [0] debug aof-flush-sleep 0
        [0] debug listpack key:1
        [0] debug digest-value key:1 key:2
        [0] debug digest
        [0] script help x
        [0] command help x
        [0] command getkeysandflags set a b
        [0] command getkeysandflags mset a b c d
        [0] command getkeysandflags get
        [0] command getkeysandflags ping
        [0] command getkeysandflags eval x 2 a b
        [0] command getkeysandflags sort a store b
        [0] command getkeysandflags xread streams a b 0 0
        [0] command getkeysandflags zunionstore d 2 a b
        [0] command getkeysandflags rename a b
        [0] command list filterby aclcat nosuch
        [0] command list filterby module x
        [0] command list filterby nosuch x
        [0] command list x
        [0] command count x
        [0] wait 0 0
        [0] bgrewriteaof x
        [0] lastsave x
        [0] role x
        [0] set a 1
        [0] debug digest-value a
        [0] set a 1 px 100000
        [0] debug digest-value a
        [0] zadd z 1.5 a inf b -3.1e-20 c
        [0] rpush l a b c
        [0] hset h f 1 g 2
        [0] sadd s a b c
        [0] xadd x 1-1 f v g w
        [0] xadd x 2-0 f v
        [0] debug digest-value a z l h s x
        [0] select 2
        [0] set q 1
        [0] debug digest
        [0] multi
        [0] shutdown nosave
        [0] save
        [0] exec
        [0] debug populate 3 pre 50
        [0] debug digest
        [0] object encoding pre:1
        [0] debug listpack h
        [0] debug listpack l
        "##,
    ),
    (
        "a client that is killed while something is on its way to it",
        r##"
        [0] MONITOR
        [1] MULTI
        [1] PING
        [1] CLIENT KILL ID @client0
        [1] EXEC
        "##,
    ),
    (
        "a client that monitors itself",
        r##"
        [0] MONITOR
        [0] MULTI
        [0] INFO SERVER
        [0] EXEC
        [0] CLIENT REPLY OFF
        [0] MULTI
        [0] PING
        [0] EXEC
        [0] CLIENT REPLY ON
        [0] MULTI
        [0] CLIENT REPLY OFF
        [0] PING
        [0] EXEC
        "##,
    ),
    (
        "who is told of changes in the place of another, and makes them",
        r##"
        [0] HELLO 3
        [1] CLIENT TRACKING ON REDIRECT @client0
        [1] ZUNION 3 z z s
        [0] ZADD z 1 1
        [1] HGETALL h
        [0] HSET h f v
        [1] HGETALL h
        [0] HINCRBY h n 1
        [1] LRANGE l 0 -1
        [0] RPUSH l a
        [1] LRANGE l 0 -1
        [0] LSET l 0 b
        [1] GET a
        [0] SET a 1
        [1] GET a
        [0] EXPIRE a 1000
        [1] XLEN x
        [0] XADD x 1-1 f v
        [1] LRANGE l 0 -1
        [0] LPOP l
        [1] SMEMBERS s
        [0] SADD s m
        [1] SMEMBERS s
        [0] SPOP s
        "##,
    ),
];
