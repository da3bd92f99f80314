-- The language of scenario files: everything that a scenario can call, and the coroutines its clients run in.
--
-- A client is a coroutine. What it asks for is yielded to the host (`ask`), which performs it at the gate and resumes
-- with `value`, or with nil and an error text. Lua 5.1 cannot yield through its own pcall, so pcall here runs the
-- function in a coroutine of its own and passes every yield on.
--
-- The chunk runs once per execution, in a fresh environment on a state that is used again: a new state would cost
-- more than most executions. So nothing here may keep a value of an earlier execution, and the tables that
-- all executions share (`base` and the libraries) cannot be written from a scenario.

local host_line, null, REQUEST, OUTCOME = ...

local create, resume, status, yield = coroutine.create, coroutine.resume, coroutine.status, coroutine.yield
local raw_error, raw_pcall, raw_tostring, raw_pairs = error, pcall, tostring, pairs
local type, select, setmetatable, getmetatable, setfenv = type, select, setmetatable, getmetatable, setfenv
local sort, match = table.sort, string.match

-- What an error is when it is more than a text: `broken` (an expectation), or a mistake in the scenario itself. Neither
-- can be caught by a scenario's pcall.
local Fault = {}

-- Run state of the present execution.
local bodies, arguments, threads, roles, thrown, named
local active, collecting, sealed, declared
local next_id = 0

local function mistake(what, way, anchor)
  raw_error(setmetatable({ what = what, way = way, anchor = anchor, line = host_line() }, Fault), 0)
end

-- The name of a value's kind, for messages.
local function kind(value)
  if value == null then return "null" end
  return type(value)
end

local function tostring(value)
  if value == null then return "null" end
  local t = type(value)
  if t == "string" or t == "number" or t == "boolean" or t == "nil" then return raw_tostring(value) end
  local meta = getmetatable(value)
  if type(meta) == "table" and meta.__tostring then return raw_tostring(value) end
  return t -- an address would differ from run to run
end

-- An error reply becomes an error with the reply's text. Where it was raised is kept beside it, since a text cannot
-- carry the line.
local function fail(text, reason)
  if reason == "limit" then
    mistake(
      roles[active].title .. " does not end: it has made " .. text .. " steps",
      "bound its loop; if that many are meant, say steps = n in scenario { … }",
      "limits"
    )
  end
  thrown[active] = { text = text, line = host_line(), reason = reason }
  raw_error(text, 0)
end

local function ask(...)
  local value, failure, reason = yield(...)
  if failure ~= nil then fail(failure, reason) end
  return value
end

-- Refuses a call at the top level of the file, and one that makes no sense for the present role.
local function allow(name, where)
  if not active then
    mistake(
      name .. "() is called at the top level of the file",
      "call it in the function of a setup, a client or a check",
      "language"
    )
  end
  local role = roles[active].kind
  if where and not where[role] then
    mistake(name .. "() cannot be used in " .. role, "it belongs in " .. where.text, where.anchor)
  end
  if collecting then
    mistake(name .. "() is called inside multi()", "multi() takes redis() calls only: they are sent together", "redis")
  end
end

local in_client = { client = true, text = "a client", anchor = "history" }
local in_client_or_setup = { client = true, setup = true, text = "a client or the setup", anchor = "time" }
local at_the_end = { finally = true, quiet = true, text = "finally() or quiet()", anchor = "time" }

local function need(value, wanted, what)
  if type(value) ~= wanted then raw_error(what .. " must be a " .. wanted .. ", not " .. kind(value), 3) end
end

-- Redis ------------------------------------------------------------------------------------------------------------

local function redis(...)
  if collecting then
    local n = collecting.n + 1
    collecting.n = n
    collecting[n] = { n = select("#", ...), ... }
    return "QUEUED"
  end
  if not active then allow("redis") end
  return ask(REQUEST.redis, ...)
end

