//! Every kind of fault, refereed.

use super::*;

fn one(fault: Fault) -> Bounds {
    NO_FAULTS.with(fault, 1)
}

fn kept(fault: Fault, persistence: Persistence) -> Bounds {
    Bounds { persistence, ..one(fault) }
}

/// Writes and reads of few keys, so that what a restart leaves makes a difference.
pub(super) fn few() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(redis(&["GET", "a"])),
        Just(redis(&["SET", "a", "2"])),
        Just(redis(&["SET", "a", "1"])),
        Just(redis(&["INCR", "a"])),
        Just(redis(&["APPEND", "b", "x"])),
        Just(redis(&["GET", "b"])),
        Just(redis(&["DEL", "a"])),
        Just(redis(&["DBSIZE"])),
    ]
    .boxed()
}

#[test]
fn lost_replies() {
    referee(100, 2..=2, 2, plain(), one(Fault::LostReply));
    referee(60, 2..=2, 2, timed(), one(Fault::LostReply));
    referee(40, 2..=2, 2, transactions(), one(Fault::LostReply));
    referee(40, 2..=2, 1, joined(), one(Fault::LostReply));
}

#[test]
fn a_lost_reply_under_a_pause() {
    referee(60, 2..=2, 2, timed(), Bounds { pauses: 1, ..one(Fault::LostReply) });
}

#[test]
fn two_lost_replies_and_a_crash() {
    referee(60, 2..=2, 1, plain(), NO_FAULTS.with(Fault::LostReply, 2).with(Fault::Crash, 1));
}

#[test]
fn partitions() {
    referee(100, 2..=2, 3, plain(), one(Fault::Partition));
    referee(60, 3..=3, 1, plain(), NO_FAULTS.with(Fault::Partition, 2));
}

#[test]
fn commits_of_which_nobody_knows() {
    referee(100, 2..=2, 3, sql(), one(Fault::CommitUnknown));
}

/// A statement that would have to wait cannot get lost yet: it depends on who takes the lock.
#[test]
fn an_unknown_commit_of_a_statement_that_may_have_to_wait() {
    let program = vec![
        vec![Act::Begin, redis(&["SET", "a", "2"])],
        vec![Act::Sql("UPDATE t SET v = v + 1 WHERE id = 1"), redis(&["GET", "a"])],
    ];
    let body = |world: &mut World| build(&program, world);
    assert!(agree(&body, one(Fault::CommitUnknown)).expect("the searches agree"));
}

#[test]
fn transactions_that_the_database_ends() {
    referee(100, 2..=2, 3, sql(), one(Fault::SqlAbort));
}

#[test]
fn restarts() {
    referee(100, 2..=2, 2, few(), kept(Fault::Restart, Persistence::Always));
    referee(100, 2..=2, 2, few(), kept(Fault::Restart, Persistence::Rdb));
    referee(60, 2..=2, 2, few(), kept(Fault::Restart, Persistence::None));
    referee(60, 2..=2, 2, transactions(), kept(Fault::Restart, Persistence::Rdb));
}

#[test]
fn two_restarts() {
    referee(60, 2..=2, 1, few(), NO_FAULTS.with(Fault::Restart, 2));
    referee(40, 2..=2, 1, few(), Bounds { persistence: Persistence::Rdb, ..NO_FAULTS.with(Fault::Restart, 2) });
}

#[test]
fn power_losses() {
    referee(60, 2..=2, 2, few(), kept(Fault::PowerLoss, Persistence::No));
    referee(60, 2..=2, 2, timed(), kept(Fault::PowerLoss, Persistence::EverySec));
}

#[test]
fn failovers() {
    referee(100, 2..=2, 2, few(), one(Fault::Failover));
    referee(60, 2..=2, 2, transactions(), one(Fault::Failover));
}

#[test]
fn evictions() {
    referee(100, 2..=2, 2, few(), one(Fault::Evict));
    referee(100, 2..=2, 2, hashes(), one(Fault::Evict));
    referee(60, 2..=2, 2, transactions(), one(Fault::Evict));
}

#[test]
fn flushes() {
    referee(100, 2..=2, 3, few(), one(Fault::Flush));
    referee(60, 2..=2, 2, timed(), one(Fault::Flush));
}

#[test]
fn lost_scripts() {
    referee(100, 2..=2, 3, transactions(), one(Fault::ScriptFlush));
}

#[test]
fn clock_jumps() {
    referee(100, 2..=2, 2, timed(), one(Fault::ClockJump));
    referee(60, 2..=2, 2, timed(), Bounds { pauses: 1, ..one(Fault::ClockJump) });
}

#[test]
fn several_kinds_at_once() {
    referee(40, 2..=2, 1, few(), one(Fault::Evict).with(Fault::Crash, 1));
    referee(40, 2..=2, 1, few(), one(Fault::Flush).with(Fault::LostReply, 1));
    referee(40, 2..=2, 1, few(), one(Fault::Restart).with(Fault::Evict, 1));
    referee(40, 2..=2, 1, sql(), one(Fault::SqlAbort).with(Fault::Crash, 1));
    referee(40, 2..=2, 1, timed(), Bounds { pauses: 1, ..one(Fault::Evict) });
}

#[test]
fn three_clients_under_pauses_and_faults() {
    referee(40, 3..=3, 1, timed(), Bounds { pauses: 1, ..NO_FAULTS });
    referee(20, 3..=3, 1, few(), one(Fault::Evict));
    referee(20, 3..=3, 1, few(), one(Fault::Failover));
}
