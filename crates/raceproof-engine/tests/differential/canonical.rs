//! What is not compared bytewise, and why.

use bytes::Bytes;

use crate::resp::{Value, parse};
use crate::support::driver::{Driver, NoScripts};
use crate::support::payloads;

/// How two replies are compared when their bytes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The same elements in any order.
    AnyOrder,
    /// The same words in every text, in any order.
    Words,
    /// The same refusals, but for when and of which connection.
    Refusals,
    /// The same elements in any order, at every level.
    AnyOrderThroughout,
    /// The same elements in any order, if one of the arguments is a key with a hash table; bytewise otherwise.
    AnyOrderIfTable,
    /// The same pairs in any order.
    AnyPairOrder,
    /// The same pairs in any order, if the hash of the first argument is a hash table; bytewise if it is a listpack.
    AnyPairOrderIfTable,
    /// The same shape, and nothing but fields or members of what is at the first argument; distinct ones if the count
    /// is positive.
    RandomFields,
    /// Null on both sides or on none, and then a key that exists.
    RandomKey,
    /// The same shape.
    Shape,
    /// The same but for the number that follows `id`.
    ButForId,
    /// A cursor and elements: whole scans are compared as sets (see `pages.rs`), single pages by shape.
    Scan,
    /// Replies of the same kind, if nothing but the name was asked; bytewise otherwise.
    WholeTable,
    /// Replies of the same kind.
    Kind,
    /// The same lines, but for the first and those that explain.
    Syntax,
    /// The same connections, but for what is about sockets and memory.
    Connections,
    /// Payloads of the same value, in a form whose bytes are not settled.
    Payload,
    /// The same text, line by line, but for numbers in it.
    TextWithoutNumbers,
}

/// A command whose replies are canonicalised before they are compared.
pub(crate) struct Entry {
    /// The command, and its subcommand if only that one is meant.
    pub(crate) name: &'static [&'static str],
    /// How replies are compared.
    pub(crate) rule: Rule,
    /// Why they cannot be compared bytewise.
    pub(crate) reason: &'static str,
}

const fn entry(name: &'static [&'static str], rule: Rule, reason: &'static str) -> Entry {
    Entry { name, rule, reason }
}

const TABLE_ORDER: &str = "the order of a hash table depends on a hash seed that the server draws when it starts";
const CHANCE: &str = "the server's random generator is seeded by the time";
const IDENTITY: &str = "addresses, descriptors and numbers of connections, ages, memory";

