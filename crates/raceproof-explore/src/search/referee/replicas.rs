//! Reads from a replica that lags behind, alone and with all else that may go wrong.

use proptest::prelude::*;

use super::faults::one;
use super::{Act, NO_FAULTS, agree, build, redis, referee};
use crate::{Bounds, Fault, Persistence, World};

fn replica(args: &[&'static str]) -> Act {
    Act::Replica(vec![args.to_vec()])
}

/// Reads of the replica, what it refuses, and what it does not have to have data for.
pub(super) fn replicas() -> BoxedStrategy<Act> {
    proptest::sample::select(vec![
        replica(&["GET", "a"]),
        replica(&["GET", "a"]),
        replica(&["MGET", "a", "b"]),
        replica(&["DBSIZE"]),
        replica(&["SET", "a", "9"]),
        replica(&["PING"]),
        Act::Replica(vec![vec!["GET", "a"], vec!["GET", "b"]]),
        redis(&["SET", "a", "2"]),
        redis(&["SET", "a", "1"]),
        redis(&["INCR", "a"]),
        redis(&["SET", "b", "2"]),
        redis(&["DEL", "b"]),
        redis(&["GET", "a"]),
    ])
    .boxed()
}

/// Of keys that expire, and whose deadlines the primary changes.
fn timed() -> BoxedStrategy<Act> {
    proptest::sample::select(vec![
        replica(&["GET", "v"]),
        replica(&["PTTL", "v"]),
        replica(&["EXISTS", "v", "one"]),
        redis(&["PERSIST", "v"]),
        redis(&["SET", "v", "3", "PX", "50"]),
        redis(&["SET", "v", "2"]),
        redis(&["PEXPIRE", "v", "200"]),
        redis(&["DEL", "v"]),
        redis(&["SET", "a", "2"]),
        Act::Sleep(100),
        Act::Sleep(60),
        Act::Now,
    ])
    .boxed()
}

/// What a session goes on with: it watches, it has chosen another database, it runs scripts.
fn sessions() -> BoxedStrategy<Act> {
    proptest::sample::select(vec![
        replica(&["GET", "a"]),
        replica(&["WATCH", "a"]),
        replica(&["UNWATCH"]),
        replica(&["SELECT", "1"]),
        replica(&["MULTI"]),
        replica(&["EXEC"]),
        replica(&["EVAL", "return redis.call('GET', KEYS[1])", "1", "a"]),
        replica(&["EVAL", "return redis.call('SET', KEYS[1], 5)", "1", "a"]),
        redis(&["SET", "a", "2"]),
        redis(&["SELECT", "1"]),
        redis(&["SWAPDB", "0", "1"]),
        Act::Atomic(vec![vec!["INCR", "a"], vec!["SET", "b", "1"]]),
    ])
    .boxed()
}

/// What waits at a replica is served when its primary is written to.
fn waiting() -> BoxedStrategy<Act> {
    proptest::sample::select(vec![
        replica(&["XREAD", "BLOCK", "50", "STREAMS", "s", "0"]),
        replica(&["XLEN", "s"]),
        replica(&["GET", "a"]),
        redis(&["XADD", "s", "1-1", "f", "v"]),
        redis(&["SET", "a", "2"]),
        redis(&["DEL", "s"]),
    ])
    .boxed()
}

fn lag(times: u32) -> Bounds {
    NO_FAULTS.with(Fault::Lag, times)
}

#[test]
fn replicas_that_are_up_to_date() {
    referee(100, 2..=3, 3, replicas(), NO_FAULTS);
    referee(60, 2..=2, 3, sessions(), NO_FAULTS);
    referee(60, 2..=2, 2, timed(), Bounds { pauses: 1, ..NO_FAULTS });
}

#[test]
fn replicas_that_lag() {
    referee(150, 2..=2, 3, replicas(), lag(1));
    referee(100, 3..=3, 2, replicas(), lag(1));
    referee(100, 2..=2, 3, replicas(), lag(2));
    referee(60, 3..=3, 2, replicas(), lag(3));
}

#[test]
fn sessions_of_replicas_that_lag() {
    referee(100, 2..=2, 3, sessions(), lag(1));
    referee(60, 2..=2, 3, sessions(), lag(2));
}

#[test]
fn replicas_that_lag_while_keys_expire() {
    referee(150, 2..=2, 3, timed(), lag(1));
    referee(60, 2..=2, 3, timed(), lag(2));
}

#[test]
fn replicas_that_lag_under_a_pause() {
    referee(100, 2..=2, 2, timed(), Bounds { pauses: 1, ..lag(1) });
    referee(60, 2..=2, 2, timed(), Bounds { pauses: 1, ..lag(2) });
    referee(60, 2..=2, 2, replicas(), Bounds { pauses: 1, ..lag(1) });
}

#[test]
fn waiting_at_a_replica_that_lags() {
    referee(100, 2..=2, 2, waiting(), lag(1));
    referee(60, 2..=2, 2, waiting(), Bounds { pauses: 1, ..lag(1) });
}

#[test]
fn replicas_that_lag_and_clients_in_trouble() {
    referee(60, 2..=2, 2, replicas(), lag(1).with(Fault::Crash, 1));
    referee(60, 2..=2, 1, replicas(), lag(1).with(Fault::LostReply, 1));
    referee(60, 2..=2, 1, replicas(), lag(1).with(Fault::Late, 1));
    referee(40, 2..=2, 1, timed(), lag(1).with(Fault::Late, 1));
    referee(60, 2..=2, 2, replicas(), lag(1).with(Fault::Partition, 1));
}

#[test]
fn replicas_that_lag_and_a_server_in_trouble() {
    for fault in [Fault::Evict, Fault::Flush, Fault::ScriptFlush, Fault::ClockJump] {
        referee(40, 2..=2, 2, replicas(), lag(1).with(fault, 1));
        referee(40, 2..=2, 2, timed(), lag(1).with(fault, 1));
    }
    referee(40, 2..=2, 2, sessions(), lag(1).with(Fault::ScriptFlush, 1));
}

#[test]
fn replicas_that_lag_and_a_server_that_goes_down() {
    for persistence in [Persistence::No, Persistence::Rdb, Persistence::None] {
        referee(40, 2..=2, 2, replicas(), Bounds { persistence, ..lag(1).with(Fault::Restart, 1) });
        referee(40, 2..=2, 2, replicas(), Bounds { persistence, ..lag(1).with(Fault::PowerLoss, 1) });
    }
    referee(40, 2..=2, 1, sessions(), Bounds { persistence: Persistence::Rdb, ..lag(1).with(Fault::Restart, 1) });
}

/// The replica that takes over has what was read from it, whether it may lag or not.
#[test]
fn replicas_that_lag_and_take_over() {
    referee(60, 2..=2, 2, replicas(), one(Fault::Failover));
    referee(60, 2..=2, 2, replicas(), lag(1).with(Fault::Failover, 1));
    referee(40, 3..=3, 1, replicas(), lag(1).with(Fault::Failover, 1));
    referee(40, 2..=2, 2, timed(), lag(1).with(Fault::Failover, 1));
    referee(40, 2..=2, 1, replicas(), lag(2).with(Fault::Failover, 2));
}

#[test]
fn two_reads_of_which_either_may_lag() {
    let reader = vec![replica(&["GET", "a"]), redis(&["GET", "b"])];
    let program = vec![vec![redis(&["SET", "a", "2"])], reader.clone(), reader];
    for times in [1, 2] {
        assert!(agree(&|world: &mut World| build(&program, world), lag(times)).expect("the searches agree"));
    }
}
