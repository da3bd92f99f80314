//! proptest strategies for random commands and sequences, made from the grammar. They shrink: fewer steps, fewer
//! arguments, likelier words.

use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::Union;

use super::grammar::{
    COMMAND_NAMES, COUNTS, JUNK, MEMORIES, NAMES, PARAMETERS, POLICIES, SCRIPTS, TYPES, families, rules,
};
use super::sequence::{Action, Arg, SESSIONS, Sequence, Step};
use super::{admin, bits, collections, geo, messages, pauses, payloads, pools, streams, tracking};

type Args = Vec<Arg>;

/// A random command of any family, sometimes with an argument too few or too many, in any case of letters.
pub(crate) fn command() -> BoxedStrategy<Args> {
    spoiled(Union::new_weighted(families().map(|(name, weight, _)| (*weight, family(name))).collect()).boxed())
}

/// Families whose commands meet on the same keys. Half of the sequences keep mostly to one of these.
const THEMES: &[&[&str]] = &[
    &["strings", "counters", "hashes", "expiry"],
    &["bitmaps", "strings"],
    &["hyperloglogs"],
    &["positions"],
    &["payloads", "lists", "hashes", "sets", "sorted sets", "streams", "stream groups"],
    &["payloads"],
    &["positions", "sorted sets"],
    &["lists", "sorting"],
    &["sets"],
    &["sorted sets", "sets"],
    &["sorted sets"],
    &["streams"],
    &["streams", "stream groups"],
    &["stream groups"],
    &["functions", "strings"],
    &["users"],
    &["channels"],
    &["tracking"],
    &["clients"],
    &["clients", "channels", "tracking", "strings"],
    &["tracking", "channels"],
    &["pauses"],
    &["pauses", "strings", "expiry", "tracking"],
    &["tracking", "strings", "counters", "hashes", "lists", "sets", "sorted sets", "streams", "expiry", "databases"],
];

/// Random commands, mostly of one theme.
fn themed(theme: &[&str]) -> BoxedStrategy<Args> {
    let chosen = families().filter(|(name, ..)| theme.contains(name));
    let of_theme = Union::new_weighted(chosen.map(|(name, weight, _)| (*weight, family(name))).collect());
    prop_oneof![5 => spoiled(of_theme.boxed()), 1 => command()].boxed()
}

/// A random command of one family, well-formed as far as its template goes.
pub(crate) fn family(name: &str) -> BoxedStrategy<Args> {
    let (_, _, commands) = families().find(|(known, ..)| *known == name).expect("a family of the grammar");
    Union::new_weighted(commands.iter().map(|(weight, text)| (*weight, template(text))).collect()).boxed()
}

/// A random sequence of at most `groups` groups of steps. With `waits`, time passes now and then.
pub(crate) fn sequence(groups: usize, waits: bool) -> BoxedStrategy<Sequence> {
    let steps = |command: BoxedStrategy<Args>| {
        let groups = prop::collection::vec(group(waits, &command), 1..groups);
        groups.prop_map(|groups| groups.into_iter().flatten().collect::<Vec<Step>>()).boxed()
    };
    let themes = THEMES.iter().map(|theme| (1, steps(themed(theme))));
    let steps = Union::new_weighted(std::iter::once((THEMES.len() as u32, steps(command()))).chain(themes).collect());
    (prop::array::uniform3(prop::bool::weighted(0.3)), prop::option::weighted(0.2, listening()), steps)
        .prop_map(|(resp3, listening, steps)| Sequence {
            resp3,
            steps: listening.into_iter().flatten().chain(steps).collect(),
        })
        .boxed()
}

/// A session listens to what happens to keys.
pub(crate) fn listening() -> BoxedStrategy<Vec<Step>> {
    let setting = template("CONFIG SET notify-keyspace-events events");
    let subscribed = prop_oneof![4 => template("PSUBSCRIBE __key*__:*"), 1 => template("PSUBSCRIBE __keyevent@0__:*")];
    let run = |session, args| Step { session, action: Action::Run(args) };
    (prop::sample::select(vec![2, 2, 1, 0]), setting, subscribed)
        .prop_map(move |(session, setting, subscribed)| vec![run(0, setting), run(session, subscribed)])
        .boxed()
}

