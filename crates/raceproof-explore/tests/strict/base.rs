//! The protocol as it is: no fault brings about a stale hit.

use raceproof_explore::Fault;

use crate::{Budget, NOTHING, PAUSE, TWO_READERS, TWO_WRITERS, holds, of};

#[test]
fn no_single_fault_breaks_it() {
    holds("no fault", &[], NOTHING);
    holds("pauses = 1", &[], PAUSE);
    // The catalogue's test has restart=1.
    for fault in Fault::ALL {
        if !matches!(fault, Fault::Restart | Fault::PowerLoss | Fault::Failover) {
            holds(fault.name(), &[], of(Vec::leak(vec![(fault, 1)])));
        }
    }
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn no_loss_of_writes_breaks_it() {
    for fault in [Fault::Restart, Fault::PowerLoss, Fault::Failover] {
        holds(fault.name(), &[], of(Vec::leak(vec![(fault, 1)])));
    }
}

#[test]
fn what_is_lost_twice_does_not_break_it() {
    holds("flush=2", &[], of(&[(Fault::Flush, 2)]));
    holds("evict=2", &[], of(&[(Fault::Evict, 2)]));
    holds("sql-abort=2", &[], of(&[(Fault::SqlAbort, 2)]));
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn two_writers_do_not_break_it() {
    holds("two writers", &[TWO_WRITERS], NOTHING);
}

#[test]
#[ignore = "takes a minute: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn a_restart_and_a_crash() {
    holds("restart=1,crash=1", &[], of(&[(Fault::Restart, 1), (Fault::Crash, 1)]));
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn a_restart_and_another_fault() {
    for other in [Fault::LostReply, Fault::CommitUnknown, Fault::SqlAbort, Fault::Flush, Fault::ScriptFlush] {
        let faults: &'static [(Fault, u32)] = Vec::leak(vec![(Fault::Restart, 1), (other, 1)]);
        holds(&format!("restart=1,{other}=1"), &[], of(faults));
    }
    holds("restart=1, pauses = 1", &[], Budget { faults: &[(Fault::Restart, 1)], pauses: 1 });
}

#[test]
#[ignore = "takes minutes: cargo test --release -p raceproof-explore --test strict -- --ignored"]
fn two_readers() {
    holds("two readers", &[TWO_READERS], NOTHING);
}
