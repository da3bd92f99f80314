//! Clients whose connections others have closed.

use super::*;

fn beside(args: &[&'static str]) -> Act {
    Act::Beside(args.to_vec())
}

/// `CLIENT ID` of a client's connection is made of whose it is: 10000 is that of the first client.
fn kills() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(beside(&["CLIENT", "KILL", "ID", "10000"])),
        3 => Just(beside(&["CLIENT", "KILL", "ID", "20000"])),
        1 => Just(redis(&["CLIENT", "KILL", "ID", "10001"])),
        2 => Just(redis(&["CLIENT", "KILL", "TYPE", "normal"])),
        1 => Just(beside(&["CLIENT", "KILL", "TYPE", "pubsub"])),
        2 => Just(redis(&["BLPOP", "q", "0.05"])),
        1 => Just(redis(&["BLPOP", "q", "0"])),
        2 => Just(beside(&["RPUSH", "q", "1"])),
        1 => Just(redis(&["WATCH", "a"])),
        1 => Just(Act::Atomic(vec![vec!["GET", "a"], vec!["SET", "b", "1"]])),
        1 => Just(redis(&["GET", "a"])),
        2 => Just(redis(&["SET", "a", "2"])),
        1 => Just(redis(&["CLIENT", "ID"])),
    ]
    .boxed()
}

fn listeners() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(beside(&["CLIENT", "KILL", "ID", "10000"])),
        2 => Just(beside(&["CLIENT", "KILL", "TYPE", "pubsub"])),
        1 => Just(beside(&["CLIENT", "KILL", "TYPE", "normal"])),
        3 => Just(redis(&["SUBSCRIBE", "c"])),
        2 => Just(beside(&["PUBLISH", "c", "1"])),
        1 => Just(beside(&["PUBSUB", "NUMSUB", "c"])),
        2 => Just(Act::Receive),
        1 => Just(Act::ReceiveFor(50)),
        2 => Just(Act::Look),
        1 => Just(redis(&["PING"])),
    ]
    .boxed()
}

#[test]
fn connections_that_others_close() {
    referee(200, 2..=2, 3, kills(), NO_FAULTS);
    referee(100, 3..=3, 2, kills(), NO_FAULTS);
}

#[test]
fn listeners_whose_connections_others_close() {
    referee(150, 2..=2, 3, listeners(), NO_FAULTS);
}

#[test]
fn connections_that_others_close_and_faults() {
    referee(100, 2..=2, 2, kills(), Bounds { pauses: 1, ..NO_FAULTS });
    for fault in [Fault::Crash, Fault::LostReply, Fault::Late, Fault::Partition, Fault::Restart, Fault::Flush] {
        referee(60, 2..=2, 2, kills(), NO_FAULTS.with(fault, 1));
        referee(40, 2..=2, 2, listeners(), NO_FAULTS.with(fault, 1));
    }
}