-- Messages come to the connection that subscribed; a client's first one has the number 1.
local function receive_on(number, ms)
  allow("receive", in_client)
  if ms ~= nil and (type(ms) ~= "number" or not (ms >= 0 and ms < 1e15)) then
    raw_error("receive() takes a number of milliseconds or nothing, not " .. tostring(ms), 3)
  end
  return ask(REQUEST.receive, number, ms)
end

local function received_on(number)
  allow("received", in_client)
  return ask(REQUEST.received, number)
end

local function receive(ms) return receive_on(1, ms) end
local function received() return received_on(1) end

-- Another connection of the client.
local function connection()
  allow("connection", in_client)
  local number = ask(REQUEST.connection)
  return {
    redis = function(...)
      allow("redis")
      return ask(REQUEST.redis_on, number, ...)
    end,
    receive = function(ms) return receive_on(number, ms) end,
    received = function() return received_on(number) end,
  }
end

local function replica(...)
  allow("replica")
  return ask(REQUEST.replica, ...)
end

local function multi(fn)
  allow("multi")
  need(fn, "function", "the argument of multi()")
  local mine = { n = 0 }
  collecting = mine
  local ok, e = raw_pcall(fn) -- nothing in it yields
  collecting = nil
  if not ok then raw_error(e, 0) end
  return ask(REQUEST.multi, mine)
end

-- Errors -----------------------------------------------------------------------------------------------------------

-- An error that no scenario may catch: a failed expectation, a mistake in the scenario, an error of the host (which
-- is a userdata), no memory.
local function final(e)
  return getmetatable(e) == Fault or (type(e) == "userdata" and e ~= null) or e == "not enough memory"
end

local function settle(co, ok, ...)
  if not ok then
    if final((...)) then raw_error((...), 0) end
    return false, ...
  end
  if status(co) == "dead" then return true, ... end
  return settle(co, resume(co, yield(...)))
end

local function pcall(fn, ...)
  -- coroutine.create takes Lua functions only; the wrapper lets pcall(error, "text") be what it is elsewhere
  local co = create(function(...) return fn(...) end)
  return settle(co, resume(co, ...))
end

local function xpcall(fn, handler)
  return (function(ok, ...)
    if ok then return true, ... end
    return false, handler(...)
  end)(pcall(fn))
end

local function assert(...)
  local condition, message = ...
  if not condition then raw_error(message == nil and "assertion failed!" or message, 2) end
  return ...
end

local function expect(condition, message)
  if not condition then
    local text = message == nil and "expectation failed" or tostring(message)
    raw_error(setmetatable({ broken = text, line = host_line() }, Fault), 0)
  end
  return condition
end

-- SQL --------------------------------------------------------------------------------------------------------------

local function sql(...)
  allow("sql")
  need((...), "string", "the statement of sql()")
  return ask(REQUEST.sql, ...)
end

local function rolled_back(e)
  yield(REQUEST.rollback)
  raw_error(e, 0)
end

local function commit(ok, ...)
  if not ok then rolled_back((...)) end
  local _, failure, reason = yield(REQUEST.commit)
  if failure ~= nil then
    yield(REQUEST.rollback)
    fail(failure, reason)
  end
  return ...
end

local function transaction(fn, mode)
  allow("transaction")
  need(fn, "function", "the argument of transaction()")
  if mode ~= nil and mode ~= "deferred" then
    raw_error('the mode of transaction() is "deferred" or nothing, not ' .. tostring(mode), 2)
  end
  ask(REQUEST.begin, mode == "deferred")
  return commit(pcall(fn))
end

-- Time and history -------------------------------------------------------------------------------------------------

local function duration(name, ms)
  if type(ms) ~= "number" or not (ms >= 0 and ms < 1e15) then
    raw_error(name .. "() takes a number of milliseconds, not " .. tostring(ms), 3)
  end
end

local function sleep(ms)
  allow("sleep", in_client_or_setup)
  duration("sleep", ms)
  return ask(REQUEST.sleep, ms)