/// A transaction as one session runs it: `MULTI`, commands, `EXEC`, with at most one `WATCH` before.
pub(crate) fn transaction() -> BoxedStrategy<Vec<Args>> {
    transaction_of(&command())
}

fn transaction_of(command: &BoxedStrategy<Args>) -> BoxedStrategy<Vec<Args>> {
    let watch = prop::option::weighted(0.3, template("WATCH key+"));
    let end = prop::sample::select(vec!["EXEC", "EXEC", "EXEC", "DISCARD"]);
    (watch, prop::collection::vec(command.clone(), 0..5), end)
        .prop_map(|(watch, commands, end)| {
            let mut block: Vec<Args> = watch.into_iter().collect();
            block.push(vec![Arg::of("MULTI")]);
            block.extend(commands);
            block.push(vec![Arg::of(end)]);
            block
        })
        .boxed()
}

/// Some sessions act more than others, so that transactions get long enough to meet.
const SESSION_WEIGHTS: &[(u32, usize); SESSIONS] = &[(3, 0), (2, 1), (1, 2)];

fn group(waits: bool, command: &BoxedStrategy<Args>) -> BoxedStrategy<Vec<Step>> {
    let session = || weighted(SESSION_WEIGHTS);
    let run = |session, args| Step { session, action: Action::Run(args) };
    let alone = (session(), command.clone()).prop_map(move |(session, args)| vec![run(session, args)]);
    let several = (session(), prop::collection::vec(command.clone(), 2..6))
        .prop_map(move |(session, all)| all.into_iter().map(|args| run(session, args)).collect());
    let block = (session(), transaction_of(command))
        .prop_map(move |(session, all)| all.into_iter().map(|args| run(session, args)).collect());
    let loaded = (session(), script(), call(sha1), prop::sample::select(vec!["EVALSHA", "EVALSHA_RO"])).prop_map(
        move |(session, (source, ..), mut args, name)| {
            args[0] = Arg::of(sha1(source));
            args.insert(0, Arg::of(name));
            vec![run(session, ["SCRIPT", "LOAD", source].map(Arg::of).to_vec()), run(session, args)]
        },
    );
    let wait = (session(), 1_u64..4).prop_map(|(session, ms)| vec![Step { session, action: Action::Wait(ms) }]);
    let wait_weight = 2 * u32::from(waits);
    prop_oneof![40 => alone, 32 => several, 8 => block, 1 => loaded, wait_weight => wait].boxed()
}

/// A command of a template (see `grammar.rs`), its name in any case.
pub(crate) fn template(text: &str) -> BoxedStrategy<Args> {
    let parts: Vec<BoxedStrategy<Args>> = text.split(' ').map(part).collect();
    (parts, casing()).prop_map(|(parts, casing)| recase(parts.concat(), casing)).boxed()
}

fn part(word: &str) -> BoxedStrategy<Args> {
    let repeated = |name: &str, range: std::ops::Range<usize>| {
        prop::collection::vec(rule(name), range).prop_map(|parts| parts.concat()).boxed()
    };
    match word.as_bytes().last() {
        // The bound of a range.
        _ if word.len() == 1 => rule(word),
        Some(b'?') => repeated(&word[..word.len() - 1], 0..2),
        Some(b'*') => repeated(&word[..word.len() - 1], 0..4),
        Some(b'+') => repeated(&word[..word.len() - 1], 1..4),
        _ => rule(word),
    }
}

