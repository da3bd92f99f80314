//! What a test does to its server: time, snapshots, crashes, faults, history, universes.

mod support;

use raceproof_server::{Clock, Persistence};
use support::{START_MS, Wire, start, start_with};

/// The lines of what `RACEPROOF HISTORY` tells, without the numbers of elements.
fn texts(reply: &str) -> Vec<&str> {
    reply.split("\r\n").filter(|line| !line.starts_with(['*', '$'])).collect()
}

#[test]
fn a_key_lives_through_its_last_millisecond() {
    let server = start();
    let mut client = server.connect();
    assert_eq!(client.ask("RACEPROOF CLOCK NOW"), format!(":{START_MS}"));
    assert_eq!(client.ask("SET k v PX 1500"), "+OK");
    assert_eq!(client.ask("PTTL k"), ":1500");
    assert_eq!(client.ask("RACEPROOF CLOCK ADVANCE 1499"), format!(":{}", START_MS + 1499));
    assert_eq!(client.ask("PTTL k"), ":1");
    assert_eq!(client.ask("RACEPROOF CLOCK ADVANCE 1ms"), format!(":{}", START_MS + 1500));
    assert_eq!(client.ask("GET k"), "$1\r\nv");
    client.ask("RACEPROOF CLOCK ADVANCE 1");
    assert_eq!(client.ask("DBSIZE"), ":0", "it is gone without being asked for");
    assert_eq!(client.ask("RACEPROOF CLOCK ADVANCE 1h"), format!(":{}", START_MS + 1501 + 3_600_000));
    assert_eq!(client.ask("RACEPROOF CLOCK SET 1000"), ":1000");
    assert_eq!(client.ask("TIME"), "*2\r\n$1\r\n1\r\n$1\r\n0");
}

#[test]
fn time_that_passes_times_out_clients_that_wait_in_the_order_of_their_deadlines() {
    let server = start();
    let mut waiting: Vec<Wire> = (0..3).map(|_| server.connect()).collect();
    for (client, seconds) in waiting.iter_mut().zip([3, 1, 2]) {
        client.ask(&format!("CLIENT SETNAME c{seconds}"));
        client.send(format!("BLPOP none {seconds}\r\nPING\r\n").as_bytes());
    }
    let mut holder = server.connect();
    while holder.ask("INFO clients").split("blocked_clients:").nth(1).map(|rest| &rest[..1]) != Some("3") {}
    holder.ask("RACEPROOF HISTORY ON");
    holder.ask("RACEPROOF CLOCK ADVANCE 1000");
    holder.ask("SET marker 1");
    holder.ask("RACEPROOF CLOCK ADVANCE 5s");
    for client in &mut waiting {
        assert_eq!(client.told(), "*-1", "its time was over");
        assert_eq!(client.told(), "+PONG", "and what it sent meanwhile is executed");
    }
    let history = holder.ask("RACEPROOF HISTORY");
    let pings: Vec<&str> = texts(&history).into_iter().filter(|text| text.starts_with('c')).collect();
    assert_eq!(pings, ["c1", "c2", "c3"], "{history}");
}

#[test]
fn time_that_passes_notifies_in_the_order_of_deadlines() {
    let server = start();
    let (mut client, mut listener) = (server.connect(), server.connect());
    client.ask("CONFIG SET notify-keyspace-events Exe");
    listener.ask("PSUBSCRIBE __keyevent@0__:*");
    for (key, ms) in [("a", 300), ("b", 100), ("c", 200), ("d", 5000)] {
        client.ask(&format!("SET {key} v PX {ms}"));
    }
    client.ask("RACEPROOF CLOCK ADVANCE 1s");
    client.ask("RACEPROOF EVICT d");
    for (event, key) in [("expired", "b"), ("expired", "c"), ("expired", "a"), ("evicted", "d")] {
        let channel = format!("__keyevent@0__:{event}");
        let message = listener.told();
        assert_eq!(texts(&message), ["pmessage", "__keyevent@0__:*", &channel, key]);
    }
}