end

local function advance(ms)
  allow("advance", at_the_end)
  duration("advance", ms)
  return ask(REQUEST.sleep, ms)
end

local function now()
  allow("now")
  return ask(REQUEST.now)
end

local function returned(name)
  allow("returned", at_the_end)
  if not named[name] then raw_error("returned() takes the name of a client, not " .. tostring(name), 2) end
  return ask(REQUEST.returned, name)
end

local function note(text)
  allow("note", in_client)
  return ask(REQUEST.note, tostring(text))
end

local function begin_operation(name, request, fn, object, ...)
  allow(name, in_client)
  if type(object) ~= "string" then
    raw_error("the first argument of " .. name .. "() must be a name, not " .. kind(object), 3)
  end
  if type(fn) ~= "function" then
    raw_error("the last argument of " .. name .. "() must be a function, not " .. kind(fn), 3)
  end
  return ask(request, object, ...)
end

-- An operation is over with what it returned; if it failed, nobody knows whether it took effect.
local function concluded(number, ok, ...)
  ask(REQUEST.ended, number, ok, (...))
  if not ok then raw_error((...), 0) end
  return ...
end

local function write(object, value, fn)
  if value == nil then raw_error("the second argument of write() must be the value written, not nil", 2) end
  return concluded(begin_operation("write", REQUEST.write, fn, object, value), pcall(fn))
end

local function read(object, fn)
  return (concluded(begin_operation("read", REQUEST.read, fn, object), pcall(fn)))
end

local function operation(object, name, ...)
  local count = select("#", ...)
  local fn = select(count > 0 and count or 1, ...)
  if type(name) ~= "string" then raw_error("the second argument of operation() must be a name, not " .. kind(name), 2) end
  return concluded(begin_operation("operation", REQUEST.operation, fn, object, name, ...), pcall(fn))
end

-- What the step just made was to a resource, or did.
local function fenced(resource, token)
  allow("fenced", in_client)
  need(resource, "string", "the first argument of fenced()")
  need(token, "number", "the second argument of fenced()")
  return ask(REQUEST.fenced, resource, token)
end

local function effect(what, key)
  allow("effect", in_client)
  need(what, "string", "the first argument of effect()")
  return ask(REQUEST.effect, what, tostring(key))
end

local function left(number, ok, ...)
  ask(REQUEST.ended, number, true)
  if not ok then raw_error((...), 0) end
  return ...
end

local function inside(section, fn)
  local number = begin_operation("inside", REQUEST.inside, fn, section)
  return left(number, pcall(fn)) -- who fails inside has left
end

-- Files ------------------------------------------------------------------------------------------------------------

local function lock_file(path)
  allow("lock_file", in_client)
  need(path, "string", "the argument of lock_file()")
  return ask(REQUEST.lock_file, path)
end

local function unlock_file(path)
  allow("unlock_file", in_client)
  need(path, "string", "the argument of unlock_file()")
  return ask(REQUEST.unlock_file, path)
end

-- Lua --------------------------------------------------------------------------------------------------------------

local function before(a, b)
  local ta, tb = type(a), type(b)
  if ta == tb then return a < b end
  return ta == "number"
end

local function each(state)
  local keys, t = state.keys, state.t
  for at = state.at + 1, #keys do
    local value = t[keys[at]]
    if value ~= nil then
      state.at = at
      return keys[at], value
    end
  end
end