/// Every command that is not compared bytewise. Error replies are always compared bytewise.
pub(crate) const TABLE: &[Entry] = &[
    entry(
        &["DUMP"],
        Rule::Payload,
        "tables have no order, lists may be divided otherwise, and integers in sets were larger once: compared are the \
         values that payloads are restored to",
    ),
    entry(&["KEYS"], Rule::AnyOrder, TABLE_ORDER),
    entry(&["HGETALL"], Rule::AnyPairOrderIfTable, TABLE_ORDER),
    entry(&["HKEYS"], Rule::AnyOrderIfTable, TABLE_ORDER),
    entry(&["HVALS"], Rule::AnyOrderIfTable, TABLE_ORDER),
    entry(&["SMEMBERS"], Rule::AnyOrderIfTable, TABLE_ORDER),
    entry(&["SINTER"], Rule::AnyOrderIfTable, TABLE_ORDER),
    entry(&["SUNION"], Rule::AnyOrderIfTable, TABLE_ORDER),
    entry(&["SDIFF"], Rule::AnyOrderIfTable, TABLE_ORDER),
    entry(&["SPOP"], Rule::AnyOrder, "the engine is led to the server's choice, and several members are in no order"),
    entry(&["SRANDMEMBER"], Rule::RandomFields, CHANCE),
    entry(&["ZRANDMEMBER"], Rule::RandomFields, CHANCE),
    entry(&["SSCAN"], Rule::Scan, "cursors are positions in a hash table, whose order depends on the seed"),
    entry(&["ZSCAN"], Rule::Scan, "cursors are positions in a hash table, whose order depends on the seed"),
    entry(&["PUBSUB", "CHANNELS"], Rule::AnyOrder, TABLE_ORDER),
    entry(&["PUBSUB", "SHARDCHANNELS"], Rule::AnyOrder, TABLE_ORDER),
    entry(&["SCAN"], Rule::Scan, "cursors are positions in a hash table, whose order depends on the seed"),
    entry(&["HSCAN"], Rule::Scan, "cursors are positions in a hash table, whose order depends on the seed"),
    entry(&["HRANDFIELD"], Rule::RandomFields, CHANCE),
    entry(&["RANDOMKEY"], Rule::RandomKey, CHANCE),
    entry(
        &["MEMORY", "USAGE"],
        Rule::Kind,
        "room that strings and tables have grown, and levels of skip lists; tests/memory.rs compares fresh values",
    ),
    entry(&["TIME"], Rule::Shape, "the engine is told milliseconds, TIME shows microseconds"),
    entry(
        &["INFO"],
        Rule::TextWithoutNumbers,
        "process, memory, counters, uptime; INFO KEYSPACE by its own rule below",
    ),
    entry(&["CLIENT", "ID"], Rule::Kind, "numbers of connections count what else connected"),
    entry(&["CLIENT", "LIST"], Rule::Connections, IDENTITY),
    entry(&["CLIENT", "INFO"], Rule::Connections, IDENTITY),
    entry(&["HELLO"], Rule::ButForId, "its reply contains the number of the connection"),
    entry(&["ACL", "LIST"], Rule::Words, TABLE_ORDER),
    entry(&["ACL", "GETUSER"], Rule::Words, TABLE_ORDER),
    entry(&["ACL", "CAT"], Rule::AnyOrder, TABLE_ORDER),
    entry(&["ACL", "GENPASS"], Rule::Shape, CHANCE),
    entry(&["ACL", "LOG"], Rule::Refusals, IDENTITY),
    entry(&["COMMAND", "DOCS"], Rule::Kind, "summaries, complexities and arguments are text of Redis's authors"),
    entry(&["COMMAND", "COUNT"], Rule::Kind, "the engine has the commands of its scope only"),
    entry(
        &["COMMAND", "LIST"],
        Rule::Kind,
        "the engine has the commands of its scope only, and the order is a table's",
    ),
    entry(&["COMMAND"], Rule::WholeTable, "the engine has the commands of its scope only, and the order is a table's"),
    entry(&["OBJECT", "FREQ"], Rule::Kind, "the server's counter rises by chance and falls with time"),
    entry(
        &["FUNCTION", "DUMP"],
        Rule::Kind,
        "the libraries come in the order of a hash table; a test has a single one",
    ),
    entry(&["FUNCTION", "LIST"], Rule::AnyOrderThroughout, TABLE_ORDER),
    entry(&["MEMORY", "MALLOC-STATS"], Rule::Kind, "the allocator's own report"),
    entry(&["MEMORY", "STATS"], Rule::Kind, "the process's memory"),
    entry(&["LATENCY", "HISTOGRAM"], Rule::Kind, "the server has counted since it started, the engine does not"),
    entry(&["MEMORY", "DOCTOR"], Rule::Kind, "the process's memory"),
    entry(&["SLOWLOG", "GET"], Rule::Kind, "commands of the engine take no time"),
    entry(&["SLOWLOG", "LEN"], Rule::Kind, "commands of the engine take no time"),
    entry(&["CONFIG", "GET"], Rule::AnyPairOrder, TABLE_ORDER),
    entry(&["LASTSAVE"], Rule::Kind, "the engine counts from its first command, the server from its start"),
    entry(&["OBJECT", "IDLETIME"], Rule::Kind, "seconds on the server's own coarse clock"),
];

/// The most members that a set has in order.
const MOST_IN_ORDER: usize = 512;

