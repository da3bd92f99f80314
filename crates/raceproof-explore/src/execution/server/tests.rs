//! A server that remembers, held against an engine that does everything: random deeds on both, and after each the reply,
//! the footprint, what else the command did, and the state byte for byte.
//!
//! Each program is a state to start from and a few commands, and executions of it try the same deeds in the same states
//! again and again, as a search does.

use bytes::Bytes;
use raceproof_engine::Options;

use super::*;
use crate::numbers::Numbers;

/// Words are parted by spaces; what stands in quotes is one.
const COMMANDS: &[&str] = &[
    // Keys and strings.
    "SET k 1",
    "SET k v",
    "SET k 2 PX 30",
    "SET k 3 KEEPTTL GET",
    "GET k",
    "GETDEL k",
    "GETEX k PERSIST",
    "INCR k",
    "INCRBYFLOAT k 0.5",
    "APPEND k x",
    "SETRANGE k 2 y",
    "GETRANGE k 0 1",
    "BITFIELD k INCRBY u4 0 3",
    "SETBIT k 3 1",
    "PFADD p a b",
    "PFCOUNT p",
    "MSET k 1 j 2",
    "MGET k j",
    "DEL k",
    "UNLINK k j",
    "EXISTS k j",
    "TYPE k",
    "RENAME k j",
    "COPY k j REPLACE",
    "MOVE k 1",
    "SWAPDB 0 1",
    "KEYS *",
    "SCAN 0",
    "DBSIZE",
    "RANDOMKEY",
    "FLUSHDB",
    "FLUSHALL",
    "OBJECT ENCODING k",
    "OBJECT IDLETIME k",
    "DUMP k",
    "TOUCH k",
    "SORT q ALPHA",
    "MEMORY USAGE k",
    // Deadlines.
    "EXPIRE k 1",
    "PEXPIRE k 30",
    "PEXPIREAT k 1000020",
    "PEXPIRE k 0",
    "PTTL k",
    "EXPIRETIME k",
    "PERSIST k",
    "TIME",
    // Collections.
    "HSET h f 1 g 2",
    "HINCRBY h f 1",
    "HGETALL h",
    "HDEL h f",
    "HRANDFIELD h",
    "SADD s a b c",
    "SADD s 1 2",
    "SREM s a",
    "SPOP s",
    "SRANDMEMBER s",
    "SMEMBERS s",
    "SINTERSTORE t s s",
    "ZADD z 1 a 2 b",
    "ZINCRBY z 1 a",
    "ZRANGE z 0 -1",
    "ZPOPMIN z",
    "ZRANDMEMBER z",
    "GEOADD g 1 2 a",
    "RPUSH q x",
    "LPUSH q y z",
    "LPOP q",
    "LRANGE q 0 -1",
    "LMOVE q r LEFT RIGHT",
    "XADD x 5-1 f v",
    "XADD x * f v",
    "XLEN x",
    "XRANGE x - +",
    "XGROUP CREATE x group $ MKSTREAM",
    "XREADGROUP GROUP group me STREAMS x >",
    "XDEL x 5-1",
    "XPENDING x group",
    // Commands that wait.
    "BLPOP q 0",
    "BRPOP q r 0.03",
    "BLMOVE q r LEFT LEFT 0",
    "BZPOPMIN z 0",
    "XREAD BLOCK 20 STREAMS x $",
    "CLIENT UNBLOCK 1",
    "WAIT 0 10",
    // Transactions.
    "MULTI",
    "EXEC",
    "DISCARD",
    "WATCH k",
    "WATCH q s",
    "UNWATCH",
    // What a session is.
    "CLIENT ID",
    "CLIENT SETNAME me",
    "CLIENT GETNAME",
    "CLIENT LIST",
    "CLIENT REPLY SKIP",
    "CLIENT REPLY OFF",
    "CLIENT REPLY ON",
    "CLIENT KILL ID 1",
    "CLIENT PAUSE 30 WRITE",
    "CLIENT PAUSE 1",
    "CLIENT UNPAUSE",
    "CLIENT TRACKING ON BCAST",
    "CLIENT NO-EVICT ON",
    "HELLO 3",
    "HELLO 2",
    "RESET",
    "QUIT",
    "SELECT 1",
    "SELECT 0",
    "PING",
    "ECHO k",
    "AUTH default secret",
    "MONITOR",
    // Messages.
    "SUBSCRIBE c",
    "PSUBSCRIBE c*",
    "SSUBSCRIBE c",
    "UNSUBSCRIBE",
    "PUBLISH c m",
    "SPUBLISH c m",
    "PUBSUB CHANNELS",
    // Scripts.
    "EVAL 'return redis.call([[incr]], KEYS[1])' 1 k",
    "EVAL 'return redis.call([[get]], KEYS[1])' 1 k",
    "EVAL 'return redis.call([[time]])' 0",
    "EVAL 'redis.call([[rpush]], KEYS[1], 1) return math.random(9)' 1 q",
    "EVAL 'return redis.error_reply([[no]])' 0",
    "SCRIPT LOAD 'return 1'",
    "SCRIPT FLUSH",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "FUNCTION LOAD REPLACE '#!lua name=l\nredis.register_function([[f]], function() return redis.call([[incr]], [[k]]) end)'",
    "FCALL f 0",
    "FUNCTION FLUSH",
    "FUNCTION LIST",
    // The server.
    "CONFIG SET hash-max-listpack-entries 1",
    "CONFIG SET notify-keyspace-events KEA",
    "CONFIG SET maxmemory-policy allkeys-lfu",
    "CONFIG GET maxmemory-policy",
    "CONFIG SET requirepass secret",
    "ACL SETUSER default -get",
    "ACL SETUSER me on nopass ~* +@all",
    "ACL WHOAMI",
    "INFO",
    "LASTSAVE",
    "BGSAVE",
    "COMMAND COUNT",
    "SLOWLOG GET",
    "SHUTDOWN NOSAVE",
    "NOCOMMAND",
    "GET",
    "LPUSH k x",
];