fn rule(name: &str) -> BoxedStrategy<Args> {
    if let Some((_, choices)) = rules().find(|(known, _)| *known == name) {
        let choices = choices.iter().map(|(weight, text)| {
            let parts: Vec<BoxedStrategy<Args>> = text.split(' ').map(part).collect();
            (*weight, parts.prop_map(|parts| parts.concat()).boxed())
        });
        return Union::new_weighted(choices.collect()).boxed();
    }
    match name {
        "key" => pool(pools::KEYS),
        "hkey" => prop_oneof![2 => fixed("h"), 2 => pool(pools::KEYS)].boxed(),
        "lkey" => prop_oneof![3 => fixed("l"), 1 => fixed("m"), 1 => pool(pools::KEYS)].boxed(),
        "skey" => prop_oneof![3 => fixed("s"), 2 => fixed("t"), 1 => pool(pools::KEYS)].boxed(),
        "zkey" => prop_oneof![3 => fixed("z"), 2 => fixed("y"), 1 => pool(pools::KEYS)].boxed(),
        "bkey" => prop_oneof![3 => fixed("a"), 2 => fixed("b"), 1 => pool(pools::KEYS)].boxed(),
        "bit" => pool(bits::BITS),
        "place" => pool(bits::PLACES),
        "payload" => prop::sample::select(payloads::all()).prop_map(|payload| vec![Arg::Bytes(payload)]).boxed(),
        "gkey" => prop_oneof![4 => fixed("z"), 2 => fixed("y"), 1 => pool(pools::KEYS)].boxed(),
        "longitude" => pool(geo::LONGITUDES),
        "latitude" => pool(geo::LATITUDES),
        "length" => pool(geo::LENGTHS),
        "unit" => pool(geo::UNITS),
        "manyplaces" => many(30..140, |n| {
            vec![
                Arg::of((n * 37 % 360).wrapping_sub(180).cast_signed().to_string()),
                Arg::of((n * 53 % 170).wrapping_sub(85).cast_signed().to_string()),
                Arg::of(format!("n{n}")),
            ]
        }),
        "crowd" => many(10..140, |n| {
            vec![Arg::of(format!("13.0{}", n % 5)), Arg::of(format!("38.0{}", n % 3)), Arg::of(format!("n{n}"))]
        }),
        "pkey" => prop_oneof![3 => fixed("a"), 2 => fixed("b"), 2 => fixed("c"), 1 => pool(pools::KEYS)].boxed(),
        "sketch" => pool(bits::SKETCHES),
        "sketchat" => pool(bits::SKETCH_PLACES),
        "sketchbyte" => pool(bits::SKETCH_BYTES),
        "fewelements" => many(40..90, |n| vec![Arg::of(format!("n{n}"))]),
        "manyelements" => many(1000..1600, |n| vec![Arg::of(n.to_string())]),
        "width" => pool(bits::WIDTHS),
        "member" => pool(collections::MEMBERS),
        "score" => prop_oneof![3 => pool(collections::SCORES), 1 => pool(pools::FLOATS)].boxed(),
        "minmax" => prop_oneof![4 => pool(collections::SCORE_BOUNDS), 1 => pool(collections::SCORES)].boxed(),
        "by" => pool(collections::BY_PATTERNS),
        "get" => pool(collections::GET_PATTERNS),
        "lex" => pool(collections::MEMBER_BOUNDS),
        "manymembers" => many(510..515, |n| vec![Arg::of(n.to_string())]),
        "manyscored" => many(126..131, |n| vec![Arg::of((n % 7).to_string()), Arg::of(format!("n{n}"))]),
        "manyequal" => many(126..131, |n| vec![Arg::of("0"), Arg::of(format!("n{n}"))]),
        "xkey" => prop_oneof![6 => fixed("x"), 2 => fixed("w"), 1 => pool(pools::KEYS)].boxed(),
        "id" => prop_oneof![4 => pool(streams::IDS), 1 => pool(streams::NEXT_IDS)].boxed(),
        "nextid" => pool(streams::NEXT_IDS),
        "openid" => pool(streams::OPEN_IDS),
        "edge" => pool(streams::EDGES),
        "readid" => pool(streams::READ_IDS),
        "group" => pool(streams::GROUPS),
        "library" => pool(admin::LIBRARIES),
        "libraryname" => pool(admin::LIBRARY_NAMES),
        "function" => pool(admin::FUNCTIONS),
        "librarypayload" => pool(admin::LIBRARY_PAYLOADS),
        "username" => pool(admin::USERS),
        "aclrule" => pool(admin::ACL_RULES),
        "consumer" => pool(streams::CONSUMERS),
        "lowest" => fixed("-"),
        "highest" => fixed("+"),
        "lastid" => fixed("$"),
        "undelivered" => fixed(">"),
        "channel" => pool(messages::CHANNELS),
        "events" => pool(messages::EVENTS),
        "channelpattern" => pool(messages::PATTERNS),
        "client" => (0..SESSIONS).prop_map(|session| vec![Arg::Client(session)]).boxed(),
        "prefix" => pool(tracking::PREFIXES),
        "trackingscript" => pool(tracking::SCRIPTS),
        "publishing" => pool(messages::SCRIPTS),
        "pausetime" => pool(pauses::TIMES),
        "pausescript" => pool(pauses::SCRIPTS),
        "field" => pool(pools::FIELDS),
        "value" => prop_oneof![30 => pool(pools::VALUES), 1 => long_value()].boxed(),
        "int" => pool(pools::INTEGERS),
        "small" => pool(pools::SMALL),
        "float" => pool(pools::FLOATS),
        "ttl_s" => pool(pools::TTL_S),
        "ttl_ms" => pool(pools::TTL_MS),
        "at_s" => prop_oneof![3 => times(pools::AT_OFFSETS_S, Arg::AtS), 1 => pool(pools::AT_FIXED)].boxed(),
        "at_ms" => prop_oneof![5 => times(pools::AT_OFFSETS_MS, Arg::AtMs), 1 => pool(pools::AT_FIXED)].boxed(),
        "db" => pool(pools::DATABASES),
        "pattern" => pool(pools::PATTERNS),
        "cursor" => pool(pools::CURSORS),
        "count" => pool(COUNTS),
        "typename" => pool(TYPES),
        "name" => pool(NAMES),
        "parameter" => pool(PARAMETERS),
        "memory" => pool(MEMORIES),
        "policy" => pool(POLICIES),
        "commandname" => pool(COMMAND_NAMES),
        "junk" => pool(JUNK),
        "manyfields" => many(510..515, |n| vec![Arg::of(format!("n{n}")), Arg::of(n.to_string())]),
        "source" => script().prop_map(|(source, ..)| vec![Arg::of(source)]).boxed(),
        "sha" => script().prop_map(|(source, ..)| vec![Arg::of(sha1(source))]).boxed(),
        "script" => call(|source| source.to_owned()),
        "scriptsha" => call(sha1),
        _ => {
            assert!(CONSTANTS.contains(&name) || !is_rule(name), "no rule {name:?}");
            fixed(name)
        }
    }
}

