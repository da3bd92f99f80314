//! Commands that wait on the server.

use super::*;

pub(super) fn lists() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(redis(&["BLPOP", "q", "0.05"])),
        2 => Just(redis(&["BLPOP", "q", "r", "0.1"])),
        1 => Just(redis(&["BRPOP", "r", "0"])),
        1 => Just(redis(&["BLMOVE", "q", "r", "LEFT", "RIGHT", "0.05"])),
        3 => Just(redis(&["RPUSH", "q", "1"])),
        1 => Just(redis(&["RPUSH", "q", "2", "3"])),
        2 => Just(redis(&["RPUSH", "r", "4"])),
        1 => Just(redis(&["LPOP", "q"])),
        1 => Just(redis(&["LLEN", "q"])),
        1 => Just(redis(&["DEL", "q"])),
        1 => Just(redis(&["SET", "q", "1"])),
        1 => Just(redis(&["RENAME", "r", "q"])),
        1 => Just(redis(&["GET", "a"])),
        1 => Just(redis(&["SET", "a", "2"])),
        1 => Just(Act::Atomic(vec![vec!["RPUSH", "r", "5"], vec!["RPUSH", "q", "6"]])),
    ]
    .boxed()
}

pub(super) fn streams_and_sorted_sets() -> BoxedStrategy<Act> {
    prop_oneof![
        2 => Just(redis(&["XGROUP", "CREATE", "x", "g", "0", "MKSTREAM"])),
        3 => Just(redis(&["XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "BLOCK", "50", "STREAMS", "x", ">"])),
        2 => Just(redis(&["XREAD", "BLOCK", "50", "STREAMS", "x", "$"])),
        3 => Just(redis(&["XADD", "x", "1-*", "f", "v"])),
        1 => Just(redis(&["XACK", "x", "g", "1-1"])),
        1 => Just(redis(&["DEL", "x"])),
        1 => Just(redis(&["XGROUP", "DESTROY", "x", "g"])),
        2 => Just(redis(&["BZPOPMIN", "z", "0.05"])),
        2 => Just(redis(&["ZADD", "z", "1", "m"])),
        1 => Just(redis(&["WAIT", "1", "50"])),
        1 => Just(redis(&["SWAPDB", "0", "1"])),
    ]
    .boxed()
}

fn joined() -> BoxedStrategy<Act> {
    prop_oneof![
        Just(Act::Join(vec!["BLPOP", "q", "0.05"], vec!["GET", "a"])),
        Just(Act::Join(vec!["BLPOP", "q", "0.05"], vec!["RPUSH", "q", "1"])),
        Just(redis(&["RPUSH", "q", "2"])),
        Just(redis(&["SET", "a", "4"])),
        Just(Act::Sleep(50)),
        Just(Act::Now),
    ]
    .boxed()
}

#[test]
fn lists_that_are_waited_for() {
    referee(250, 2..=3, 3, lists(), NO_FAULTS);
}

#[test]
fn streams_and_sorted_sets_that_are_waited_for() {
    referee(200, 2..=3, 3, streams_and_sorted_sets(), NO_FAULTS);
}

#[test]
fn waiting_beside_another_request() {
    referee(100, 2..=2, 2, joined(), NO_FAULTS);
}

#[test]
fn waiting_under_pauses() {
    referee(100, 2..=2, 2, lists(), Bounds { pauses: 1, ..NO_FAULTS });
}

#[test]
fn waiting_clients_that_die_or_get_no_reply() {
    referee(100, 2..=2, 2, lists(), NO_FAULTS.with(Fault::Crash, 1));
    referee(100, 2..=2, 2, lists(), NO_FAULTS.with(Fault::LostReply, 1));
}

#[test]
fn waiting_when_the_server_goes_down() {
    referee(100, 2..=2, 2, lists(), NO_FAULTS.with(Fault::Restart, 1));
    referee(60, 2..=2, 2, streams_and_sorted_sets(), NO_FAULTS.with(Fault::Restart, 1));
}