const START_MS: i64 = 1_000_000;

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % n
    }

    fn command(&mut self) -> Command {
        words(COMMANDS[self.below(COMMANDS.len())])
    }
}

fn words(command: &str) -> Command {
    let parts = command.split('\'').enumerate();
    let words = parts.flat_map(|(at, part)| if at % 2 == 0 { part.split_whitespace().collect() } else { vec![part] });
    words.map(|word| Bytes::copy_from_slice(word.as_bytes())).collect::<Vec<_>>().into()
}

/// All that the answers of an engine depend on.
fn bytes(engine: &Engine) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.state(&[], &mut bytes);
    engine.session_numbers(&mut bytes);
    bytes
}

/// The server, and the engine that it is held against.
struct Pair {
    server: Server,
    bare: Engine,
    open: Vec<SessionId>,
    now: Timestamp,
    lua: LuaHost,
    things: Things,
    deeds: usize,
    stood_still: usize,
}

impl Pair {
    fn new(careless: Option<Care>) -> Self {
        let bare = Engine::new(Options { sorted_replies: true, ..Options::default() });
        Self {
            server: Server { careless, ..Server::new(bare.clone()) },
            bare,
            open: Vec::new(),
            now: Timestamp::from_ms(START_MS),
            lua: LuaHost::new(),
            things: Things::new(Numbers::default()),
            deeds: 0,
            stood_still: 0,
        }
    }

    fn connect(&mut self) -> Result<(), String> {
        let session = self.bare.connect();
        same("a session's number", &self.server.connect(None), &session)?;
        self.open.push(session);
        self.compare("connect")
    }

    fn disconnect(&mut self, at: usize) -> Result<(), String> {
        let session = self.open.swap_remove(at);
        if self.bare.waits(session) {
            let (mut ours, mut theirs) = (Outcome::default(), Outcome::default());
            self.bare.give_up(session, &mut theirs);
            self.server.leave().give_up(session, &mut ours);
            self.same_outcome("give up", None, &ours, &theirs)?;
        }
        let (mut ours, mut theirs) = (raceproof_engine::Footprint::default(), raceproof_engine::Footprint::default());
        self.bare.touch_disconnect(session, &mut theirs);
        self.server.touch_disconnect(session, &mut ours);
        same("what closing touches", &ours.iter().collect::<Vec<_>>(), &theirs.iter().collect::<Vec<_>>())?;
        self.bare.disconnect(session);
        self.server.disconnect(session);
        self.compare("disconnect")
    }

    fn execute(&mut self, at: usize, command: &Command) -> Result<(), String> {
        let session = self.open[at];
        if self.bare.waits(session) {
            return Ok(());
        }
        let what = format!("{session:?} {command:?}");
        let (mut ours, mut theirs) = (Outcome::default(), Outcome::default());
        self.bare.execute(&mut self.lua, session, command, self.now, &mut theirs);
        let Self { server, lua, things, now, .. } = self;
        let known = server.execute(lua, things, (session, command), *now, &mut ours);
        self.same_outcome(&what, known.as_deref(), &ours, &theirs)?;
        self.compare(&what)?;
        // Those whose connections close.
        if theirs.close {
            self.disconnect(at)?;
        }
        for delivery in &theirs.deliveries {
            if let raceproof_engine::Delivery::Close(session) = delivery
                && let Some(at) = self.open.iter().position(|open| open == session)
            {
                self.disconnect(at)?;
            }
        }
        Ok(())
    }

