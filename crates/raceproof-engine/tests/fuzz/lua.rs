//! Scripts, two in one input with a zero byte between them.
//!
//! Whatever they are, the host ends them, with a reply; and nothing of the first is left for the second, which replies as
//! it does on a host that never ran another.

use bytes::Bytes;
use raceproof_engine::{Engine, LuaHost, Options, Outcome, Reply, Timestamp};

/// Instructions until a script is ended: long enough for loops that mean something.
const INSTRUCTIONS: u64 = 200_000;

pub(crate) fn check(data: &[u8]) {
    let (first, second) = match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, data),
    };
    let mut host = fresh();
    run(&mut host, first);
    let after_another = run(&mut host, second);
    let alone = run(&mut fresh(), second);
    assert_eq!(after_another, alone);
}

fn fresh() -> LuaHost {
    LuaHost::default().with_instruction_limit(INSTRUCTIONS)
}

/// The reply of a script in a server with a few keys, and what it left in them.
fn run(host: &mut LuaHost, script: &[u8]) -> (Reply, Vec<u8>) {
    let mut engine = Engine::new(Options::default());
    let session = engine.connect();
    let now = Timestamp::from_ms(1_700_000_000_000);
    let mut out = Outcome::default();
    let script = Bytes::copy_from_slice(script);
    let mut execute = |words: &[&'static str], script: Option<&Bytes>| {
        let mut args: Vec<Bytes> = words.iter().map(|word| Bytes::from_static(word.as_bytes())).collect();
        if let Some(script) = script {
            args.insert(1, script.clone());
        }
        engine.execute(host, session, &args, now, &mut out);
        out.reply.clone()
    };
    execute(&["SET", "s", "10"], None);
    execute(&["HSET", "h", "f", "1", "g", "w"], None);
    execute(&["RPUSH", "l", "a", "b"], None);
    let reply = execute(&["EVAL", "3", "s", "h", "l", "x", "2.5"], Some(&script));
    let mut state = Vec::new();
    engine.state(&[], &mut state);
    (reply, state)
}