#[test]
fn a_day_of_many_deadlines_passes_at_once() {
    let server = start();
    let mut client = server.connect();
    let keys = 100_000_u64;
    let sets: String = (0..keys).map(|n| format!("SET k{n} v PX {}\r\n", 1 + n * 7919 % 86_400_000)).collect();
    client.send(b"CLIENT REPLY OFF\r\n");
    client.send(sets.as_bytes());
    client.send(b"CLIENT REPLY ON\r\n");
    assert_eq!(client.told(), "+OK");
    assert_eq!(client.ask("DBSIZE"), format!(":{keys}"));
    client.ask("RACEPROOF CLOCK ADVANCE 1d");
    assert_eq!(client.ask("DBSIZE"), ":0");
}

#[test]
fn a_clock_that_runs_expires_keys_and_ends_waits_by_itself() {
    let server = start_with(|settings| settings.clock = Clock::REAL);
    let (mut client, mut other) = (server.connect(), server.connect());
    other.send(b"BLPOP none 0.05\r\n");
    assert_eq!(client.ask("SET k v PX 30"), "+OK");
    while client.ask("DBSIZE") != ":0" {}
    assert_eq!(other.told(), "*-1");
    client.ask("SET k v PX 60000");
    client.ask("RACEPROOF CLOCK ADVANCE 2m");
    assert_eq!(client.ask("EXISTS k"), ":0");
    let frozen = client.ask("RACEPROOF CLOCK FREEZE");
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(client.ask("RACEPROOF CLOCK NOW"), frozen);
    client.ask("RACEPROOF CLOCK RESUME");
    while client.ask("RACEPROOF CLOCK NOW") == frozen {}
}

#[test]
fn rewinding_brings_back_data_and_time_to_clients_that_stay() {
    let server = start();
    let (mut client, mut watcher) = (server.connect(), server.connect());
    client.ask("SET k before EX 10");
    client.ask("RPUSH l a");
    assert_eq!(client.ask("RACEPROOF SNAPSHOT start"), "+OK");
    client.ask("SET k after");
    client.ask("DEL l");
    client.ask("RACEPROOF CLOCK ADVANCE 1d");
    watcher.ask("WATCH k");
    watcher.ask("MULTI");
    watcher.ask("GET k");
    let mut waits = server.connect();
    waits.send(b"BLPOP l 0\r\n");
    while client.ask("INFO clients").split("blocked_clients:").nth(1).map(|rest| &rest[..1]) != Some("1") {}
    assert_eq!(client.ask("RACEPROOF REWIND start"), "+OK");
    assert_eq!(client.ask("RACEPROOF CLOCK NOW"), format!(":{START_MS}"));
    assert_eq!(client.ask("GET k"), "$6\r\nbefore");
    assert_eq!(client.ask("PTTL k"), ":10000");
    assert_eq!(watcher.ask("EXEC"), "*-1", "what it watched has changed");
    assert_eq!(waits.told(), "*2\r\n$1\r\nl\r\n$1\r\na", "what it waited for is there");
    assert!(client.ask("RACEPROOF REWIND other").starts_with("-ERR RACEPROOF REWIND knows no snapshot 'other'"));
}

