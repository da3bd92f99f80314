//! Every kind of fault, refereed.

use super::*;

pub(super) fn one(fault: Fault) -> Bounds {
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
fn late_commands() {
    referee(100, 2..=2, 2, plain(), one(Fault::Late));
    referee(60, 2..=2, 2, hashes(), one(Fault::Late));
    referee(60, 2..=2, 2, timed(), one(Fault::Late));
    referee(60, 2..=2, 2, transactions(), one(Fault::Late));
    referee(40, 2..=2, 1, joined(), one(Fault::Late));
    referee(40, 2..=2, 2, sql(), one(Fault::Late));
}

#[test]
fn a_late_command_under_a_pause() {
    referee(60, 2..=2, 2, timed(), Bounds { pauses: 1, ..one(Fault::Late) });
}

#[test]
fn late_commands_and_others_faults() {
    referee(60, 2..=2, 1, few(), NO_FAULTS.with(Fault::Late, 2));
    referee(40, 2..=2, 1, few(), one(Fault::Late).with(Fault::Crash, 1));
    referee(40, 2..=2, 1, few(), one(Fault::Late).with(Fault::Flush, 1));
    referee(40, 2..=2, 1, few(), Bounds { persistence: Persistence::Rdb, ..one(Fault::Late).with(Fault::Restart, 1) });
    referee(40, 2..=2, 1, timed(), one(Fault::Late).with(Fault::ClockJump, 1));
}

/// The client that waits for its time-out reads the clock, which the server's step does not do otherwise.
#[test]
fn a_clock_that_jumps_before_a_client_waits_in_vain() {
    for other in [redis(&["SET", "v", "2"]), Act::Now] {
        let program = vec![vec![redis(&["GET", "v"])], vec![other]];
        let body = |world: &mut World| build(&program, world);
        assert!(agree(&body, one(Fault::Late).with(Fault::ClockJump, 1)).expect("the searches agree"));
        assert!(agree(&body, one(Fault::LostReply).with(Fault::ClockJump, 1)).expect("the searches agree"));
    }
}

/// When all that must happen has been run in other places already, a command that is on its way can still make a difference.
#[test]
fn a_late_command_wakes_what_sleeps() {
    let join = vec![
        vec![Act::Join(vec!["GET", "b"], vec!["GET", "a"])],
        vec![Act::Join(vec!["GET", "a"], vec!["SET", "a", "2"])],
    ];
    assert!(agree(&|world: &mut World| build(&join, world), one(Fault::Late)).expect("the searches agree"));
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

#[test]
fn three_clients_one_of_which_may_die_and_a_server_in_trouble() {
    for fault in [Fault::Failover, Fault::Flush, Fault::Evict] {
        referee(60, 3..=3, 1, few(), one(fault).with(Fault::Crash, 1));
    }
    referee(40, 3..=3, 1, timed(), Bounds { pauses: 1, ..one(Fault::Crash) });
    referee(40, 2..=2, 2, few(), one(Fault::Flush).with(Fault::Crash, 1));
    referee(40, 2..=2, 1, few(), one(Fault::Flush).with(Fault::LostReply, 1));
}

/// Programs of which an execution was once begun in vain, or two of one trace were run, or a trace was missed.
#[test]
fn outcomes_and_optional_steps_cost_no_execution() {
    let (set, get) = (redis(&["SET", "a", "2"]), redis(&["GET", "b"]));
    let append = vec![vec![redis(&["APPEND", "b", "x"])], vec![set.clone()]];
    let expiring = vec![vec![redis(&["HDEL", "one", "f"])], vec![redis(&["GET", "v"])]];
    let joins = vec![
        vec![Act::Join(vec!["GET", "b"], vec!["GET", "a"])],
        vec![Act::Join(vec!["GET", "a"], vec!["SET", "a", "2"])],
    ];
    // Both writes leave the same, so that what a failover may keep depends on how many there were.
    let twice = vec![vec![set.clone()], vec![get], vec![set]];
    let count = vec![vec![redis(&["DBSIZE"])], vec![redis(&["SET", "a", "1"])], vec![redis(&["DBSIZE"])]];
    for (program, bounds) in [
        (append.clone(), one(Fault::Crash)),
        (append, one(Fault::Flush)),
        (expiring, Bounds { pauses: 1, ..NO_FAULTS }),
        (joins, one(Fault::LostReply)),
        (twice, one(Fault::Failover).with(Fault::Crash, 1)),
        (count, one(Fault::Failover).with(Fault::Crash, 1)),
    ] {
        assert!(agree(&|world: &mut World| build(&program, world), bounds).expect("the searches agree"), "{program:?}");
    }
}
