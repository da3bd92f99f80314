-- A cache that never serves a stale hit: not after a crash, a pause, a lost reply, a restart onto an older snapshot, a
-- FLUSHALL. docs/strict-cache.md says why each part is there, within which bounds it was checked, and what is not
-- modelled.
--
-- Three things guard a hit, which is one plain GET:
-- * the epoch. A row of the database says which run of the server holds the cache, and by which number. A connection
--   has that number if it is to that run; a value bears it. A restart, or a FLUSHALL, starts the next epoch: what an
--   older one left behind is believed by nobody.
-- * marks. A writer puts its id beside the key before it commits. While there is a mark there is no value, no lease
--   and no fill. The mark has no TTL; whoever finds one asks the database how its write went, and takes it away.
-- * leases. A fill is accepted only while the lease is there under which its row was read; a mark takes it away.
--
-- The epoch cannot change while a write is open, since both hold a lock in the database: here SQLite's write lock.
--
-- Known from: the `Strict` level of raceproof's own cache; leases as in "Scaling Memcache at Facebook" (NSDI 2013).
-- Sibling that does not hold: cache/single-mark.
scenario {
  name = "cache/strict",
  row = "epochs, marks and leases: no stale hit, ever",
  about = "a hit is a GET in the current epoch, a fill needs its lease, a write its marks; restarts lose what they like",
  known_from = "raceproof's strict cache; leases: Nishtala et al., Scaling Memcache at Facebook (NSDI 2013)",
  persistence = "rdb",
  faults = { restart = 1 },
  expect = "verified",
  -- Those that need a restart. The others are in crates/raceproof-explore/tests/strict.
  mutants = {
    { name = "no epoch", from = "return epoch.run == run and epoch", to = "return epoch" },
    { name = "the value's epoch ignored", from = "not epoch or epoch ~= session.epoch", to = "not epoch" },
    {
      name = "no gate: the transaction begins after the mark",
      from = [[
  transaction(function() -- L(ns) shared
    local mine = sql("INSERT INTO rp_write SELECT ? WHERE " .. unchanged, id, session.epoch) == 1
    if not mine or call(session, mark, session.epoch, id) ~= "marked" then error("EPOCH", 0) end
]],
      to = [[
  local mine = newest().name == session.epoch
  if not mine or call(session, mark, session.epoch, id) ~= "marked" then error("EPOCH", 0) end
  transaction(function()
    sql("INSERT INTO rp_write VALUES (?)", id)
]],
    },
    {
      name = "reads reconnect by themselves",
      from = [[    if not ok then session.epoch = nil end]],
      to = [[    if not ok then ok, value = pcall(redis, "GET", VALUE) end]],
    },
  },
}

local EPOCH, VALUE, LEASE, MARKS = "{users}:epoch", "{users}:1:value", "{users}:1:lease", "{users}:1:marks"
local LEASES = "{users}:leases"

-- Scripts: each checks that the epoch is still its caller's -----------------------------------------------------------

local lease = [[
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return { "epoch" } end
  local writes = redis.call("HKEYS", KEYS[4])
  if #writes > 0 then return { "busy", writes[1] } end
  local value = redis.call("GET", KEYS[2])
  if value and string.match(value, "^%S+") == ARGV[1] then return { "hit" } end
  local held = redis.call("GET", KEYS[3])
  if held and string.match(held, "^%S+") ~= ARGV[2] then return { "wait" } end
  if not held then
    held = ARGV[2] .. " " .. redis.call("INCR", KEYS[5])
    redis.call("SET", KEYS[3], held, "PX", 3000)
  end
  return { "granted", held }
]]

local fill = [[
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return "epoch" end
  if redis.call("HLEN", KEYS[4]) > 0 then return "busy" end
  if redis.call("GET", KEYS[3]) ~= ARGV[2] then return "late" end
  redis.call("SET", KEYS[2], ARGV[1] .. " " .. ARGV[3], "EX", 300)
  redis.call("DEL", KEYS[3])
  return "filled"
]]

local mark = [[
  if redis.call("GET", KEYS[1]) ~= ARGV[1] then return "epoch" end
  redis.call("HSET", KEYS[4], ARGV[2], 1)
  redis.call("DEL", KEYS[2], KEYS[3])
  return "marked"
]]

-- In any epoch: the write is over.
local finish = [[
  redis.call("HDEL", KEYS[4], ARGV[1])
  redis.call("DEL", KEYS[2], KEYS[3])
]]

local activate = [[
  local function number(epoch) return tonumber(string.match(epoch, "^%d+")) end
  if number(redis.call("GET", KEYS[1]) or "0") < number(ARGV[1]) then redis.call("SET", KEYS[1], ARGV[1]) end
]]

-- A session is a connection, and the epoch that its handshake found; without a reply the connection is gone.
local function call(session, script, ...)
  local ok, reply = pcall(redis, "EVAL", script, 5, EPOCH, VALUE, LEASE, MARKS, LEASES, ...)
  if ok then return reply end
  session.epoch = nil
  error(reply, 0)
end

-- Epochs --------------------------------------------------------------------------------------------------------------

local function run_id() return string.match(redis("INFO", "server"), "run_id:(%x+)") end

local function newest() return sql("SELECT n, name, run FROM rp_epoch ORDER BY n DESC LIMIT 1")[1] end

-- Gives a session the newest epoch, if that is of the run that it is connected to. Otherwise, or if a script has refused
-- it (the server has lost its keys), a successor, whose name no other attempt has had.
local function handshake(session)
  local run, epoch = run_id(), newest()
  local function ours() return epoch.run == run and epoch.name ~= session.refused end
  if not ours() then
    transaction(function() -- L(ns) exclusive
      epoch = newest()
      if ours() then return end
      session.attempts = session.attempts + 1
      epoch = { n = epoch.n + 1, name = epoch.n + 1 .. "-" .. session.me .. session.attempts, run = run }
      call(session, activate, epoch.name)
      sql("INSERT INTO rp_epoch VALUES (?, ?, ?)", epoch.n, epoch.name, epoch.run)
    end)
  end
  session.epoch = epoch.name
end

-- Reading -------------------------------------------------------------------------------------------------------------

-- A hit is one plain GET.
local function hit(session)
  return read("user:1", function()
    local ok, value = pcall(redis, "GET", VALUE)
    if not ok then session.epoch = nil end
    local epoch, plan = string.match(ok and value or "", "^(%S+) (.*)$")
    if not epoch or epoch ~= session.epoch then error("MISS", 0) end
    return plan
  end)
end

-- The write behind a mark: if its transaction is open, the INSERT waits for its end.
local function help(session, id)
  sql("INSERT OR IGNORE INTO rp_write VALUES (?)", id)
  call(session, finish, id)
end

-- Reads the row, for the next reader's sake: what becomes of this read needs no search.
local function refill(session, token)
  local answer, what = unpack(call(session, lease, session.epoch, token))
  if answer == "granted" then
    local plan = sql("SELECT plan FROM users WHERE id = 1")[1].plan
    call(session, fill, session.epoch, what, plan)
  elseif answer == "busy" then
    help(session, what)
  elseif answer == "epoch" then
    session.refused, session.epoch = session.epoch, nil
  end
end

local function look(session, token)
  if not session.epoch then handshake(session) end
  if pcall(hit, session) then return true end
  if session.epoch then refill(session, token) end
end

local function browse(me)
  local session = { me = me, attempts = 0 }
  for flight = 1, 3 do
    local _, found = pcall(look, session, me .. flight)
    if found == true then return end
  end
end

-- Writing -------------------------------------------------------------------------------------------------------------

local function change(session, id, plan)
  local unchanged = "(SELECT name FROM rp_epoch ORDER BY n DESC) = ?"
  transaction(function() -- L(ns) shared
    local mine = sql("INSERT INTO rp_write SELECT ? WHERE " .. unchanged, id, session.epoch) == 1
    if not mine or call(session, mark, session.epoch, id) ~= "marked" then error("EPOCH", 0) end
    sql("UPDATE users SET plan = ? WHERE id = 1", plan)
  end)
  pcall(call, session, finish, id)
end

local function put(me, plan)
  local session = { me = me, attempts = 0 }
  handshake(session)
  pcall(write, "user:1", plan, function() change(session, me, plan) end)
end

client("reader", function() browse("reader") end)
client("writer", function() put("writer", "pro") end)

setup(function()
  redis("CONFIG", "SET", "maxmemory-policy", "volatile-lru") -- marks have no TTL: they are not evicted
  sql("CREATE TABLE users (id INTEGER PRIMARY KEY, plan TEXT)")
  sql("INSERT INTO users VALUES (1, 'free')")
  sql("CREATE TABLE rp_epoch (n INTEGER PRIMARY KEY, name TEXT, run TEXT)")
  sql("CREATE TABLE rp_write (id TEXT PRIMARY KEY)")
  redis("SET", EPOCH, "1-setup")
  sql("INSERT INTO rp_epoch VALUES (1, '1-setup', ?)", run_id())
end)

fresh("user:1", "commit")

-- What the next reader would believe.
quiet(function()
  local epoch, plan = string.match(redis("GET", VALUE) or "", "^(%S+) (.*)$")
  local believed = newest().run == run_id() and newest().name == epoch
  local row = sql("SELECT plan FROM users WHERE id = 1")[1].plan
  expect(not believed or plan == row, "stale until TTL (300 s)")
end)