#[test]
fn a_crash_leaves_what_the_policy_keeps() {
    let server = start();
    let crash = |how: &str, policy: &str| {
        let mut client = server.connect();
        client.ask("FLUSHALL");
        assert_eq!(client.ask(&format!("RACEPROOF PERSISTENCE {policy}")), "+OK");
        client.ask("SET old 1");
        client.ask("EXPIRE old 100");
        client.ask("RACEPROOF CLOCK ADVANCE 2001");
        client.ask("SET new 1");
        client.ask("CONFIG SET hz 20");
        let mut other = server.connect();
        other.ask("PING");
        assert_eq!(client.ask(&format!("RACEPROOF CRASH {how}")), "+OK");
        assert!(client.has_ended() && other.has_ended(), "connections drop");
        let mut client = server.connect();
        assert_eq!(client.ask("CONFIG GET hz"), "*2\r\n$2\r\nhz\r\n$2\r\n10", "settings are read anew");
        if client.ask("EXISTS old") == ":1" {
            assert_eq!(client.ask("TTL old"), ":98", "its deadline is the same");
        }
        (client.ask("EXISTS old"), client.ask("EXISTS new"))
    };
    let (kept, lost) = (":1".to_owned(), ":0".to_owned());
    for how in ["", "PROCESS"] {
        for policy in ["always", "everysec", "no"] {
            assert_eq!(crash(how, policy), (kept.clone(), kept.clone()), "{how} {policy}");
        }
        assert_eq!(crash(how, "off"), (lost.clone(), lost.clone()), "{how}");
    }
    assert_eq!(crash("POWER", "always"), (kept.clone(), kept.clone()));
    assert_eq!(crash("POWER", "everysec"), (kept, lost.clone()));
    assert_eq!(crash("POWER", "no"), (lost.clone(), lost.clone()));
    assert_eq!(crash("POWER", "off"), (lost.clone(), lost));
}

#[test]
fn what_survives_by_choice_is_a_beginning_and_the_same_for_the_same_seed() {
    let survivors = |seed: u64| {
        let server = start_with(|settings| settings.persistence = Persistence::Everysec);
        let mut client = server.connect();
        client.ask(&format!("RACEPROOF SEED {seed}"));
        for number in 0..10 {
            client.ask(&format!("RPUSH l {number}"));
        }
        client.ask("RACEPROOF CRASH POWER ANY");
        server.connect().ask("LRANGE l 0 -1")
    };
    let all: Vec<String> = (0..20).map(survivors).collect();
    let whole = "*10\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n$1\r\n9";
    for kept in &all {
        let elements = kept.split_once("\r\n").map_or("", |(_, elements)| elements);
        assert!(whole.split_once("\r\n").is_some_and(|(_, all)| all.starts_with(elements)), "{kept:?}");
    }
    let different: std::collections::BTreeSet<&String> = all.iter().collect();
    assert!(different.len() > 4, "{different:?}");
    assert_eq!(survivors(3), all[3]);
}

#[test]
fn a_transaction_survives_a_power_loss_as_a_whole_or_not_at_all() {
    for seed in 0..20 {
        let server = start_with(|settings| settings.persistence = Persistence::No);
        let mut client = server.connect();
        client.ask(&format!("RACEPROOF SEED {seed}"));
        for command in
            ["SET a 1", "MULTI", "INCR x", "INCR y", "EXEC", "EVAL \"redis.call('incr','u') redis.call('incr','v')\" 0"]
        {
            client.ask(command);
        }
        client.ask("RACEPROOF CRASH POWER ANY");
        let mut client = server.connect();
        for (one, other) in [("x", "y"), ("u", "v")] {
            assert_eq!(client.ask(&format!("EXISTS {one}")), client.ask(&format!("EXISTS {other}")), "seed {seed}");
        }
    }
}

#[test]
fn a_lost_reply_is_a_command_that_was_executed() {
    let server = start();
    let mut client = server.connect();
    assert_eq!(client.ask("RACEPROOF FAULT ADD drop-reply ON incr NTH 2"), ":1");
    assert_eq!(client.ask("INCR n"), ":1");
    client.send(b"INCR n\r\nINCR n\r\n");
    assert!(client.has_ended());
    let mut client = server.connect();
    assert_eq!(client.ask("GET n"), "$1\r\n2", "it was executed, and what came after it was not");
    assert_eq!(client.ask("INCR n"), ":3", "it struck once");
    let list = client.ask("RACEPROOF FAULT LIST");
    assert_eq!(
        texts(&list),
        ["number", ":1", "fault", "drop-reply", "on", "incr", "matched", ":3", "struck", ":1", "nth", ":2"]
    );
    assert_eq!(client.ask("RACEPROOF FAULT CLEAR 7"), ":0");
    assert_eq!(client.ask("RACEPROOF FAULT CLEAR"), ":1");
    assert_eq!(client.ask("RACEPROOF FAULT LIST"), "*0");
}

