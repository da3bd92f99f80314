//! Messages beside the replies: channels, events of keys.

use super::*;

fn beside(args: &[&'static str]) -> Act {
    Act::Beside(args.to_vec())
}

/// Subscribers in RESP2, which speak on another connection.
pub(super) fn channels() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(redis(&["SUBSCRIBE", "c"])),
        1 => Just(redis(&["SUBSCRIBE", "c", "d"])),
        1 => Just(redis(&["PSUBSCRIBE", "c*"])),
        1 => Just(redis(&["UNSUBSCRIBE", "c"])),
        1 => Just(redis(&["UNSUBSCRIBE"])),
        3 => Just(beside(&["PUBLISH", "c", "1"])),
        1 => Just(beside(&["PUBLISH", "d", "2"])),
        1 => Just(beside(&["EVAL", "return redis.call('PUBLISH', 'c', 's')", "0"])),
        1 => Just(beside(&["PUBSUB", "NUMSUB", "c"])),
        1 => Just(beside(&["SET", "a", "2"])),
        1 => Just(beside(&["GET", "a"])),
        1 => Just(redis(&["PING"])),
        2 => Just(Act::Receive),
        2 => Just(Act::ReceiveFor(50)),
        3 => Just(Act::Look),
    ]
    .boxed()
}

/// Everything on one connection of RESP3, with notifications: what is received and what is told come in one order.
pub(super) fn one_connection() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(Act::Join(vec!["HELLO", "3"], vec!["SUBSCRIBE", "c"])),
        2 => Just(redis(&["HELLO", "3"])),
        3 => Just(redis(&["SUBSCRIBE", "c"])),
        2 => Just(redis(&["PSUBSCRIBE", "__key*"])),
        2 => Just(redis(&["PUBLISH", "c", "1"])),
        2 => Just(beside(&["PUBLISH", "c", "2"])),
        1 => Just(beside(&["SUBSCRIBE", "__keyevent@0__:expired"])),
        2 => Just(redis(&["SET", "a", "2"])),
        1 => Just(redis(&["DEL", "a"])),
        1 => Just(redis(&["GET", "a"])),
        1 => Just(redis(&["UNSUBSCRIBE"])),
        1 => Just(Act::Atomic(vec![vec!["SET", "b", "1"], vec!["PUBLISH", "c", "3"]])),
        2 => Just(Act::Receive),
        1 => Just(Act::ReceiveFor(50)),
        3 => Just(Act::Look),
    ]
    .boxed()
}

/// Keys that expire while somebody listens.
pub(super) fn expiries() -> BoxedStrategy<Act> {
    prop_oneof![
        3 => Just(redis(&["SUBSCRIBE", "__keyevent@0__:expired"])),
        1 => Just(redis(&["SUBSCRIBE", "__keyspace@0__:v"])),
        1 => Just(redis(&["UNSUBSCRIBE"])),
        1 => Just(beside(&["PEXPIRE", "v", "50"])),
        1 => Just(beside(&["PERSIST", "v"])),
        1 => Just(beside(&["SET", "v", "2"])),
        1 => Just(beside(&["GET", "v"])),
        1 => Just(Act::Sleep(101)),
        2 => Just(Act::ReceiveFor(150)),
        1 => Just(Act::Receive),
        3 => Just(Act::Look),
    ]
    .boxed()
}

/// Clients that keep copies and are told of changes.
pub(super) fn tracked() -> BoxedStrategy<Act> {
    prop_oneof![
        1 => Just(redis(&["CLIENT", "TRACKING", "ON", "BCAST"])),
        1 => Just(redis(&["CLIENT", "TRACKING", "OFF"])),
        1 => Just(redis(&["CLIENT", "TRACKING", "ON", "NOLOOP"])),
        3 => Just(redis(&["GET", "a"])),
        1 => Just(redis(&["MGET", "a", "b"])),
        2 => Just(redis(&["SET", "a", "2"])),
        2 => Just(beside(&["SET", "a", "3"])),
        1 => Just(beside(&["DEL", "b"])),
        1 => Just(beside(&["PEXPIRE", "a", "0"])),
        2 => Just(Act::Receive),
        1 => Just(Act::ReceiveFor(50)),
        3 => Just(Act::Look),
    ]
    .boxed()
}

/// The first client tracks from the start; the others may.
pub(super) fn tracking(clients: usize, most: usize) -> BoxedStrategy<Program> {
    let programs = proptest::collection::vec(proptest::collection::vec(tracked(), 1..=most), clients);
    let begin = |mut program: Program| {
        program[0].splice(0..0, [redis(&["HELLO", "3"]), redis(&["CLIENT", "TRACKING", "ON"])]);
        program
    };
    programs.prop_map(begin).boxed()
}