/// The rule of a command, if it has one.
pub(crate) fn rule(args: &[Bytes]) -> Option<Rule> {
    // What is explained there is text of Redis's authors.
    if args.len() == 2 && args[1].eq_ignore_ascii_case(b"HELP") {
        return Some(Rule::Syntax);
    }
    let named = |entry: &&Entry| {
        entry.name.len() <= args.len()
            && entry.name.iter().zip(args).all(|(word, arg)| word.as_bytes().eq_ignore_ascii_case(arg))
    };
    TABLE.iter().find(named).map(|entry| entry.rule)
}

/// What a comparison may ask about the state in which a command was executed.
pub(crate) trait Facts {
    /// Whether a key holds a hash table: a hash, a set or a sorted set that is no longer small.
    fn is_table(&self, key: &Bytes) -> bool;
    /// The fields of a hash, the members of a set; `None` if they are not known, since commands of the same transaction may have changed them.
    fn fields(&self, key: &Bytes) -> Option<Vec<Vec<u8>>>;
    /// The keys of the session's database; `None` if they are not known.
    fn keys(&self) -> Option<Vec<Vec<u8>>>;
}

/// Whether two replies to one command are the same, up to its rule.
pub(crate) fn same(args: &[Bytes], ours: &[u8], real: &[u8], facts: &dyn Facts) -> bool {
    if ours == real {
        return true;
    }
    if rule(args).is_none() || ours.is_empty() {
        return false;
    }
    let (ours, _) = parse(ours).expect("the engine encodes whole replies");
    let (real, _) = parse(real).expect("the reply was framed when it was read");
    same_value(args, &ours, &real, facts)
}

/// Whether two values are the same up to the rule of the command; used for replies, and for what `EXEC` gives of each
/// queued command.
pub(crate) fn same_value(args: &[Bytes], ours: &Value, real: &Value, facts: &dyn Facts) -> bool {
    if ours == real {
        return true;
    }
    let Some(rule) = rule(args) else { return false };
    if ours.is_error() || real.is_error() || ours.kind() != real.kind() {
        return false;
    }
    // A key may have been a table only amid a transaction, which then shows by the size of the reply.
    let is_long = ours.elements().is_some_and(|elements| elements.len() > MOST_IN_ORDER);
    let table = || is_long || args[1..].iter().any(|key| facts.is_table(key));
    match rule {
        Rule::AnyOrder => sorted(ours) == sorted(real),
        Rule::Words => words_sorted(ours) == words_sorted(real),
        Rule::Refusals => refusals(ours) == refusals(real),
        Rule::AnyOrderThroughout => sorted_throughout(ours) == sorted_throughout(real),
        Rule::AnyOrderIfTable => table() && sorted(ours) == sorted(real),
        Rule::AnyPairOrder => sorted_pairs(ours) == sorted_pairs(real),
        Rule::AnyPairOrderIfTable => table() && sorted_pairs(ours) == sorted_pairs(real),
        Rule::RandomFields => {
            same_shape(ours, real) && random_fields(args, ours, facts) && random_fields(args, real, facts)
        }
        Rule::RandomKey => {
            let known = facts.keys();
            let exists = |value: &Value| match (value.bulk(), &known) {
                (Some(key), Some(keys)) => keys.iter().any(|known| known == key),
                _ => true,
            };
            same_shape(ours, real) && exists(ours) && exists(real)
        }
        Rule::Shape => same_shape(ours, real),
        Rule::ButForId => without_id(ours) == without_id(real),
        Rule::Scan => is_page(ours) && is_page(real) && (args[0].eq_ignore_ascii_case(b"SCAN") || table()),
        Rule::WholeTable => match args {
            [_] => true,
            [_, subcommand] => subcommand.eq_ignore_ascii_case(b"INFO"),
            _ => false,
        },
        Rule::Kind => true,
        Rule::Connections => same_connections(ours, real),
        Rule::Syntax => syntax(ours) == syntax(real),
        Rule::Payload => match (ours.bulk(), real.bulk()) {
            (Some(ours), Some(real)) => same_payload(ours, real),
            _ => false,
        },
        Rule::TextWithoutNumbers => same_info(args, ours, real),
    }
}

/// Whether a reply is a page of a scan: a cursor and elements.
pub(crate) fn is_page(value: &Value) -> bool {
    matches!(value.elements(), Some([cursor, page]) if cursor.bulk().is_some() && page.elements().is_some())
}