#[test]
fn errors_and_disconnections_strike_before_a_command_is_executed() {
    let server = start();
    let (mut holder, mut client) = (server.connect(), server.connect());
    client.ask("CLIENT SETNAME app");
    holder.ask("RACEPROOF FAULT ADD error ON h* CLIENT app");
    holder.ask("RACEPROOF FAULT ADD error \"LOADING Redis is loading\" ON \"get user:*\"");
    holder.ask("RACEPROOF FAULT ADD disconnect ON \"set lock:? *\" NTH 1");
    assert_eq!(holder.ask("HSET h a 1"), ":1", "another client");
    assert_eq!(client.ask("HSET h a 2"), "-ERR injected by RACEPROOF FAULT");
    assert_eq!(client.ask("GET user:1"), "-LOADING Redis is loading");
    assert_eq!(client.ask("GET other"), "$-1");
    client.send(b"PING\r\nSET lock:1 x\r\n");
    assert_eq!(client.told(), "+PONG");
    assert!(client.has_ended());
    assert_eq!(holder.ask("EXISTS lock:1"), ":0");
    assert_eq!(holder.ask("HGET h a"), "$1\r\n1");
}

#[test]
fn a_delayed_reply_comes_when_its_time_has_come() {
    let server = start();
    let (mut holder, mut client) = (server.connect(), server.connect());
    holder.ask("RACEPROOF FAULT ADD delay 500 ON set");
    client.send(b"SET k v\r\nGET k\r\n");
    while holder.ask("EXISTS k") == ":0" {}
    client.send(b"PING\r\n");
    holder.ask("RACEPROOF CLOCK ADVANCE 499");
    holder.ask("RACEPROOF FAULT CLEAR");
    holder.ask("SET k other");
    assert_eq!(holder.ask("RACEPROOF HISTORY CLIENT id=2").matches("GET").count(), 0, "what follows waits too");
    holder.ask("RACEPROOF CLOCK ADVANCE 1");
    assert_eq!(client.told(), "+OK");
    assert_eq!(client.told(), "$5\r\nother");
    assert_eq!(client.told(), "+PONG");
}

#[test]
fn the_history_tells_what_each_client_sent_and_got() {
    let server = start();
    let (mut one, mut other) = (server.connect(), server.connect());
    one.ask("SET unseen 1");
    one.ask("RACEPROOF CLOCK NOW");
    one.ask("CLIENT SETNAME one");
    one.ask("RACEPROOF CLOCK ADVANCE 5");
    other.ask("SET \"a b\" \"\\x00\"");
    one.ask("LRANGE none 0 -1");
    one.ask("AUTH default secret");
    let history = one.ask("RACEPROOF HISTORY");
    let at = format!(":{}", START_MS + 5);
    let first = format!(":{START_MS}");
    assert_eq!(
        texts(&history),
        [
            &first,
            "id=1",
            "CLIENT SETNAME one",
            "OK",
            &at,
            "id=2",
            "SET \"a b\" \"\\x00\"",
            "OK",
            &at,
            "one",
            "LRANGE none 0 -1",
            "[]",
            &at,
            "one",
            "AUTH (redacted) (redacted)",
            "OK"
        ]
    );
    assert_eq!(texts(&one.ask("RACEPROOF HISTORY CLIENT one")).len(), 8);
    one.ask("RACEPROOF HISTORY OFF");
    one.ask("RACEPROOF HISTORY CLEAR");
    one.ask("PING");
    assert_eq!(one.ask("RACEPROOF HISTORY"), "*0");
}