/// Lower-case words that stand for themselves: keys, fields, settings.
const CONSTANTS: &[&str] = &[
    "string",
    "integer",
    "double",
    "bignum",
    "null",
    "array",
    "set",
    "map",
    "verbatim",
    "true",
    "false",
    "+inf",
    "a",
    "b",
    "h",
    "f",
    "g",
    "l",
    "m",
    "s",
    "t",
    "w",
    "x",
    "y",
    "z",
    "u1",
    "u2",
    "u8",
    "i5",
    "m",
    "g1",
    "c1",
    "c2",
    "abc",
    "yes",
    "hash",
    "news",
    "zset",
    "maxmemory",
    "databases",
    "default",
];

/// Words in lower case are rules; settings have a hyphen, and keys that patterns lead to an underscore.
fn is_rule(word: &str) -> bool {
    !word.contains(['-', '_']) && word.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn fixed(word: &str) -> BoxedStrategy<Args> {
    Just(vec![Arg::of(word)]).boxed()
}

fn pool(words: &'static [(u32, &'static [u8])]) -> BoxedStrategy<Args> {
    weighted(words).prop_map(|word| vec![Arg::Bytes(Bytes::from_static(word))]).boxed()
}

fn times(offsets: &'static [(u32, i64)], make: fn(i64) -> Arg) -> BoxedStrategy<Args> {
    weighted(offsets).prop_map(move |offset| vec![make(offset)]).boxed()
}