fn random_fields(args: &[Bytes], value: &Value, facts: &dyn Facts) -> bool {
    let Some(known) = args.get(1).and_then(|key| facts.fields(key)) else { return true };
    let mut chosen: Vec<&[u8]> = Vec::new();
    let with_values = args.len() > 3;
    match value.elements() {
        None => chosen.extend(value.bulk()),
        Some(elements) => {
            let flat: Vec<&Value> = elements
                .iter()
                .flat_map(|value| value.elements().map_or(vec![value], |pair| pair.iter().collect()))
                .collect();
            chosen.extend(flat.iter().step_by(if with_values { 2 } else { 1 }).filter_map(|field| field.bulk()));
        }
    }
    if !chosen.iter().all(|field| known.iter().any(|known| known == field)) {
        return false;
    }
    let count = chosen.len();
    let repeats_allowed = args.get(2).is_some_and(|count| count.starts_with(b"-"));
    chosen.sort_unstable();
    chosen.dedup();
    repeats_allowed || chosen.len() == count
}

/// Whether two payloads are of the same form, one that leaves something open, and hold the same.
fn same_payload(ours: &[u8], real: &[u8]) -> bool {
    /// Sets and hashes as tables, sets of integers, and lists.
    const OPEN: [u8; 4] = [2, 4, 11, 18];
    ours[0] == real[0] && OPEN.contains(&ours[0]) && settled(ours) == settled(real)
}

/// What the engine makes of a payload if it makes tables of everything.
fn settled(payload: &[u8]) -> Option<Bytes> {
    const TABLES: &str = "CONFIG SET hash-max-listpack-entries 0 set-max-intset-entries 0";
    let mut engine = Driver::new(raceproof_engine::Options::default());
    let mut run = |args: Vec<Bytes>| drop(engine.run(&mut NoScripts, 0, &args, 1_000_000));
    run(TABLES.split(' ').map(Bytes::from).collect());
    run(vec!["RESTORE".into(), "a".into(), "0".into(), Bytes::copy_from_slice(payload)]);
    payloads::dumped(&mut engine, b"a")
}

fn without_id(value: &Value) -> Vec<Value> {
    let mut elements = value.elements().unwrap_or_default().to_vec();
    if let Some(at) = elements.iter().position(|element| element.bulk() == Some(b"id"))
        && at + 1 < elements.len()
    {
        elements.remove(at + 1);
    }
    elements
}

/// The elements in an order of their own; a value that has none is its only element.
fn sorted(value: &Value) -> Vec<Value> {
    let mut elements = value.elements().unwrap_or(std::slice::from_ref(value)).to_vec();
    elements.sort();
    elements
}

fn words_sorted(value: &Value) -> Value {
    match value {
        Value::Aggregate(kind, Some(elements)) => {
            Value::Aggregate(*kind, Some(elements.iter().map(words_sorted).collect()))
        }
        Value::Bulk(kind, Some(text)) => {
            // A selector stands in parentheses.
            let apart = |byte: &u8| matches!(byte, b' ' | b'(' | b')');
            let mut words: Vec<&[u8]> = text.split(apart).collect();
            words.sort_unstable();
            Value::Bulk(*kind, Some(words.join(&b' ')))
        }
        other => other.clone(),
    }
}

/// The lines of a help text without what is explained, and without what the engine does not have.
fn syntax(value: &Value) -> Vec<Value> {
    let is_syntax = |line: &&Value| match line {
        Value::Line(_, text) => {
            !text.starts_with(b"  ") && !text.starts_with(b"PAUSE ") && text != b"UNPAUSE" && text != b"(no subcommand)"
        }
        _ => true,
    };
    value.elements().unwrap_or_default().iter().filter(is_syntax).cloned().collect()
}