-- Numbers in order, then texts in order: a table's own order is nothing that a scenario should depend on.
local function pairs(t)
  if type(t) ~= "table" then raw_error("pairs() takes a table, not " .. kind(t), 2) end
  local keys, others = {}, {}
  for key in raw_pairs(t) do
    local tk = type(key)
    if tk == "number" or tk == "string" then keys[#keys + 1] = key else others[#others + 1] = key end
  end
  sort(keys, before)
  for _, key in ipairs(others) do keys[#keys + 1] = key end
  return each, { keys = keys, t = t, at = 0 }
end

local instead = {
  print = "note(text) adds a remark to the counterexample",
  os = "now() is the virtual clock; a scenario touches nothing outside Redis and the database",
  io = "a scenario touches nothing outside Redis and the database",
  require = "a scenario is one file",
  dofile = "a scenario is one file",
  load = "code is what stands in the file",
  loadstring = "code is what stands in the file",
  coroutine = "a client is a coroutine already; start another client(…) instead",
  rawset = "assign to the table",
  debug = "note(text) adds a remark to the counterexample",
  _G = "name the variable itself",
  collectgarbage = "memory is bounded, and that is all there is to know",
  ["math.random"] = "all orders are explored, so nothing is random; write the choices out as clients",
  ["math.randomseed"] = "all orders are explored, so nothing is random; write the choices out as clients",
}

local function unknown(name)
  mistake(
    "unknown name '" .. name .. "'",
    instead[name] or "check the spelling; a scenario has what docs/scenarios.md lists, and its own locals",
    "language"
  )
end

local function library(name, real, names)
  local chosen = {}
  for word in string.gmatch(names, "%S+") do chosen[word] = real[word] end
  setmetatable(chosen, { __index = function(_, key) unknown(name .. "." .. tostring(key)) end })
  return setmetatable({}, {
    __index = chosen,
    __newindex = function() mistake("the library '" .. name .. "' cannot be changed", "use a local", "language") end,
    __metatable = false,
  })
end

-- Declarations -----------------------------------------------------------------------------------------------------

local function declare(what, name, fn, argument)
  if sealed then
    mistake(what .. "() is called while clients run", "call it at the top level of the file", "language")
  end
  if type(fn) ~= "function" then
    local anchor = what == "client" and "clients" or what == "setup" and "setup" or (what == "value" or what == "agrees") and "history" or "checks"
    local shape = what .. "(" .. (name and '"name", ' or "") .. "function() … end)"
    mistake(what .. "() needs a function, not " .. kind(fn), shape, anchor)
  end
  local n = #bodies + 1
  bodies[n], arguments[n] = fn, argument
  if what == "client" then named[name] = true end
  if declared then declared.items[n] = { kind = what, name = name, line = host_line() } end
end

local function client_named(name, fn)
  if type(name) ~= "string" or name == "" then
    mistake("a client's name must be a text, not " .. kind(name), 'client("name", function() … end)', "clients")
  end
  declare("client", name, fn, name)
end

local clients_shape = 'clients { "a", "b", function(me) … end }'

local function clients(names, fn)
  if type(names) ~= "table" then
    mistake("clients() needs a list of names, not " .. kind(names), clients_shape, "clients")
  end
  local count = #names
  if fn == nil then
    fn = names[count]
    count = count - 1
  end
  if count < 1 then
    mistake("clients() has no names", clients_shape, "clients")
  end
  for at = 1, count do client_named(names[at], fn) end
end

local function declares(what)
  return function(fn) declare(what, nil, fn, nil) end
end

-- A check over the history of what is called `name`; `extra` is what else it takes, `shape` how it is written.
local function history(what, name, extra, shape)
  if sealed then
    mistake(what .. "() is called while clients run", "call it at the top level of the file", "language")
  end
  if type(name) ~= "string" then
    mistake(what .. "() needs a name, not " .. kind(name), shape, "history")
  end
  if declared then declared.histories[#declared.histories + 1] = { kind = what, name = name, extra = extra } end
end

local function since_commit(what, since)
  if since ~= nil and since ~= "commit" then
    local text = "the second argument of " .. what .. '() is "commit" or nothing, not ' .. tostring(since)
    mistake(text, what .. '("name", "commit")', "history")
  end
  return since
end

local models = { register = true, counter = true, set = true, map = true, lock = true }

local function linearizable(object, model)
  local shape = 'linearizable("name", "register")'
  if not models[model] then
    local text = "the second argument of linearizable() is register, counter, set, map or lock, not " .. tostring(model)
    mistake(text, shape, "history")
  end
  history("linearizable", object, model, shape)
end

-- A check that takes a name, and perhaps a number of ms and since when a write counts.
local function named_check(what, takes_ms, takes_since)
  local shape = what .. (takes_ms == "ms" and '("name", 1000)' or '("name")')
  return function(name, ms, since)
    local wrong = takes_ms and type(ms) ~= "number" and (takes_ms == "ms" or ms ~= nil)
    if wrong or (type(ms) == "number" and not (ms >= 0 and ms < 1e15)) then
      mistake("the second argument of " .. what .. "() is a number of milliseconds, not " .. tostring(ms), shape, "history")
    end
    if since ~= nil and not (takes_since and since == "commit") then
      mistake("the third argument of " .. what .. '() is "commit" or nothing, not ' .. tostring(since), shape, "history")
    end
    history(what, name, takes_ms and { ms = ms, commit = since ~= nil } or nil, shape)
  end
end

-- Compares a cache and what is cached at the end.
local function agrees(object, cache, row)
  local shape = 'agrees("name", function() … end, function() … end)'
  if type(object) ~= "string" then mistake("agrees() needs a name, not " .. kind(object), shape, "history") end
  if type(cache) ~= "function" or type(row) ~= "function" then
    mistake("agrees() needs two functions: what the cache holds, and what the row holds", shape, "history")
  end
  declare("agrees", object, function()
    ask(REQUEST.observed, (cache()))
    ask(REQUEST.observed, (row()))
  end)
end

-- Looks at an object at the start and at the end.
local function value(object, fn)
  if type(object) ~= "string" then
    mistake("value() needs a name, not " .. kind(object), 'value("name", function() … end)', "history")
  end
  declare("value", object, fn and function() ask(REQUEST.observed, (fn())) end)
end

local function serializable()
  if sealed then
    mistake("serializable() is called while clients run", "call it at the top level of the file", "language")
  end
  if declared then declared.serializable = true end
end

local function scenario(header)
  if not declared then return end
  if type(header) ~= "table" then
    mistake("scenario needs a table, not " .. kind(header), 'scenario { name = "…", expect = "verified" }', "header")
  end
  if declared.header then mistake("a second scenario { … }", "a file holds one scenario", "header") end
  declared.header, declared.line = header, host_line()
end

local base = setmetatable({
  scenario = scenario,
  setup = declares("setup"),
  client = client_named,
  clients = clients,
  always = declares("always"),
  finally = declares("finally"),
  quiet = declares("quiet"),
  fresh = function(object, since) history("fresh", object, since_commit("fresh", since), 'fresh("name")') end,
  exclusive = function(section) history("exclusive", section, nil, 'exclusive("name")') end,
  linearizable = linearizable, value = value, serializable = serializable, agrees = agrees,
  no_lost_update = named_check("no_lost_update"), monotonic_reads = named_check("monotonic_reads"),
  read_your_writes = named_check("read_your_writes"), fencing = named_check("fencing"),
  at_most_once = named_check("at_most_once"), staleness = named_check("staleness", "ms", true),
  survives = named_check("survives", "maybe"),
  redis = redis, replica = replica, multi = multi, receive = receive, received = received, connection = connection,
  sql = sql, transaction = transaction, null = null,
  sleep = sleep, advance = advance, now = now, returned = returned, note = note,
  write = write, read = read, operation = operation, inside = inside, fenced = fenced, effect = effect,
  expect = expect, lock_file = lock_file, unlock_file = unlock_file,
  assert = assert, error = error, pcall = pcall, xpcall = xpcall, tostring = tostring, pairs = pairs,
  ipairs = ipairs, next = next, select = select, tonumber = tonumber, type = type, unpack = unpack,
  rawequal = rawequal, rawget = rawget, setmetatable = setmetatable, getmetatable = getmetatable,
  string = library("string", string, "byte char find format gmatch gsub len lower match rep reverse sub upper"),
  table = library("table", table, "concat insert maxn remove sort"),
  math = library("math", math, "abs ceil floor fmod huge max min modf pi pow sqrt exp log log10"),
}, { __index = function(_, name) unknown(tostring(name)) end })

string.dump = nil
getmetatable("").__metatable = false

local base_of_store = { __index = base }

-- Entries for the host ---------------------------------------------------------------------------------------------

-- What became of a coroutine that ended, for the host: an outcome, then its particulars.
local function describe(id, e)
  local role = roles[id]
  if getmetatable(e) == Fault then
    if e.broken then return OUTCOME.failed, e.broken, e.line end
    return OUTCOME.mistake, e.what, e.way, e.anchor, e.line
  end
  if type(e) == "userdata" and e ~= null then raw_error(e, 0) end
  local own = thrown[id]
  if own and own.text == e then
    if own.reason then return OUTCOME.refused, e, own.reason, own.line end
    return OUTCOME.failed, e, own.line
  end
  if type(e) == "table" and type(e.message) == "string" then e = e.message end
  if type(e) ~= "string" then e = tostring(e) end
  local line, text = match(e, "^scenario:(%d+): (.*)$")
  if line then return OUTCOME.failed, text, tonumber(line) end
  if e == "not enough memory" then
    local way = "a scenario has 64 MB: keep its values small"
    return OUTCOME.mistake, role.title .. " needs too much memory", way, "limits"
  end
  if match(e, "^attempt to yield across") then
    local what = role.title .. " asks Redis, the database or the clock inside a callback of Lua's library or an iterator"
    local way = "Lua 5.1 cannot wait inside string.gsub, table.sort, a metamethod or an iterator: do it in a plain loop"
    return OUTCOME.mistake, what, way, "language"
  end
  return OUTCOME.failed, e
end

local function outcome(id, co, ok, ...)
  active, collecting = nil, nil
  if ok and status(co) ~= "dead" then return ... end
  threads[id] = nil
  if ok then return OUTCOME.ended end
  return describe(id, (...))
end

-- Goes on with a coroutine: with the value that it asked for, or with the text of an error.
local function step(id, value, failure, reason)
  local co = threads[id]
  active = id
  return outcome(id, co, resume(co, value, failure, reason))
end

-- Starts the body number `n`; the rest is as for `step`, before which the new coroutine's number is returned.
local function start(n, role, name)
  next_id = next_id + 1
  local id = next_id
  local co = create(bodies[n])
  threads[id] = co
  roles[id] = { kind = role, name = name, title = name and role .. " " .. name or role }
  active = id
  return id, outcome(id, co, resume(co, arguments[n]))
end

-- Runs the chunk for a new execution; the first time it collects what is declared.
local function begin(chunk, first)
  bodies, arguments, threads, roles, thrown, named = {}, {}, {}, {}, {}, {}
  active, collecting, sealed = nil, nil, false
  declared = first and { items = {}, histories = {} } or nil
  -- The environment itself stays empty, so that every assignment to a global passes __newindex.
  local store = setmetatable({}, base_of_store)
  setfenv(chunk, setmetatable({}, {
    __index = store,
    __newindex = function(_, name, value)
      if sealed then
        mistake("the global '" .. tostring(name) .. "' is assigned while clients run",
          "write local " .. tostring(name) .. ": a global would be shared between clients, unseen by the search",
          "language")
      end
      store[name] = value
    end,
    __metatable = false,
  }))
  local co = create(chunk)
  roles[0] = { kind = "file", title = "the file" }
  local ok, e = resume(co)
  sealed = true
  if not ok then return nil, describe(0, e) end
  return declared
end

return begin, start, step
