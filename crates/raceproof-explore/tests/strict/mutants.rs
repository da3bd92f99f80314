//! Each part of the protocol, taken away: a stale hit, with the budget that it takes to see it.

use raceproof_explore::Fault;

use crate::{Budget, Edit, NOTHING, PAUSE, TWO_WRITERS, breaks, of};

/// In the writer.
const MARKED: &str = r#"if not mine or call(session, mark, session.epoch, id) ~= "marked" then error("EPOCH", 0) end"#;

/// Changes that show by the order of the steps alone.
const BY_ORDER: &[(&str, &[Edit])] = &[
    ("no lease", &[(r#"  if redis.call("GET", KEYS[3]) ~= ARGV[2] then return "late" end"#, "")]),
    ("no mark", &[(r#" or call(session, mark, session.epoch, id) ~= "marked" then"#, " then")]),
    (
        "the mark comes after the COMMIT",
        &[
            (r#" or call(session, mark, session.epoch, id) ~= "marked" then"#, " then"),
            (
                "  pcall(call, session, finish, id)\n",
                "  pcall(call, session, mark, session.epoch, id)\n  pcall(call, session, finish, id)\n",
            ),
        ],
    ),
    (
        "the mark goes before the COMMIT",
        &[(
            r#"WHERE id = 1", plan)
  end)
  pcall(call, session, finish, id)
"#,
            r#"WHERE id = 1", plan)
    pcall(call, session, finish, id)
  end)
"#,
        )],
    ),
    (
        "the mark leaves the value",
        &[(
            r#"ARGV[2], 1)
  redis.call("DEL", KEYS[2], KEYS[3])"#,
            r#"ARGV[2], 1)
  redis.call("DEL", KEYS[3])"#,
        )],
    ),
    ("an open transaction is helped", &[(r#"  sql("INSERT OR IGNORE INTO rp_write VALUES (?)", id)"#, "")]),
];

#[test]
fn found_by_the_order_of_the_steps() {
    for (what, edits) in BY_ORDER {
        breaks(what, edits, NOTHING);
    }
}

/// Changes that need a restart onto an older snapshot.
const BY_RESTART: &[(&str, &[Edit])] = &[
    ("no epoch", &[("return epoch.run == run and epoch", "return epoch")]),
    ("the value's epoch ignored", &[("not epoch or epoch ~= session.epoch", "not epoch")]),
    (
        "reads reconnect by themselves",
        &[(
            "    if not ok then session.epoch = nil end",
            r#"    if not ok then ok, value = pcall(redis, "GET", VALUE) end"#,
        )],
    ),
    (
        "scripts reconnect by themselves",
        &[(
            "  session.epoch = nil\n  error(reply, 0)",
            r#"  return redis("EVAL", script, 5, EPOCH, VALUE, LEASE, MARKS, LEASES, ...)"#,
        )],
    ),
    (
        "a fill is tried again in the next epoch",
        &[(
            "    call(session, fill, session.epoch, what, plan)\n",
            "    if not pcall(call, session, fill, session.epoch, what, plan) then
      handshake(session)
      call(session, fill, session.epoch, what, plan)
    end\n",
        )],
    ),
    ("no gate: the transaction begins after the mark", NO_GATE),
];

const NO_GATE: &[Edit] = &[(
    r#"  transaction(function() -- L(ns) shared
    local mine = sql("INSERT INTO rp_write SELECT ? WHERE " .. unchanged, id, session.epoch) == 1
    if not mine or call(session, mark, session.epoch, id) ~= "marked" then error("EPOCH", 0) end
"#,
    r#"  local mine = newest().name == session.epoch
  if not mine or call(session, mark, session.epoch, id) ~= "marked" then error("EPOCH", 0) end
  transaction(function()
    sql("INSERT INTO rp_write VALUES (?)", id)
"#,
)];

#[test]
fn found_with_a_restart() {
    for (what, edits) in BY_RESTART {
        breaks(what, edits, of(&[(Fault::Restart, 1)]));
    }
}

#[test]
fn found_with_flushall() {
    let flush = of(&[(Fault::Flush, 1)]);
    let again =
        [("    session.refused, session.epoch = session.epoch, nil", "    call(session, activate, session.epoch)")];
    breaks("the same epoch again after FLUSHALL", &again, flush);
    breaks("no gate: the transaction begins after the mark", NO_GATE, flush);
    breaks("no script looks at the epoch", &no_script_looks(), flush);
}

/// No script asks for the epoch that the server is in.
pub(crate) fn no_script_looks() -> Vec<Edit> {
    vec![
        ("lease = [[\n  if redis.call(\"GET\", KEYS[1]) ~= ARGV[1] then return { \"epoch\" } end\n", "lease = [[\n"),
        ("fill = [[\n  if redis.call(\"GET\", KEYS[1]) ~= ARGV[1] then return \"epoch\" end\n", "fill = [[\n"),
        ("mark = [[\n  if redis.call(\"GET\", KEYS[1]) ~= ARGV[1] then return \"epoch\" end\n", "mark = [[\n"),
    ]
}

#[test]
fn found_with_a_lost_reply() {
    let ignored =
        [(MARKED, "if not mine then error(\"EPOCH\", 0) end\n    pcall(call, session, mark, session.epoch, id)")];
    breaks("a mark without a reply is taken for done", &ignored, of(&[(Fault::LostReply, 1)]));
}

#[test]
fn found_with_a_pause() {
    let ttl = [(
        r#"redis.call("HSET", KEYS[4], ARGV[2], 1)"#,
        r#"redis.call("HSET", KEYS[4], ARGV[2], 1)  redis.call("PEXPIRE", KEYS[4], 5000)"#,
    )];
    breaks("marks have a TTL", &ttl, PAUSE);
}

#[test]
fn found_with_eviction() {
    let any = [(r#""maxmemory-policy", "volatile-lru""#, r#""maxmemory-policy", "allkeys-lru""#)];
    breaks("any key may be evicted", &any, of(&[(Fault::Evict, 1)]));
}

#[test]
fn found_with_two_writers() {
    let single = [
        (r#"redis.call("HSET", KEYS[4], ARGV[2], 1)"#, r#"redis.call("HSET", KEYS[4], "one", 1)"#),
        (r#"redis.call("HDEL", KEYS[4], ARGV[1])"#, r#"redis.call("HDEL", KEYS[4], "one")"#),
        TWO_WRITERS,
        ("for flight = 1, 3 do", "for flight = 1, 2 do"),
    ];
    breaks("one mark for all writers", &single, NOTHING);
}

/// Two writers are needed for that: one alone never meets another's mark.
#[test]
fn one_writer_does_not_show_the_single_mark() {
    let single = [
        (r#"redis.call("HSET", KEYS[4], ARGV[2], 1)"#, r#"redis.call("HSET", KEYS[4], "one", 1)"#),
        (r#"redis.call("HDEL", KEYS[4], ARGV[1])"#, r#"redis.call("HDEL", KEYS[4], "one")"#),
    ];
    crate::holds("one mark, one writer", &single, Budget { faults: &[(Fault::Flush, 1)], pauses: 0 });
}