/// Whether every connection that the engine shows is shown by the server, alike in what follows from its commands. The
/// server has others, shows that they come by a Unix socket, and whether a watched key was changed.
fn same_connections(ours: &Value, real: &Value) -> bool {
    /// Fields that are about the process.
    const LEFT_OUT: [&str; 19] = [
        "addr",
        "laddr",
        "fd",
        "age",
        "idle",
        "qbuf",
        "qbuf-free",
        "argv-mem",
        "multi-mem",
        "rbs",
        "rbp",
        "obl",
        "oll",
        "omem",
        "tot-mem",
        "events",
        "cmd",
        "flags",
        "multi",
    ];
    // The server queues nothing more once a watched key was changed.
    let shown = |text: &Value| -> Vec<(Vec<String>, String, bool)> {
        let text = String::from_utf8_lossy(text.bulk().unwrap_or_default()).into_owned();
        let line = |line: &str| {
            let flags = line.split("flags=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let (flags, dirty) = (flags.replace(['U', 'd', 'N'], ""), flags.contains('d'));
            let queued = line.split(" multi=").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let fields =
                line.split(' ').filter(|field| !LEFT_OUT.iter().any(|name| field.split('=').next() == Some(name)));
            (fields.map(str::to_owned).chain([flags]).collect(), queued.to_owned(), dirty)
        };
        text.trim_start_matches("txt:").lines().map(line).collect()
    };
    let real = shown(real);
    let is = |ours: &(Vec<String>, String, bool), real: &(Vec<String>, String, bool)| {
        ours.0 == real.0 && (ours.1 == real.1 || real.2)
    };
    shown(ours).iter().all(|ours| real.iter().any(|real| is(ours, real)))
}

/// What `ACL LOG` shows without ages and connections.
fn refusals(value: &Value) -> Vec<Vec<Value>> {
    let known = |pair: &&[Value]| !matches!(pair[0].bulk(), Some(b"age-seconds" | b"client-info"));
    let refusal =
        |refusal: &Value| refusal.elements().unwrap_or_default().chunks(2).filter(known).flatten().cloned().collect();
    value.elements().unwrap_or_default().iter().map(refusal).collect()
}

fn sorted_throughout(value: &Value) -> Value {
    match value {
        Value::Aggregate(kind, Some(elements)) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted_throughout).collect();
            elements.sort();
            Value::Aggregate(*kind, Some(elements))
        }
        other => other.clone(),
    }
}

fn sorted_pairs(value: &Value) -> Vec<Vec<Value>> {
    let mut pairs: Vec<Vec<Value>> = value.elements().unwrap_or_default().chunks(2).map(<[Value]>::to_vec).collect();
    pairs.sort();
    pairs
}

/// The same kinds and counts at every level.
fn same_shape(ours: &Value, real: &Value) -> bool {
    match (ours.elements(), real.elements()) {
        (Some(ours), Some(real)) => {
            ours.len() == real.len() && ours.iter().zip(real).all(|(ours, real)| same_shape(ours, real))
        }
        (None, None) => ours.kind() == real.kind() && ours.bulk().is_some() == real.bulk().is_some(),
        _ => false,
    }
}

/// `INFO KEYSPACE` must agree but for the average time to live; the other sections must have the same fields in the same
/// order.
fn same_info(args: &[Bytes], ours: &Value, real: &Value) -> bool {
    let (Some(ours), Some(real)) = (ours.bulk(), real.bulk()) else { return false };
    let (ours, real) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(real));
    if args.get(1).is_some_and(|section| section.eq_ignore_ascii_case(b"keyspace")) {
        let untimed = |text: &str| -> Vec<String> {
            text.lines().map(|line| line.split(",avg_ttl").next().unwrap_or(line).to_owned()).collect()
        };
        return untimed(&ours) == untimed(&real);
    }
    // The server that is compared with has an append-only file, and has counted since it started.
    let told_apart = ["aof_", "cmdstat_", "errorstat_", "latency_percentiles_", "db"];
    let names = |text: &str| -> Vec<String> {
        let names = text.lines().map(|line| line.split(':').next().unwrap_or(line).to_owned());
        names.filter(|name| !told_apart.iter().any(|prefix| name.starts_with(prefix))).collect()
    };
    names(&ours) == names(&real)
}
