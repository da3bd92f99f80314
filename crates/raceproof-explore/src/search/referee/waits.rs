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

/// Readers of a group, who wait for entries and acknowledge them; the group is there when they begin.
fn groups() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(redis(&["XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "BLOCK", "50", "STREAMS", "s", ">"])),
        1 => Just(redis(&["XREADGROUP", "GROUP", "g", "d", "BLOCK", "0", "STREAMS", "s", ">"])),
        1 => Just(redis(&["XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0"])),
        3 => Just(redis(&["XADD", "s", "1-*", "f", "v"])),
        1 => Just(redis(&["XACK", "s", "g", "1-1"])),
        1 => Just(redis(&["XPENDING", "s", "g"])),
        1 => Just(redis(&["DEL", "s"])),
        1 => Just(redis(&["GET", "a"])),
        1 => Just(redis(&["SET", "a", "2"])),
    ]
    .boxed()
}

fn with_group(program: &Program, world: &mut World) {
    world.setup(|ctx| async move {
        let mut redis = ctx.redis();
        redis::cmd("XGROUP").arg(&["CREATE", "s", "g", "0", "MKSTREAM"]).query_async::<()>(&mut redis).await
    });
    build(program, world);
}

fn referee_groups(wanted: u32, clients: std::ops::RangeInclusive<usize>, most: usize, bounds: Bounds) {
    let program = proptest::collection::vec(proptest::collection::vec(groups(), 1..=most), clients);
    referee_any(wanted, program, bounds, with_group);
}

fn paused(bounds: Bounds) -> Bounds {
    Bounds { pauses: 1, ..bounds }
}

#[test]
fn readers_of_a_group() {
    referee_groups(100, 2..=2, 3, NO_FAULTS);
    referee_groups(60, 3..=3, 2, NO_FAULTS);
    referee_groups(60, 2..=2, 2, paused(NO_FAULTS));
}

#[test]
fn waiting_clients_that_get_no_reply_under_a_pause() {
    let bounds = paused(NO_FAULTS.with(Fault::LostReply, 1));
    referee(100, 2..=2, 1, lists(), bounds);
    referee(40, 2..=2, 2, lists(), bounds);
    referee_groups(100, 2..=2, 1, bounds);
    referee_groups(40, 2..=2, 2, bounds);
}

#[test]
fn waiting_clients_and_commands_that_arrive_late() {
    let late = NO_FAULTS.with(Fault::Late, 1);
    referee(100, 2..=2, 2, lists(), late);
    referee_groups(100, 2..=2, 2, late);
    referee(60, 3..=3, 1, lists(), late);
    referee(60, 2..=2, 1, lists(), paused(late));
    referee(60, 2..=2, 1, lists(), late.with(Fault::LostReply, 1));
    referee(60, 2..=2, 1, lists(), late.with(Fault::Restart, 1));
    referee(60, 2..=2, 1, lists(), NO_FAULTS.with(Fault::Late, 2));
    referee(60, 2..=2, 1, streams_and_sorted_sets(), late);
}

/// Programs that generated cases once failed on.
#[test]
fn a_pause_while_a_reply_that_was_waited_for_is_lost() {
    let pushes = Act::Atomic(vec![vec!["RPUSH", "r", "5"], vec!["RPUSH", "q", "6"]]);
    let program = vec![
        vec![redis(&["RENAME", "r", "q"]), redis(&["BLPOP", "q", "r", "0.1"])],
        vec![pushes, redis(&["BLPOP", "q", "0.05"])],
    ];
    let bounds = paused(NO_FAULTS.with(Fault::LostReply, 1));
    assert!(agree(&|world: &mut World| build(&program, world), bounds).expect("the searches agree"));
}