/// As always, and the server tells what happens to keys.
pub(super) fn build(program: &Program, world: &mut World) {
    world.setup(|ctx| async move {
        let mut redis = ctx.redis();
        redis::cmd("CONFIG").arg(&["SET", "notify-keyspace-events", "KEA"]).query_async::<()>(&mut redis).await
    });
    super::build(program, world);
}

fn referee(
    wanted: u32,
    clients: std::ops::RangeInclusive<usize>,
    most: usize,
    acts: BoxedStrategy<Act>,
    bounds: Bounds,
) {
    let program = proptest::collection::vec(proptest::collection::vec(acts, 1..=most), clients);
    referee_any(wanted, program, bounds, build);
}

#[test]
fn channels_and_patterns() {
    referee(250, 2..=3, 3, channels(), NO_FAULTS);
}

#[test]
fn replies_and_messages_on_one_connection() {
    referee(250, 2..=3, 3, one_connection(), NO_FAULTS);
}

#[test]
fn events_of_keys_that_expire() {
    referee(150, 2..=2, 3, expiries(), NO_FAULTS);
    referee(150, 2..=2, 2, expiries(), Bounds { pauses: 1, ..NO_FAULTS });
}

#[test]
fn keys_that_are_tracked() {
    referee_any(200, tracking(2, 3), NO_FAULTS, super::build);
    referee_any(60, tracking(3, 2), NO_FAULTS, super::build);
    referee_any(60, tracking(2, 2), NO_FAULTS.with(Fault::Crash, 1), super::build);
    referee_any(60, tracking(2, 2), NO_FAULTS.with(Fault::LostReply, 1), super::build);
    referee_any(60, tracking(2, 2), NO_FAULTS.with(Fault::Restart, 1), super::build);
    referee_any(60, tracking(2, 2), NO_FAULTS.with(Fault::Flush, 1), super::build);
    referee_any(60, tracking(2, 2), Bounds { pauses: 1, ..NO_FAULTS }, super::build);
}

#[test]
fn receivers_that_die() {
    referee(100, 2..=2, 3, channels(), NO_FAULTS.with(Fault::Crash, 1));
    referee(100, 2..=2, 2, one_connection(), NO_FAULTS.with(Fault::Crash, 1));
}

#[test]
fn receivers_under_pauses() {
    referee(100, 2..=2, 2, channels(), Bounds { pauses: 1, ..NO_FAULTS });
}

#[test]
fn connections_that_break() {
    referee(100, 2..=2, 2, channels(), NO_FAULTS.with(Fault::LostReply, 1));
    referee(100, 2..=2, 2, one_connection(), NO_FAULTS.with(Fault::LostReply, 1));
    referee(60, 2..=2, 2, channels(), NO_FAULTS.with(Fault::Late, 1));
    referee(60, 2..=2, 2, channels(), NO_FAULTS.with(Fault::Partition, 1));
}

#[test]
fn receivers_whose_server_goes_down() {
    referee(100, 2..=2, 2, channels(), NO_FAULTS.with(Fault::Restart, 1));
    referee(60, 2..=2, 2, one_connection(), NO_FAULTS.with(Fault::Failover, 1));
}

#[test]
fn what_others_than_clients_do_to_keys() {
    referee(60, 2..=2, 2, expiries(), NO_FAULTS.with(Fault::Evict, 1));
    referee(60, 2..=2, 2, one_connection(), NO_FAULTS.with(Fault::Flush, 1));
    referee(60, 2..=2, 2, expiries(), NO_FAULTS.with(Fault::ClockJump, 1));
}

/// A look has two outcomes while the message is on its way: one may sleep where the other does not.
#[test]
fn looks_at_an_inbox_cost_no_execution() {
    let program = vec![
        vec![Act::Look, redis(&["PSUBSCRIBE", "__key*"]), Act::Look],
        vec![Act::Join(vec!["HELLO", "3"], vec!["SUBSCRIBE", "c"])],
        vec![redis(&["SET", "a", "2"])],
    ];
    assert!(agree(&|world: &mut World| build(&program, world), NO_FAULTS).expect("the searches agree"));
}

#[test]
fn a_message_that_is_received_before_others_look() {
    let numsub = Act::Beside(vec!["PUBSUB", "NUMSUB", "c"]);
    let program = vec![
        vec![numsub],
        vec![redis(&["SUBSCRIBE", "c"]), Act::Receive],
        vec![Act::Beside(vec!["PUBLISH", "c", "1"])],
    ];
    assert!(agree(&|world: &mut World| super::build(&program, world), NO_FAULTS).expect("the searches agree"));
}
