//! Commands that arrive late: a driver that heard nothing sends the command again, and the first one is still on its
//! way. `network` is that first one; it arrives whenever it likes.
//!
//! As the protocol was first written down, a lease was its reader's token, and an epoch was a number that the next
//! attempt would take again. Both break here; docs/strict-cache.md tells how. The numbers of leases now come from the
//! server, an epoch has a name that no other attempt has, and its activation is sent once.

use raceproof_explore::Fault;

use crate::{Edit, NOTHING, WRITER, breaks, holds, of};

/// The reader's first request for a lease, which it sent twice.
const LEASE_AGAIN: Edit = (
    WRITER,
    r#"client("writer", function() put("writer", "pro") end)
client("network", function()
  redis("EVAL", lease, 5, EPOCH, VALUE, LEASE, MARKS, LEASES, "1-setup", "reader1")
end)"#,
);

/// An attempt to start the first epoch, which was given up; another one succeeded.
const ABORTED_ACTIVATION: Edit = (
    WRITER,
    r#"client("writer", function() put("writer", "pro") end)
client("network", function() redis("EVAL", activate, 5, EPOCH, VALUE, LEASE, MARKS, LEASES, "1-other") end)"#,
);

/// The activation of the present epoch, which was sent twice.
const ACTIVATION_AGAIN: Edit = (
    WRITER,
    r#"client("writer", function() put("writer", "pro") end)
client("network", function() redis("EVAL", activate, 5, EPOCH, VALUE, LEASE, MARKS, LEASES, "1-setup") end)"#,
);

/// The same, where an epoch is its number, and the number of an attempt that was given up is used again.
const NUMBERS: &[Edit] = &[
    (r#"epoch.n + 1 .. "-" .. session.me .. session.attempts"#, "tostring(epoch.n + 1)"),
    (r#"redis("SET", EPOCH, "1-setup")"#, r#"redis("SET", EPOCH, "1")"#),
    ("VALUES (1, '1-setup', ?)", "VALUES (1, '1', ?)"),
    (
        WRITER,
        r#"client("writer", function() put("writer", "pro") end)
client("network", function() redis("EVAL", activate, 5, EPOCH, VALUE, LEASE, MARKS, LEASES, "1") end)"#,
    ),
];

/// A lease is the token of its reader.
const OWN_TOKEN: Edit = (r#"    held = ARGV[2] .. " " .. redis.call("INCR", KEYS[5])"#, "    held = ARGV[2]");

/// Whatever epoch the server is in, another one can be activated.
const NO_MAX: Edit = (
    r#"  if number(redis.call("GET", KEYS[1]) or "0") < number(ARGV[1]) then redis.call("SET", KEYS[1], ARGV[1]) end"#,
    r#"  redis.call("SET", KEYS[1], ARGV[1])"#,
);

/// A reader that hears nothing asks again for the same lease, as drivers do by themselves.
const ASKS_AGAIN: Edit = ("pcall(look, session, me .. flight)", "pcall(look, session, me)");

/// The newest epoch is of another run, so whoever comes first has to start one.
const NO_EPOCH_YET: Edit = ("VALUES (1, '1-setup', ?)\", run_id())", "VALUES (1, '1-setup', ?)\", 'another run')");

/// The number of an attempt that was given up is used again.
const NUMBER_AGAIN: Edit = (r#"epoch.n + 1 .. "-" .. session.me .. session.attempts"#, "tostring(epoch.n + 1)");

#[test]
fn a_lease_that_was_asked_for_twice() {
    holds("numbered by the server", &[LEASE_AGAIN], NOTHING);
    breaks("the reader's token", &[LEASE_AGAIN, OWN_TOKEN], NOTHING);
}

/// The same without anybody who plays the network: the search leaves a command on its way.
#[test]
fn a_lease_that_is_left_on_its_way() {
    let late = of(&[(Fault::Late, 1)]);
    holds("late=1", &[], late);
    holds("the same lease again, numbered by the server", &[ASKS_AGAIN], late);
    breaks("the same lease again, the reader's token", &[ASKS_AGAIN, OWN_TOKEN], late);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn an_activation_that_is_left_on_its_way() {
    let late = of(&[(Fault::Late, 1), (Fault::Flush, 1)]);
    breaks("its number is used again", &[NO_EPOCH_YET, NUMBER_AGAIN], late);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn an_attempt_that_was_given_up() {
    let flush = of(&[(Fault::Flush, 1)]);
    holds("a name of its own", &[ABORTED_ACTIVATION], flush);
    breaks("its number is used again", NUMBERS, flush);
}

/// No check on the server can stop it, since FLUSHALL takes what it would look at; so it must not be sent twice.
#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn an_activation_that_was_sent_twice() {
    let flush = of(&[(Fault::Flush, 1)]);
    breaks("with the comparison", &[ACTIVATION_AGAIN], flush);
    breaks("without it", &[ACTIVATION_AGAIN, NO_MAX], flush);
    holds("without FLUSHALL", &[ACTIVATION_AGAIN], NOTHING);
}

/// That only a later epoch can be activated keeps a late attempt from disturbing others, and no more than that.
#[test]
fn an_earlier_epoch_can_be_activated() {
    holds("no fault", &[NO_MAX], NOTHING);
    holds("flush=1", &[NO_MAX], of(&[(Fault::Flush, 1)]));
    holds("an attempt that was given up", &[ABORTED_ACTIVATION, NO_MAX], NOTHING);
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn an_earlier_epoch_can_be_activated_whatever_is_lost() {
    holds("flush=1", &[ABORTED_ACTIVATION, NO_MAX], of(&[(Fault::Flush, 1)]));
    holds("restart=1,crash=1", &[NO_MAX], of(&[(Fault::Restart, 1), (Fault::Crash, 1)]));
    holds("restart=1,flush=1", &[NO_MAX], of(&[(Fault::Restart, 1), (Fault::Flush, 1)]));
    holds("flush=2", &[ABORTED_ACTIVATION, NO_MAX], of(&[(Fault::Flush, 2)]));
    holds("restart=1", &[ABORTED_ACTIVATION, NO_MAX], of(&[(Fault::Restart, 1)]));
}