#[test]
fn universes_share_nothing() {
    let server = start();
    let (mut a, mut b, mut plain) = (server.connect(), server.connect(), server.connect());
    assert_eq!(a.ask("AUTH test-a x"), "+OK");
    assert!(b.ask("HELLO 3 AUTH test-b x SETNAME bee").starts_with('%'));
    a.ask("SET k a");
    b.ask("SET k b");
    assert_eq!(plain.ask("GET k"), "$-1");
    a.ask("RACEPROOF CLOCK ADVANCE 1d");
    a.ask("RACEPROOF FAULT ADD error ON get");
    assert_eq!(b.ask("GET k"), "$1\r\nb");
    assert_eq!(b.ask("CLIENT GETNAME"), "$3\r\nbee");
    assert_eq!(b.ask("RACEPROOF CLOCK NOW"), format!(":{START_MS}"));
    assert_eq!(a.ask("GET k"), "-ERR injected by RACEPROOF FAULT");
    assert!(!b.ask("RACEPROOF HISTORY").contains("SET k a"));
    b.ask("RACEPROOF CRASH");
    assert_eq!(a.ask("STRLEN k"), ":1", "another universe goes on");
    assert_eq!(plain.ask("PING"), "+PONG");
    let mut again = server.connect();
    again.ask("AUTH test-a whatever");
    assert_eq!(again.ask("STRLEN k"), ":1", "a universe is there for all who know its name");
}

#[test]
fn with_a_password_users_are_users() {
    let server = start_with(|settings| settings.config.push(("requirepass".into(), "secret".into())));
    let mut client = server.connect();
    assert!(client.ask("AUTH test-a x").starts_with("-WRONGPASS"));
}

#[test]
fn clients_grow_older_by_the_clock_of_their_universe() {
    let server = start();
    let (mut one, mut other) = (server.connect(), server.connect());
    one.ask("PING");
    other.ask("RACEPROOF CLOCK ADVANCE 5s");
    assert!(other.ask("CLIENT INFO").contains(" age=5 idle=0 "));
    assert!(other.ask("CLIENT LIST").contains(" age=5 idle=5 "));
}

#[test]
fn a_client_that_has_begun_and_a_user_that_exists_are_refused_as_in_redis() {
    let server = start();
    let mut client = server.connect();
    client.ask("AUTH test-a x");
    client.ask("ACL SETUSER alice on >pw +@all ~*");
    assert!(client.ask("AUTH alice wrong").starts_with("-WRONGPASS"));
    assert!(client.ask("AUTH nobody x").starts_with("-WRONGPASS"));
    assert!(client.ask("HELLO 3 AUTH nobody x").starts_with("-WRONGPASS"));
    assert_eq!(client.ask("AUTH test-a x"), "+OK", "whoever authenticates anew stays where it is");
    assert_eq!(client.ask("AUTH alice pw"), "+OK");
    assert_eq!(client.ask("ACL WHOAMI"), "$5\r\nalice");
    // A client that connects is asked for the user of the universe that it is in.
    let mut other = server.connect();
    assert_eq!(other.ask("AUTH test-a x"), "+OK");
    assert_eq!(other.ask("AUTH alice pw"), "+OK");
    assert_eq!(other.ask("ACL WHOAMI"), "$5\r\nalice");
}

#[test]
fn evicted_keys_are_gone_and_the_random_choices_are_those_of_the_seed() {
    let server = start();
    let mut client = server.connect();
    client.ask("MSET a 1 b 2 c 3");
    assert_eq!(client.ask("RACEPROOF EVICT a none b"), ":2");
    assert_eq!(client.ask("DBSIZE"), ":1");
    client.ask("SADD s 0 1 2 3 4 5 6 7 8 9 a b c d e f");
    let choices = |client: &mut Wire| {
        client.ask("RACEPROOF SEED 7");
        (0..20).map(|_| client.ask("SRANDMEMBER s")).collect::<Vec<_>>()
    };
    let first = choices(&mut client);
    assert_eq!(choices(&mut client), first);
}