    fn pass(&mut self, ms: i64) -> Result<(), String> {
        self.now = Timestamp::from_ms(self.now.ms() + ms);
        let (mut ours, mut theirs) = (Outcome::default(), Outcome::default());
        self.bare.expire_due(self.now, &mut theirs);
        self.server.leave().expire_due(self.now, &mut ours);
        self.same_outcome("expire", None, &ours, &theirs)?;
        self.bare.time_out(&mut self.lua, self.now, &mut theirs);
        self.server.leave().time_out(&mut self.lua, self.now, &mut ours);
        self.same_outcome("time out", None, &ours, &theirs)?;
        self.compare("time passes")
    }

    fn same_outcome(
        &mut self,
        what: &str,
        known: Option<&Known>,
        ours: &Outcome,
        theirs: &Outcome,
    ) -> Result<(), String> {
        let (mut touched, mut expected) = (Touched::default(), Touched::default());
        match known {
            Some(known) => touched.take_in(known),
            None => ours.footprint.iter().for_each(|(object, access)| touched.add(self.things.redis(object), *access)),
        }
        theirs.footprint.iter().for_each(|(object, access)| expected.add(self.things.redis(object), *access));
        let reply = known.map_or(&ours.reply, |known| &known.reply);
        // Where the server waits the reply means nothing.
        same(what, &(theirs.waits || *reply == theirs.reply), &true)
            .map_err(|_| format!("{what}: {reply:?}, and not {:?}", theirs.reply))?;
        same(what, &touched, &expected)?;
        let others =
            |out: &Outcome| (out.wrote, out.waits, out.silent, out.close, out.shutdown.is_some(), out.before_reply);
        same(what, &others(ours), &others(theirs))?;
        same(what, &ours.deliveries, &theirs.deliveries)
    }

    fn compare(&mut self, after: &str) -> Result<(), String> {
        self.deeds += 1;
        self.stood_still += usize::from(self.server.stands != self.server.at);
        same(&format!("the state after {after}"), &bytes(&self.server), &bytes(&self.bare))
    }

    /// Executions of one program.
    fn program(&mut self, dice: &mut Dice, executions: usize) -> Result<(), String> {
        self.now = Timestamp::from_ms(START_MS);
        self.bare = Engine::new(Options { sorted_replies: true, ..Options::default() });
        self.server.replace(self.bare.clone());
        self.open.clear();
        self.connect()?;
        for _ in 0..dice.below(4) {
            let command = dice.command();
            if self.open.is_empty() {
                self.connect()?;
            }
            self.execute(0, &command)?;
        }
        while !self.open.is_empty() {
            self.disconnect(0)?;
        }
        let (start, now) = (self.bare.clone(), self.now);
        self.server.start_here(now);
        let commands: Vec<Command> = (0..6).map(|_| dice.command()).collect();
        for _ in 0..executions {
            self.server.restart();
            (self.bare, self.now) = (start.clone(), now);
            self.open.clear();
            self.compare("the restart")?;
            for _ in 0..8 {
                match dice.below(24) {
                    0 => self.pass([0, 1, 30, 40][dice.below(4)])?,
                    1 if !self.open.is_empty() => self.disconnect(dice.below(self.open.len()))?,
                    // A clock that is set without anything being expired, as when it is stepped.
                    2 => self.now = Timestamp::from_ms(self.now.ms() + 35),
                    _ if self.open.len() < 2 => self.connect()?,
                    _ => self.execute(dice.below(self.open.len()), &commands[dice.below(commands.len())])?,
                }
            }
        }
        Ok(())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, theirs: &T) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what}: {ours:?}, and not {theirs:?}")) }
}

/// Programs on a server that minds everything but, perhaps, one thing.
fn programs(number: usize, careless: Option<Care>) -> Result<Pair, String> {
    let (mut pair, mut dice) = (Pair::new(careless), Dice(1));
    for _ in 0..number {
        pair.program(&mut dice, 60)?;
    }
    Ok(pair)
}

#[test]
fn what_is_remembered_is_what_the_engine_does() {
    let pair = programs(400, None).unwrap_or_else(|difference| panic!("{difference}"));
    let Pair { deeds, stood_still, .. } = pair;
    assert!(stood_still * 3 > deeds, "{stood_still} of {deeds} deeds were remembered");
}

#[test]
fn whatever_is_not_minded_shows() {
    for care in [Care::Session, Care::SessionNumbers, Care::Time, Care::Besides] {
        assert!(programs(400, Some(care)).is_err(), "without {care:?} nothing differs");
    }
}
