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