#[test]
fn bad_control_commands_say_what_would_be_good() {
    let server = start();
    let mut client = server.connect();
    for (command, part) in [
        ("RACEPROOF NOSUCH", "has no subcommand 'NOSUCH'. Try RACEPROOF HELP."),
        ("RACEPROOF CLOCK", "CLOCK takes NOW"),
        ("RACEPROOF CLOCK ADVANCE -5", "CLOCK ADVANCE takes milliseconds"),
        ("RACEPROOF CLOCK ADVANCE 9223372036854775807d", "CLOCK ADVANCE takes milliseconds"),
        ("RACEPROOF CLOCK SET 9223372036854775807", "CLOCK goes up to 253402300799999"),
        ("RACEPROOF CLOCK SET x", "CLOCK SET takes a Unix time"),
        ("RACEPROOF SNAPSHOT", "SNAPSHOT takes a name"),
        ("RACEPROOF CRASH GENTLY", "CRASH takes PROCESS or POWER"),
        ("RACEPROOF PERSISTENCE sometimes", "PERSISTENCE is always, everysec, no or off, not 'sometimes'"),
        ("RACEPROOF FAULT ADD melt ON get", "FAULT knows drop-reply, error, delay and disconnect, not 'melt'"),
        ("RACEPROOF FAULT ADD delay soon ON get", "delay takes a time"),
        ("RACEPROOF FAULT ADD error ON get NTH 0", "NTH takes a number from 1 on"),
        ("RACEPROOF FAULT ADD error ON get NTH", "FAULT takes ADD"),
        ("RACEPROOF FAULT ADD error", "FAULT takes ADD"),
        ("RACEPROOF HISTORY LATER", "HISTORY takes"),
        ("RACEPROOF SEED x", "SEED takes a number"),
        ("RACEPROOF EVICT", "EVICT takes keys"),
    ] {
        let reply = client.ask(command);
        assert!(reply.starts_with("-ERR RACEPROOF ") && reply.contains(part), "{command}: {reply}");
    }
    let help = client.ask("RACEPROOF HELP");
    for name in ["CLOCK", "SNAPSHOT", "REWIND", "CRASH", "PERSISTENCE", "FAULT", "EVICT", "HISTORY", "SEED"] {
        assert!(help.contains(&format!("+{name} ")), "{name} in {help}");
    }
}

#[test]
fn the_same_seed_and_inputs_give_the_same_bytes() {
    // The port that a client comes from is the system's choice, and CLIENT LIST shows it.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("socket");
    let run = || {
        let server = start_with(|settings| {
            settings.seed = 42;
            settings.unix = Some(socket.clone());
        });
        let mut client = Wire::unix(&socket);
        let mut bytes = Vec::new();
        for command in [
            "HELLO 3",
            "SADD s a b c d e f g h i j k l m n o p q r s t",
            "SPOP s 3",
            "SRANDMEMBER s -10",
            "RANDOMKEY",
            "EVAL \"return {math.random(), redis.call('TIME')}\" 0",
            "XADD x * a 1",
            "INFO server",
            "CLIENT LIST",
            "RACEPROOF CLOCK ADVANCE 90s",
            "XADD x * a 1",
            "XRANGE x - +",
            "SSCAN s 0",
            "RACEPROOF HISTORY",
        ] {
            client.send(format!("{command}\r\n").as_bytes());
            bytes.extend(client.reply());
        }
        // The system gives each run another port, of five digits.
        String::from_utf8_lossy(&bytes).replace(&server.address.port().to_string(), "PORT")
    };
    assert_eq!(run(), run());
}
