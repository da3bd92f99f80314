//! Commands that `CLIENT PAUSE` holds.

use super::*;

fn paused() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(redis(&["CLIENT", "PAUSE", "50", "WRITE"])),
        1 => Just(redis(&["CLIENT", "PAUSE", "20", "ALL"])),
        1 => Just(redis(&["CLIENT", "PAUSE", "80", "WRITE"])),
        2 => Just(redis(&["CLIENT", "UNPAUSE"])),
        3 => Just(redis(&["APPEND", "a", "x"])),
        2 => Just(redis(&["APPEND", "a", "y"])),
        1 => Just(redis(&["SET", "b", "1", "PX", "30"])),
        2 => Just(redis(&["GET", "a"])),
        1 => Just(redis(&["GET", "b"])),
        1 => Just(redis(&["RPUSH", "q", "1"])),
        1 => Just(redis(&["BLPOP", "q", "0.06"])),
        1 => Just(Act::Atomic(vec![vec!["GET", "a"], vec!["APPEND", "a", "z"]])),
        1 => Just(Act::Atomic(vec![vec!["APPEND", "a", "v"], vec!["APPEND", "a", "w"]])),
        1 => Just(Act::Sleep(30)),
        1 => Just(Act::Now),
    ]
    .boxed()
}

/// Connections that others close while the server holds what was sent on them.
fn paused_and_closed() -> BoxedStrategy<Act> {
    let beside = |args: &[&'static str]| Act::Beside(args.to_vec());
    prop_oneof![
        2 => Just(beside(&["CLIENT", "PAUSE", "50", "WRITE"])),
        1 => Just(beside(&["CLIENT", "PAUSE", "20", "ALL"])),
        1 => Just(beside(&["CLIENT", "UNPAUSE"])),
        2 => Just(beside(&["CLIENT", "KILL", "ID", "10000"])),
        2 => Just(beside(&["CLIENT", "KILL", "ID", "20000"])),
        1 => Just(beside(&["CLIENT", "KILL", "TYPE", "normal"])),
        3 => Just(redis(&["APPEND", "a", "x"])),
        1 => Just(redis(&["GET", "a"])),
        1 => Just(redis(&["RPUSH", "q", "1"])),
        1 => Just(redis(&["BLPOP", "q", "0.06"])),
        1 => Just(Act::Atomic(vec![vec!["GET", "a"], vec!["APPEND", "a", "z"]])),
        1 => Just(Act::Sleep(30)),
    ]
    .boxed()
}

#[test]
fn held_commands_whose_connections_are_closed() {
    referee(150, 2..=2, 3, paused_and_closed(), NO_FAULTS);
    referee(60, 3..=3, 2, paused_and_closed(), NO_FAULTS);
    referee(60, 2..=2, 2, paused_and_closed(), Bounds { pauses: 1, ..NO_FAULTS });
    for fault in [Fault::Crash, Fault::LostReply, Fault::Restart] {
        referee(40, 2..=2, 2, paused_and_closed(), NO_FAULTS.with(fault, 1));
    }
}

#[test]
fn commands_that_are_held() {
    referee(300, 2..=3, 3, paused(), NO_FAULTS);
}

#[test]
fn held_under_pauses_of_all_clients() {
    referee(120, 2..=2, 2, paused(), Bounds { pauses: 1, ..NO_FAULTS });
}

#[test]
fn held_commands_of_clients_that_die_or_get_no_reply() {
    referee(100, 2..=2, 2, paused(), NO_FAULTS.with(Fault::Crash, 1));
    referee(100, 2..=2, 2, paused(), NO_FAULTS.with(Fault::LostReply, 1));
}

#[test]
fn held_commands_when_the_server_goes_down() {
    referee(100, 2..=3, 2, paused(), NO_FAULTS.with(Fault::Restart, 1));
    referee(60, 2..=2, 2, paused(), NO_FAULTS.with(Fault::PowerLoss, 1));
}