/// A choice by weight that costs one node of a strategy, however long the list; shrinks towards the first.
fn weighted<T: Copy + std::fmt::Debug>(choices: &'static [(u32, T)]) -> impl Strategy<Value = T> {
    let total: u32 = choices.iter().map(|(weight, _)| weight).sum();
    (0..total).prop_map(move |mut at| {
        for (weight, value) in choices {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        choices[0].1
    })
}

fn long_value() -> BoxedStrategy<Args> {
    (60_usize..300).prop_map(|length| vec![Arg::Bytes(Bytes::from(vec![b'x'; length]))]).boxed()
}

/// Enough members to leave the small encoding, or just not.
fn many(counts: std::ops::Range<usize>, member: fn(usize) -> Args) -> BoxedStrategy<Args> {
    counts.prop_map(move |count| (0..count).flat_map(member).collect()).boxed()
}

fn script() -> impl Strategy<Value = (&'static str, usize, usize)> {
    prop::sample::select(SCRIPTS)
}

fn call(name: fn(&str) -> String) -> BoxedStrategy<Args> {
    let keys = prop::collection::vec(rule("key"), 2);
    let args = prop::collection::vec(prop_oneof![rule("value"), rule("field")], 2);
    (script(), keys, args)
        .prop_map(move |((source, key_count, arg_count), keys, args)| {
            let mut call = vec![Arg::of(name(source)), Arg::of(key_count.to_string())];
            call.extend(keys.concat().into_iter().take(key_count));
            call.extend(args.concat().into_iter().take(arg_count));
            call
        })
        .boxed()
}

/// The SHA1 of a script, as `EVALSHA` wants it.
pub(crate) fn sha1(source: &str) -> String {
    sha1_smol::Sha1::from(source).digest().to_string()
}

#[derive(Clone, Copy, Debug)]
enum Casing {
    Upper,
    Lower,
    Mixed,
}

fn casing() -> impl Strategy<Value = Casing> {
    prop_oneof![8 => Just(Casing::Upper), 1 => Just(Casing::Lower), 1 => Just(Casing::Mixed)]
}

fn recase(mut args: Args, casing: Casing) -> Args {
    if let Some(Arg::Bytes(name)) = args.first_mut() {
        let cased = name.iter().enumerate().map(|(at, byte)| match casing {
            Casing::Upper => *byte,
            Casing::Lower => byte.to_ascii_lowercase(),
            Casing::Mixed if at % 2 == 0 => byte.to_ascii_lowercase(),
            Casing::Mixed => *byte,
        });
        *name = cased.collect();
    }
    args
}

#[derive(Clone, Copy, Debug)]
enum Spoil {
    Nothing,
    DropLast,
    Append(&'static [u8]),
    LowerAll,
}

fn spoiled(command: BoxedStrategy<Args>) -> BoxedStrategy<Args> {
    let spoil = prop_oneof![
        60 => Just(Spoil::Nothing),
        2 => Just(Spoil::DropLast),
        2 => weighted(pools::VALUES).prop_map(Spoil::Append),
        3 => Just(Spoil::LowerAll),
    ];
    (command, spoil)
        .prop_map(|(mut args, spoil)| {
            match spoil {
                Spoil::Nothing => {}
                Spoil::DropLast if args.len() > 1 => drop(args.pop()),
                Spoil::DropLast => {}
                Spoil::Append(word) => args.push(Arg::of(word)),
                Spoil::LowerAll => lower_options(&mut args),
            }
            hold_writes_only(&mut args);
            args
        })
        .boxed()
}

/// A pause of all commands would hold whatever the tests look with.
fn hold_writes_only(args: &mut Args) {
    let is = |at: usize, name: &[u8]| matches!(args.get(at), Some(Arg::Bytes(word)) if word.eq_ignore_ascii_case(name));
    if args.len() == 3 && is(0, b"client") && is(1, b"pause") {
        args.push(Arg::of("WRITE"));
    }
}

/// Options and subcommands are words in capitals; keys and values of the pools are not.
fn lower_options(args: &mut Args) {
    for arg in args {
        if let Arg::Bytes(word) = arg
            && word.len() > 1
            && word.iter().all(u8::is_ascii_uppercase)
        {
            *word = word.to_ascii_lowercase().into();
        }
    }
}
