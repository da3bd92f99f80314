//! Sequences on users that random ones hardly come upon.

/// What a sequence is about, and its steps.
pub(crate) const TABLE: &[(&str, &str)] = &[
    (
        "users as they are set, shown and removed",
        r##"
        [0] acl whoami
        [0] acl list
        [0] acl users
        [0] acl getuser default
        [0] acl getuser nosuch
        [0] acl cat
        [0] acl cat nosuch
        [0] acl setuser u1
        [0] acl list
        [0] acl getuser u1
        [0] acl setuser u1 on >pass ~a* %R~r* %W~w* &ch* +@read -get +set allchannels
        [0] acl setuser u1 resetchannels &ch*
        [0] acl list
        [0] acl getuser u1
        [0] acl setuser u1 nosuch
        [0] acl setuser u1 +nosuch
        [0] acl setuser u1 +@nosuch
        [0] acl setuser u1 >
        [0] acl setuser u1 <nopass
        [0] acl setuser u1 #abc
        [0] acl setuser u1 !abc
        [0] acl setuser u1 !d74ff0ee8da3b9806b18c877dbf29bbde50b5bd8e4dad7a3a725000feb82e8f1
        [0] acl setuser u1 #d74ff0ee8da3b9806b18c877dbf29bbde50b5bd8e4dad7a3a725000feb82e8f1
        [0] acl setuser u1 nopass
        [0] acl list
        [0] acl setuser u1 resetpass
        [0] acl list
        [0] acl setuser u2 on allkeys allcommands allchannels nopass
        [0] acl list
        [0] acl setuser u2 ~x
        [0] acl setuser u2 &x
        [0] acl setuser u2 -@all +get +config|get +select|0 +config|nosuch
        [0] acl setuser u2 -@all +get +config|get +select|0
        [0] acl list
        [0] acl getuser u2
        [0] acl setuser u2 -config|get
        [0] acl setuser u2 +config
        [0] acl setuser u2 -config|set
        [0] acl list
        [0] acl setuser u2 +config|set|x
        [0] acl setuser u2 +get|a|b
        [0] acl setuser u2 -select|0
        [0] acl setuser u3 (+get ~a) (+set ~b)
        [0] acl list
        [0] acl getuser u3
        [0] acl setuser u3 clearselectors
        [0] acl setuser u3 ()
        [0] acl list
        [0] acl setuser u3 (
        [0] acl setuser u3 (+get
        [0] acl setuser u3 +get)
        [0] acl setuser u3 (+get ~a) on
        [0] acl setuser u3 (on)
        [0] acl setuser u3 (nosuch)
        [0] acl setuser u3 (+nosuch)
        [0] acl list
        [0] acl setuser u3 reset
        [0] acl list
        [0] acl list
        [0] acl list
        [0] acl setuser u3 nocommands +get -get +get
        [0] acl list
        [0] acl setuser u3 allkeys resetkeys %RW~a %~b %R~ %X~a %
        [0] acl setuser u3 allkeys
        [0] acl setuser u3 resetkeys %RW~a %R~b
        [0] acl list
        [0] acl setuser u3 %W~b
        [0] acl list
        [0] acl getuser u3
        [0] acl setuser u3 on off skip-sanitize-payload sanitize-payload
        [0] acl list
        [0] acl deluser default
        [0] acl deluser nosuch u1
        [0] acl dryrun nosuch get a
        [0] acl dryrun u2 get a
        [0] acl dryrun u2 get
        [0] acl dryrun u2 nosuch
        [0] acl dryrun u2 set a b
        [0] acl dryrun u3 get a
        [0] acl dryrun default get
        [0] acl dryrun default get a
        [0] acl dryrun u2 config get x
        [0] acl dryrun u2 config set x y
        [0] acl genpass 0
        [0] acl genpass 4097
        [0] acl genpass x
        [0] acl genpass 1 2
        [0] acl save
        [0] acl load
        [0] acl nosuch
        [0] acl
        [0] acl setuser
        [0] acl getuser
        [0] acl help x
        [0] acl whoami x
        [0] acl setuser default off
        [0] acl setuser default on
        [0] auth nosuch x
        [0] auth default x
        [0] auth x
        [0] auth u2 x
        [0] acl whoami
        [0] acl list
        [0] get a
        [0] set a b
        [0] acl whoami
        [0] hello 2 auth default x
        [0] multi
        [0] get a
        [0] set a b
        [0] exec
        [0] eval redis.call("get","a") 0
        [0] ping
        [0] auth default y
        [0] acl log
        [1] acl deluser u1 u2 u3
        "##,
    ),
    (
        "what users may do, at once, in transactions and in scripts",
        r##"
        [1] acl setuser u1 on >p ~a* %R~r* %W~w* -@all +get +set +mget +copy +rename +eval +multi +exec +config|get +object +select|0 +auth +ping +sort +evalsha +script +zunionstore +fcall +acl|whoami +hello
        [0] auth u1 bad
        [0] auth u1 p
        [0] get a
        [0] get b
        [0] get r1
        [0] get w1
        [0] set a 1
        [0] set r1 1
        [0] set w1 1
        [0] set w1 1 get
        [0] mget a b
        [0] copy r1 w1
        [0] copy w1 r1
        [0] rename a1 a2
        [0] get
        [0] config get x
        [0] config set x y
        [0] config nosuch
        [0] object freq b
        [0] select 0
        [0] select 1
        [0] del a
        [0] nosuch
        [0] multi
        [0] get b
        [0] get a
        [0] del a
        [0] exec
        [0] eval return 0
        [0] zunionstore a 2 a b
        [0] acl whoami
        [0] eval "return redis.call('get','b')" 0
        [0] eval "return redis.call('del','a')" 0
        [0] eval "return redis.pcall('del','a')" 0
        [0] eval "return redis.call('get','a')" 1 b
        [0] eval "return redis.acl_check_cmd('get','b')" 0
        [0] eval "return redis.acl_check_cmd('get','a')" 0
        [0] eval "return redis.acl_check_cmd('nosuch','a')" 0
        [0] eval "return redis.acl_check_cmd('del','a')" 0
        [0] multi
        [0] get a
        [0] set a 2
        [0] ping
        [1] acl setuser u1 -get resetkeys
        [0] exec
        [1] acl log
        [1] acl log 2
        [1] acl setuser u1 ~* (+get ~b)
        [0] get a
        [0] get b
        [0] set b 1
        [0] sort a
        [0] sort a get #
        [0] sort a by x*
        [1] acl setuser u1 off
        [0] ping
        [0] auth u1 p
        [0] auth default x
        [0] hello 3 auth u1 p
        [1] acl setuser u1 on
        [0] hello 3 auth u1 p setname x
        [0] get b
        [0] client id
        [0] reset
        [0] acl whoami
        [1] acl deluser u1 u1 nosuch
        [1] acl users
        "##,
    ),
    (
        "a password for everybody",
        r##"
        [1] acl setuser default >x
        [1] ping
        [0] ping
        [0] reset
        [0] ping
        [0] nosuch
        [0] get
        [0] get a
        [0] multi
        [0] hello
        [0] hello 3
        [0] auth y
        [0] auth x
        [0] ping
        [0] config get requirepass
        [0] config set requirepass zz
        [0] acl list
        [0] config get requirepass
        [2] auth zz
        [2] reset
        [2] get a
        [2] hello 2 auth default zz
        [2] get a
        [0] config set requirepass ""
        [0] acl list
        [2] reset
        [2] get a
        "##,
    ),
];
