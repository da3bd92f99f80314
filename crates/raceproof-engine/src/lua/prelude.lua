-- The sandbox. Redis patches Lua so that tables can be read-only; stock Lua cannot do that, so scripts see an empty
-- proxy in place of each library and of the globals, and the functions that look past metatables know the proxies.
-- Runs once per host; returns what the host calls.
local host = ...

local type, select, rawget, rawset, rawequal = type, select, rawget, rawset, rawequal
local raw_next, raw_pcall, raw_xpcall, error = next, pcall, xpcall, error
local raw_getmetatable, raw_setmetatable, raw_tostring = getmetatable, setmetatable, tostring
local raw_collectgarbage, raw_load, raw_loadstring = collectgarbage, load, loadstring
local raw_setfenv = setfenv
local raw_resume, find, byte, format = coroutine.resume, string.find, string.byte, string.format
local fail_arg, fail_at, readonly, readonly_plain = host.fail_arg, host.fail_at, host.readonly, host.readonly_plain
local unwrap, record = host.unwrap, host.record

local backing = raw_setmetatable({}, { __mode = "k" }) -- proxy -> the table that it stands for
local visible_metatable = raw_setmetatable({}, { __mode = "k" }) -- proxy -> what getmetatable gives for it
local proxies = {}

local function protect(table)
  local proxy = raw_setmetatable({}, { __index = table, __newindex = readonly })
  backing[proxy] = table
  proxies[#proxies + 1] = proxy
  return proxy
end

local function given(value, ...)
  if select("#", ...) == 0 then return "no value" end
  return type((...))
end

-- Errors of Rust functions travel as userdata: back to what Redis would have raised. The second result tells whether
-- the error must not be caught.
local function settle(ok, ...)
  if ok then return ok, ... end
  local failure, fatal = ...
  if type(failure) == "userdata" then
    failure, fatal = unwrap(failure)
    if fatal then error(failure, 0) end
  end
  return false, failure
end

-- As Redis replaces pcall: an error table becomes its field err.
local function settle_pcall(ok, ...)
  if ok then return ok, ... end
  local _, failure = settle(false, ...)
  if type(failure) == "table" then
    local err = failure.err
    if type(err) == "string" or type(err) == "number" then failure = err end
  end
  return false, failure
end

local globals = {}
local current_environment -- of scripts, or of functions

function globals.pcall(...)
  -- Redis calls what it finds where the function should be
  if select("#", ...) == 0 then return false, "attempt to call a boolean value" end
  return settle_pcall(raw_pcall(...))
end

function globals.xpcall(...)
  if select("#", ...) < 2 then fail_arg(2, "value expected") end
  local body, handler = ...
  local handle = handler
  if type(handler) == "function" then
    handle = function(failure)
      if type(failure) == "userdata" then
        local fatal
        failure, fatal = unwrap(failure)
        if fatal then return failure end
      end
      return handler(failure)
    end
  end
  return settle(raw_xpcall(body, handle))
end

function globals.next(...)
  local table, key = ...
  if type(table) ~= "table" then fail_arg(1, "table expected, got " .. given(nil, ...)) end
  local k, v = raw_next(backing[table] or table, key)
  if k == nil then return nil end
  return k, v
end

function globals.pairs(...)
  local table = ...
  if type(table) ~= "table" then fail_arg(1, "table expected, got " .. given(nil, ...)) end
  return raw_next, backing[table] or table, nil
end

function globals.rawget(...)
  local table, key = ...
  if type(table) ~= "table" then fail_arg(1, "table expected, got " .. given(nil, ...)) end
  if select("#", ...) < 2 then fail_arg(2, "value expected") end
  return rawget(backing[table] or table, key)
end

function globals.rawset(...)
  local table, key, value = ...
  if type(table) ~= "table" then fail_arg(1, "table expected, got " .. given(nil, ...)) end
  local count = select("#", ...)
  if count < 3 then fail_arg(count + 1, "value expected") end
  if backing[table] then readonly_plain() end
  return rawset(table, key, value)
end

function globals.setmetatable(...)
  local table, metatable = ...
  if type(table) ~= "table" then fail_arg(1, "table expected, got " .. given(nil, ...)) end
  local kind = type(metatable)
  if kind ~= "table" and (kind ~= "nil" or select("#", ...) < 2) then fail_arg(2, "nil or table expected") end
  if backing[table] then readonly_plain() end
  local ok, failure = raw_pcall(raw_setmetatable, table, metatable)
  if not ok then fail_at(failure) end
  return table
end

local string_metatable = raw_getmetatable("")

function globals.getmetatable(...)
  if select("#", ...) == 0 then fail_arg(1, "value expected") end
  local value = ...
  if type(value) == "string" then return visible_metatable[string_metatable] end
  if value ~= nil and backing[value] then return visible_metatable[value] end
  return raw_getmetatable(value)
end

-- The addresses that Lua prints differ from run to run; these count up from the start of the script.
local addresses, address_count

local function address(value)
  addresses = addresses or raw_setmetatable({}, { __mode = "k" })
  local known = addresses[value]
  if not known then
    address_count = address_count + 1
    known = format("0x7f%010x", address_count * 32)
    addresses[value] = known
  end
  return known
end

local addressed = { table = true, ["function"] = true, thread = true }

function globals.tostring(...)
  if select("#", ...) == 0 then fail_arg(1, "value expected") end
  local value = ...
  local kind = type(value)
  if not addressed[kind] then return raw_tostring(value) end
  if backing[value] then return kind .. ": " .. address(value) end
  local text = raw_tostring(value)
  if type(text) == "string" and find(text, "^" .. kind .. ": 0?x?%x+$") then return kind .. ": " .. address(value) end
  return text
end

-- Bytecode is refused as Redis refuses it: it is read as text, and fails as such.
local function as_text(source)
  if byte(source, 1) == 27 then return " " .. source end
  return source
end

-- Why a value is not an optional string, if it is none.
local function not_a_string(value)
  local kind = type(value)
  if kind ~= "nil" and kind ~= "string" and kind ~= "number" then return "string expected, got " .. kind end
end

function globals.loadstring(...)
  local source, name = ...
  local kind = type(source)
  if kind == "number" then
    source = raw_tostring(source)
  elseif kind ~= "string" then
    fail_arg(1, "string expected, got " .. given(nil, ...))
  end
  local reason = not_a_string(name)
  if reason then fail_arg(2, reason) end
  local chunk, failure = raw_loadstring(as_text(source), name or source)
  if chunk then return raw_setfenv(chunk, current_environment) end
  return nil, failure
end

function globals.load(...)
  local reader, name = ...
  if type(reader) ~= "function" then fail_arg(1, "function expected, got " .. given(nil, ...)) end
  local reason = not_a_string(name)
  if reason then fail_arg(2, reason) end
  local begun = false
  local chunk, failure = raw_load(function()
    local piece = reader()
    if not begun and type(piece) == "string" and piece ~= "" then
      begun = true
      return as_text(piece)
    end
    return piece
  end, name or "=(load)")
  if chunk then return raw_setfenv(chunk, current_environment) end
  local _, settled = settle(false, failure)
  return nil, settled
end

-- What is in use depends on the scripts that ran before; scripts must not see that.
local KILOBYTES = 64

local collector = {
  collect = function()
    raw_collectgarbage()
    return 0
  end,
  count = function() return KILOBYTES end,
  step = function()
    raw_collectgarbage()
    return true
  end,
  stop = function() return 0 end,
  restart = function() return 0 end,
  setpause = function() return 200 end,
  setstepmul = function() return 200 end,
}

function globals.collectgarbage(...)
  local option = ...
  if option == nil then option = "collect" end
  local reason = not_a_string(option)
  if reason then fail_arg(1, reason) end
  local act = collector[option]
  if not act then fail_arg(1, "invalid option '" .. raw_tostring(option) .. "'") end
  return act()
end

function globals.gcinfo() return KILOBYTES end

function globals.__redis__err__handler(failure)
  if type(failure) ~= "table" then failure = { err = "ERR " .. globals.tostring(failure) } end
  return failure
end

for _, name in raw_next, { "assert", "error", "ipairs", "rawequal", "select", "tonumber", "type", "unpack", "_VERSION" } do
  globals[name] = _G[name]
end

local function library(source, names)
  local copy = {}
  for _, name in raw_next, names do copy[name] = source[name] end
  return copy
end

local coroutines = library(coroutine, { "create", "running", "status", "wrap", "yield" })

function coroutines.resume(...)
  if type((...)) ~= "thread" then fail_arg(1, "coroutine expected") end
  return settle(raw_resume(...))
end

globals.coroutine = protect(coroutines)
globals.string = protect(library(string, {
  "byte", "char", "dump", "find", "format", "gfind", "gmatch", "gsub", "len", "lower", "match", "rep", "reverse", "sub",
  "upper",
}))
globals.table = protect(library(table, {
  "concat", "foreach", "foreachi", "getn", "insert", "maxn", "remove", "setn", "sort",
}))
globals.math = protect(library(math, {
  "abs", "acos", "asin", "atan", "atan2", "ceil", "cos", "cosh", "deg", "exp", "floor", "fmod", "frexp", "huge", "ldexp",
  "log", "log10", "max", "min", "mod", "modf", "pi", "pow", "rad", "random", "randomseed", "sin", "sinh", "sqrt", "tan",
  "tanh",
}))
for _, name in raw_next, { "redis", "cjson", "cmsgpack", "struct", "bit" } do
  globals[name] = protect(host[name])
end

string_metatable.__index = globals.string
visible_metatable[string_metatable] = protect({ __index = globals.string })
local missing = { __index = host.missing_global }
raw_setmetatable(globals, missing)
local environment = protect(globals)
globals._G = environment
visible_metatable[environment] = protect(missing)

-- Functions of libraries see fewer globals than scripts; the body of a library, as it registers them, sees next to none.
local function_redis = {}
for name, value in raw_next, host.redis do function_redis[name] = value end
function_redis.breakpoint, function_redis.debug, function_redis.replicate_commands = nil, nil, nil
local function_globals = {}
for name, value in raw_next, globals do function_globals[name] = value end
function_globals.__redis__err__handler = nil
function_globals.redis = protect(function_redis)
raw_setmetatable(function_globals, missing)
local function_environment = protect(function_globals)
function_globals._G = function_environment
visible_metatable[function_environment] = visible_metatable[environment]
local function_metatable = raw_getmetatable(function_environment)
local load_globals = raw_setmetatable({}, missing)
load_globals.redis = protect(raw_setmetatable(host.load_redis, missing))

-- The message handler of every script. Its result is seen by nobody but a script that calls `load` with a reader that
-- fails: Lua calls the handler for that error too.
local function handler(failure)
  local fatal
  if type(failure) == "userdata" then failure, fatal = unwrap(failure) end
  if not fatal and type(failure) ~= "table" then failure = { err = "ERR " .. globals.tostring(failure) } end
  local source, line = record(failure)
  if not fatal and not backing[failure] then
    rawset(failure, "source", source)
    rawset(failure, "line", line)
  end
  return failure
end

-- Between two scripts: nothing that the first one left may be seen by the second.
local function reset()
  addresses, address_count = nil, 0
  globals.KEYS, globals.ARGV = nil, nil
  current_environment = environment
  for index = 1, #proxies do
    local proxy = proxies[index]
    -- table.insert and table.sort write past metatables
    while raw_next(proxy) ~= nil do rawset(proxy, raw_next(proxy), nil) end
  end
end

reset()

local function compile(source) return raw_loadstring(as_text(source), "@user_script") end

local function register(library)
  function_metatable.__index = load_globals
  return raw_xpcall(library, handler)
end

local function call_function(callback, keys, args)
  current_environment = function_environment
  function_metatable.__index = function_globals
  return raw_xpcall(function() return callback(keys, args) end, handler)
end

local function compile_library(source)
  local chunk, failure = raw_loadstring(as_text(source), "@user_function")
  if chunk then return raw_setfenv(chunk, function_environment) end
  return nil, failure
end

return {
  xpcall = raw_xpcall,
  handler = handler,
  reset = reset,
  compile = compile,
  globals = globals,
  environment = environment,
  compile_library = compile_library,
  register = register,
  call_function = call_function,
}
