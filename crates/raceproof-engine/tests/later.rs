//! Commands that came after Redis 7.0, with the replies of the versions that have them.
//!
//! The replies of 7.4 and 8.0 were given by a redis-server 8.0.2. `RACEPROOF_REDIS_8=/path/to/redis-server cargo test -p
//! raceproof-engine --test later` asks one again. Those of 8.4 are from its documentation and Redis's own tests.

mod common;
#[path = "later/options.rs"]
mod options;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{START_MS, Server};
use options::OTHERS;
use raceproof_engine::{Options, Version};

fn server(version: Version) -> Server {
    Server::with(Options { version, sorted_replies: true, ..Options::default() })
}

/// Commands and replies of 8.0, in one go. Times are such that a slow machine sees no other replies.
const FIELDS: &[(&str, &str)] = &[
    ("SET s 1", "+OK"),
    // HSETEX
    ("HSETEX h EX 10 FIELDS 1 a", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h EX 1000 FIELDS 1 a 1", ":1"),
    ("HEXPIRETIME h FIELDS 1 none", "*1|:-2"),
    ("HTTL h FIELDS 1 a", "*1|:1000"),
    ("HSETEX h FIELDS 1 a 2", ":1"),
    ("HTTL h FIELDS 1 a", "*1|:-1"),
    ("HSETEX h EX 1000 FIELDS 2 a 1 b 2", ":1"),
    ("HSETEX h KEEPTTL FIELDS 2 a 5 c 6", ":1"),
    ("HTTL h FIELDS 3 a b c", "*3|:1000|:1000|:-1"),
    ("HSETEX h FNX FIELDS 1 a 7", ":0"),
    ("HSETEX h FNX FIELDS 2 z 7 a 8", ":0"),
    ("HSETEX h FXX FIELDS 2 z 7 a 8", ":0"),
    ("HSETEX h FXX PX 5000000 FIELDS 2 a 7 b 8", ":1"),
    ("HSETEX h fxx fnx FIELDS 1 a 1", "-ERR Only one of FXX or FNX arguments can be specified"),
    ("HSETEX h fnx fnx FIELDS 1 a 1", "-ERR Only one of FXX or FNX arguments can be specified"),
    ("HSETEX h EX 10 PX 10 FIELDS 1 a 1", ONE_EXPIRY),
    ("HSETEX h EX 10 KEEPTTL FIELDS 1 a 1", ONE_EXPIRY),
    ("HSETEX h KEEPTTL KEEPTTL FIELDS 1 a 1", ONE_EXPIRY),
    ("HSETEX h FXX EX 10 EX", ONE_EXPIRY),
    ("HSETEX h EX -1 FIELDS 1 a 1", "-ERR invalid expire time, must be >= 0"),
    ("HSETEX h EX x FIELDS 1 a 1", "-ERR value is not an integer or out of range"),
    ("HSETEX h EX FIELDS 1 a 1", "-ERR value is not an integer or out of range"),
    ("HSETEX s EX x FIELDS 1 a 1", "-ERR value is not an integer or out of range"),
    ("HSETEX h EX x FIELDS 0 a 1", "-ERR value is not an integer or out of range"),
    ("HSETEX h EX 9223372036854775807 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"),
    ("HSETEX h PX 9223372036854775807 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"),
    ("HSETEX h PXAT 70368744177664 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"),
    ("HSETEX h PXAT 70368744177663 FIELDS 1 a 1", ":1"),
    ("HSETEX h PX 0 FIELDS 1 a 1", ":1"),
    ("HSETEX h EXAT 1 FIELDS 2 b 1 zz 2", ":1"),
    ("HGETALL h", "*2|$1|c|$1|6"),
    ("HSETEX h2 PXAT 1 FIELDS 1 q 1", ":1"),
    ("EXISTS h2", ":0"),
    ("HSETEX h FIELDS 0 a 1 b", "-ERR invalid number of fields"),
    ("HSETEX h FIELDS -1 a 1 b", "-ERR invalid number of fields"),
    ("HSETEX h FIELDS x a 1 b", "-ERR invalid number of fields"),
    ("HSETEX s FIELDS 0 a 1", "-ERR invalid number of fields"),
    ("HSETEX h FXX FIELDS 2147483648 1 2", "-ERR invalid number of fields"),
    ("HSETEX h FXX FIELDS 2147483647 1 2", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS 2 a 1", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS 1 a 1 b 2", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FIELDS 1 a 1 EX 10", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h KEEPTTL FNX FIELDS 1", "-ERR wrong number of arguments for 'hsetex' command"),
    ("HSETEX h FOO FIELDS 1 a 1", "-ERR unknown argument: FOO"),
    ("HSETEX h PERSIST FIELDS 1 a 1", "-ERR unknown argument: PERSIST"),
    ("HSETEX none FXX FIELDS 1 a 2", ":0"),
    ("EXISTS none", ":0"),
    ("HSETEX s EX 10 FIELDS 1 a 1", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("HSETEX h FNX FIELDS 2 y 1 y 2", ":1"),
    ("HGET h y", "$1|2"),
    ("DEL h", ":1"),
    // HGETEX
    ("HSET h a 1 b 2 c 3", ":3"),
    ("HGETEX h FIELDS 1", "-ERR wrong number of arguments for 'hgetex' command"),
    ("HGETEX h FIELDS 1 a", "*1|$1|1"),
    ("HGETEX h EX 1000 FIELDS 2 a none", "*2|$1|1|$-1"),
    ("HTTL h FIELDS 2 a none", "*2|:1000|:-2"),
    ("HGETEX h PERSIST FIELDS 2 a b", "*2|$1|1|$1|2"),
    ("HTTL h FIELDS 1 a", "*1|:-1"),
    ("HGETEX h PX 0 FIELDS 1 a", "*1|$1|1"),
    ("HGETEX h EXAT 0 FIELDS 1 b", "*1|$1|2"),
    ("HGETEX h EX 0 FIELDS 1 b", "*1|$-1"),
    ("HGETEX h EX -1 FIELDS 0 b", "-ERR invalid expire time, must be >= 0"),
    ("HGETEX none EX x FIELDS 1 b", "-ERR value is not an integer or out of range"),
    ("HGETEX h PXAT 70368744177664 FIELDS 1 b", "-ERR invalid expire time in 'hgetex' command"),
    ("HGETEX h KEEPTTL FIELDS 1 b", NO_FIELDS),
    ("HGETEX h EX 10 PERSIST FIELDS 1 b", NO_FIELDS),
    ("HGETEX h EX 10 10 10", NO_FIELDS),
    ("HGETEX none FOO FIELDS 0 a", NO_FIELDS),
    ("HGETEX h FIELDS 0 b", "-ERR Number of fields must be a positive integer"),
    ("HGETEX h FIELDS x b", "-ERR Number of fields must be a positive integer"),
    ("HGETEX h FIELDS 2 b", "-ERR The `numfields` parameter must match the number of arguments"),
    ("HGETEX h FIELDS 1 b EX 10", "-ERR The `numfields` parameter must match the number of arguments"),
    ("HGETEX h EX 10 FIELDS 1", "-ERR The `numfields` parameter must match the number of arguments"),
    ("HGETEX none EX 10 FIELDS 2147483648 a", "-ERR The `numfields` parameter must match the number of arguments"),
    ("HGETEX none EX 10 FIELDS 2 a b", "*2|$-1|$-1"),
    ("HGETEX s FIELDS 0 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("HGETEX h PXAT 1 FIELDS 3 c c b", "*3|$1|3|$-1|$-1"),
    ("EXISTS h", ":0"),
    // HGETDEL
    ("HSET h a 1 b 2 c 3", ":3"),
    ("HGETDEL h FIELDS 1", "-ERR wrong number of arguments for 'hgetdel' command"),
    ("HGETDEL h FIELDS 1 a", "*1|$1|1"),
    ("HGETDEL h FIELDS 2 a b", "*2|$-1|$1|2"),
    ("HGETDEL h FIELDS 2 c c", "*2|$1|3|$-1"),
    ("EXISTS h", ":0"),
    ("HGETDEL h FIELDS 2 c c", "*2|$-1|$-1"),
    ("HGETDEL s FIELDS 0 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
    ("HGETDEL none FIELDS 0 a", "-ERR Number of fields must be a positive integer"),
    ("HGETDEL none FOO 1 a", NO_FIELDS),
    ("HGETDEL none FIELDS 99999999999 a", "-ERR The `numfields` parameter must match the number of arguments"),
    ("HGETDEL none EX 1 FIELDS 1 a", NO_FIELDS),
    // The family of 7.4
    ("HSET h a 1 b 2", ":2"),
    ("HEXPIRE h 1000 FIELDS 2 a z", "*2|:1|:-2"),
    ("HEXPIRE h 1000 NX FIELDS 2 a b", "*2|:0|:1"),
    ("HEXPIRE h 500 GT FIELDS 1 a", "*1|:0"),
    ("HEXPIRE h 500 LT FIELDS 1 a", "*1|:1"),
    ("HEXPIRE h 2000 XX FIELDS 1 a", "*1|:1"),
    ("HPERSIST h FIELDS 3 a z a", "*3|:1|:-2|:-1"),
    ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0"),
    ("HEXPIRE h 0 FIELDS 1 a", "*1|:2"),
    ("HEXPIRE h 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0"),
    ("HEXPIRE h 1 FIELDS 2 a", "-ERR The `numfields` parameter must match the number of arguments"),
    ("HEXPIRE h 1 FOO 1 a", NO_FIELDS),
    ("HEXPIRE none 10 FIELDS 2 a b", "*2|:-2|:-2"),
    ("HTTL none FIELDS 1 a", "*1|:-2"),
    ("HEXPIRE s 10 FIELDS 1 a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
];

const ONE_EXPIRY: &str = "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
const NO_FIELDS: &str = "-ERR Mandatory argument FIELDS is missing or not at the right position";

#[test]
fn fields_with_values_and_deadlines() {
    server(Version::V8_0).expect(FIELDS);
}

#[test]
fn a_redis_server_of_version_8_says_the_same() {
    let Some(program) = std::env::var_os("RACEPROOF_REDIS_8") else {
        println!("RACEPROOF_REDIS_8 names no redis-server 8.0: what one said is in the table");
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("redis.sock");
    let mut child = Command::new(program)
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(&socket)
        .arg("--dir")
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("the server starts");
    let begin = Instant::now();
    let mut stream = loop {
        match UnixStream::connect(&socket) {
            Ok(stream) => break stream,
            Err(cause) => assert!(begin.elapsed() < Duration::from_secs(30), "{cause}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut said = Vec::new();
    for table in [FIELDS, &[("FLUSHALL", "+OK")], OTHERS] {
        for (line, _) in table {
            stream.write_all(format!("{line}\r\n").as_bytes()).expect("the server reads");
            said.push(reply(&mut stream));
        }
    }
    child.kill().and_then(|()| child.wait()).expect("the server ends");
    let known = FIELDS.iter().chain([&("FLUSHALL", "+OK")]).chain(OTHERS);
    for ((line, known), said) in known.zip(said) {
        assert_eq!(said, *known, "{line}");
    }
}

/// A whole reply, with `|` for the line ends.
fn reply(stream: &mut UnixStream) -> String {
    let first = line(stream);
    let count: i64 = first[1..].parse().unwrap_or(0);
    match first.as_bytes()[0] {
        b'$' if count >= 0 => format!("{first}|{}", line(stream)),
        b'*' => {
            let parts = (0..count).map(|_| reply(stream));
            std::iter::once(first).chain(parts).collect::<Vec<_>>().join("|")
        }
        _ => first,
    }
}

fn line(stream: &mut UnixStream) -> String {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut byte).expect("the server replies");
        line.push(byte[0]);
    }
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

#[test]
fn what_is_propagated() {
    let mut server = server(Version::V8_0);
    let in_ten_seconds = START_MS + 10_000;
    for (line, effects) in [
        ("HSETEX h EX 10 FIELDS 1 a 1", vec![format!("0 HSETEX h PXAT {in_ten_seconds} FIELDS 1 a 1")]),
        ("HSETEX h FIELDS 1 a 2", vec!["0 HSETEX h FIELDS 1 a 2".into()]),
        ("HSETEX h FXX PX 10000 FIELDS 1 a 7", vec![format!("0 HSETEX h FXX PXAT {in_ten_seconds} FIELDS 1 a 7")]),
        ("HSETEX h KEEPTTL FIELDS 1 b 1", vec!["0 HSETEX h KEEPTTL FIELDS 1 b 1".into()]),
        ("HSETEX h FNX FIELDS 1 b 1", vec![]),
        (
            "HSETEX h EXAT 1 FIELDS 2 b 1 zz 2",
            vec!["0 MULTI".into(), "0 HDEL h b".into(), "0 HDEL h zz".into(), "0 EXEC".into()],
        ),
        ("HSET h b 1", vec!["0 HSET h b 1".into()]),
        ("HGETEX h EX 10 FIELDS 2 a z", vec![format!("0 HPEXPIREAT h {in_ten_seconds} FIELDS 2 a z")]),
        ("HGETEX h PERSIST FIELDS 2 a b", vec!["0 HPERSIST h FIELDS 2 a b".into()]),
        ("HGETEX h PERSIST FIELDS 1 b", vec![]),
        ("HGETEX h EX 10 FIELDS 1 z", vec![]),
        ("HGETEX h PXAT 1 FIELDS 1 a", vec!["0 HDEL h a".into()]),
        ("HGETDEL h FIELDS 2 z b", vec!["0 HDEL h z b".into()]),
        ("HGETDEL h FIELDS 1 b", vec![]),
    ] {
        assert_eq!(server.effects(line), effects, "{line}");
    }
}

#[test]
fn each_version_has_the_commands_that_it_has() {
    let unknown = |version, line: &str| server(version).say(line).starts_with("-ERR unknown command");
    for (line, since) in [
        ("HEXPIRE h 1 FIELDS 1 a", Version::V7_4),
        ("HGETEX h FIELDS 1 a", Version::V8_0),
        ("HSETEX h FIELDS 1 a 1", Version::V8_0),
        ("HGETDEL h FIELDS 1 a", Version::V8_0),
        ("DELEX k", Version::V8_4),
        ("DIGEST k", Version::V8_4),
        ("MSETEX 1 k v", Version::V8_4),
    ] {
        for version in [Version::V7_0, Version::V7_2, Version::V7_4, Version::V8_0, Version::V8_4] {
            assert_eq!(unknown(version, line), version < since, "{line} in {version:?}");
        }
    }
    assert_eq!(server(Version::V8_0).say("SET k v IFEQ x"), "-ERR syntax error");
}

#[test]
fn client_libraries_say_what_they_are() {
    let mut before = server(Version::V7_0);
    for line in ["CLIENT SETINFO LIB-NAME x", "CLIENT NO-TOUCH ON", "COMMAND INFO client|setinfo"] {
        let reply = before.say(line);
        assert!(
            reply.starts_with("-ERR unknown subcommand") || reply == "*1|*-1" || reply == "*1|$-1",
            "{line}: {reply}"
        );
    }
    assert!(!before.say("CLIENT INFO").contains("lib-name") && !before.say("COMMAND LIST").contains("setinfo"));
    let mut server = server(Version::V7_2);
    server.expect(&[
        ("CLIENT SETINFO LIB-NAME redis-py", "+OK"),
        ("CLIENT SETINFO lib-ver 8.1.0", "+OK"),
        ("CLIENT SETINFO lib-what x", "-ERR Unrecognized option 'lib-what'"),
        ("CLIENT SETINFO lib-ver \"8 1\"", "-ERR lib-ver cannot contain spaces, newlines or special characters."),
        ("CLIENT SETINFO lib-ver", "-ERR wrong number of arguments for 'client|setinfo' command"),
        ("CLIENT SETNAME me", "+OK"),
    ]);
    assert!(server.say("CLIENT INFO").trim_end().ends_with(" resp=2 lib-name=redis-py lib-ver=8.1.0"));
    // A connection that is reset is still that library's.
    server.expect(&[("RESET", "+RESET"), ("CLIENT SETINFO lib-name \"\"", "+OK")]);
    assert!(server.say("CLIENT LIST").trim_end().ends_with(" resp=2 lib-name= lib-ver=8.1.0"));
    assert!(server.say("COMMAND LIST").contains("client|setinfo"));
    let mut later = self::server(Version::V8_0);
    later.run("WATCH a b");
    let told = later.say("CLIENT INFO");
    assert!(
        told.contains(" multi=-1 watch=2 qbuf=") && told.trim_end().ends_with(" lib-name= lib-ver= io-thread=0"),
        "{told}"
    );
}

#[test]
fn a_client_that_says_so_leaves_no_trace_in_how_keys_were_used() {
    let options = Options { version: Version::V7_2, access_times: true, ..Options::default() };
    let mut server = Server::with(options);
    server.run("SET k v");
    server.now_ms += 10_000;
    server.expect(&[("CLIENT NO-TOUCH ON", "+OK"), ("GET k", "$1|v"), ("OBJECT IDLETIME k", ":10")]);
    assert!(server.say("CLIENT INFO").contains(" flags=T "));
    server.expect(&[("TOUCH k", ":1"), ("OBJECT IDLETIME k", ":0")]);
    server.now_ms += 10_000;
    server.expect(&[("CLIENT NO-TOUCH OFF", "+OK"), ("GET k", "$1|v"), ("OBJECT IDLETIME k", ":0")]);
    server.expect(&[("CLIENT NO-TOUCH x", "-ERR syntax error"), ("CLIENT NO-TOUCH ON", "+OK"), ("RESET", "+RESET")]);
    assert!(server.say("CLIENT INFO").contains(" flags=N "));
}

#[test]
fn strings_that_are_what_one_thinks_they_are() {
    let mut server = server(Version::V8_4);
    server.expect(&[
        ("DIGEST k", "$-1"),
        ("SET k v8lf0c11xh8ymlqztfd3eeq16kfn4sspw7fqmnuuq3k3t75em5wdizgcdw7uc26nnf961u2jkfzkjytls2kwlj7626sd", "+OK"),
        ("DIGEST k", "$16|00006c38adf31777"),
        ("SET k new IFDEQ 00006C38ADF31777", "+OK"),
        ("SET k world IFEQ old", "$-1"),
        ("SET k world ifeq new", "+OK"),
        ("SET k x IFNE world", "$-1"),
        ("SET k x IFNE other", "+OK"),
        ("SET k y IFEQ other GET", "$1|x"),
        ("SET k y GET IFEQ x", "$1|x"),
        ("SET none y IFEQ x", "$-1"),
        ("EXISTS none", ":0"),
        ("SET none y IFDEQ 12", "$-1"),
        ("SET none y IFDNE 12", "+OK"),
        ("SET none y IFDNE 12", "-ERR must be exactly 16 hexadecimal characters"),
        ("SET none z IFDNE gggggggggggggggg", "+OK"),
        ("SET none y IFNE x EX 10", "+OK"),
        ("TTL none", ":10"),
        ("SET k v IFEQ", "-ERR syntax error"),
        ("SET k v NX IFEQ y", "-ERR syntax error"),
        ("SET k v IFEQ y XX", "-ERR syntax error"),
        ("SET k v IFEQ y IFNE z", "-ERR syntax error"),
        ("RPUSH l a", ":1"),
        ("SET l v IFEQ a", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SET l v IFDNE 12", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("DIGEST l", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("DELEX l IFEQ a", "-ERR Key should be of string type if conditions are specified"),
        ("DELEX l FOO a", "-ERR Key should be of string type if conditions are specified"),
        ("DELEX l", ":1"),
        ("DELEX l", ":0"),
        ("DELEX l IFNE a", ":0"),
        ("DELEX k IFEQ other", ":0"),
        ("DELEX k IFNE y", ":0"),
        ("DELEX k IF y", "-ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE"),
        ("DELEX k IFEQ", "-ERR wrong number of arguments for 'delex' command"),
        ("DELEX k IFEQ y z", "-ERR wrong number of arguments for 'delex' command"),
        ("DELEX k IFDEQ 12", "-ERR must be exactly 16 hexadecimal characters"),
        ("DELEX k IFEQ y", ":1"),
        ("EXISTS k", ":0"),
    ]);
}

#[test]
fn several_strings_with_one_deadline() {
    let mut server = server(Version::V8_4);
    server.expect(&[
        ("MSETEX 2 a 1 b 2 EX 10", ":1"),
        ("TTL a", ":10"),
        ("MSETEX 2 a 3 c 4 NX", ":0"),
        ("MSETEX 2 a 3 c 4 XX", ":0"),
        ("MSETEX 2 a 3 b 4 XX KEEPTTL", ":1"),
        ("TTL b", ":10"),
        ("MSETEX 1 a 5", ":1"),
        ("TTL a", ":-1"),
        ("MSETEX 1 c 1 px 3000 nx", ":1"),
        ("PTTL c", ":3000"),
        ("MSETEX key1 val1 ex 10", "-ERR invalid numkeys value"),
        ("MSETEX 0 a 1", "-ERR invalid numkeys value"),
        ("MSETEX 2147483648 key1 val1 ex 10", "-ERR invalid numkeys value"),
        ("MSETEX 2147483647 key1 val1 ex 10", "-ERR wrong number of key-value pairs"),
        ("MSETEX 2 key1 val1 key2", "-ERR wrong number of key-value pairs"),
        ("MSETEX 1 key1 val1 invalid_flag", "-ERR syntax error"),
        ("MSETEX 1 a 1 nx xx", "-ERR syntax error"),
        ("MSETEX 1 a 1 ex 10 px 5000", "-ERR syntax error"),
        ("MSETEX 1 a 1 keepttl ex 10", "-ERR syntax error"),
        ("MSETEX 1 a 1 ex 0", "-ERR invalid expire time in 'msetex' command"),
        ("COMMAND GETKEYS MSETEX 2 a 1 b 2 EX 10", "*2|$1|a|$1|b"),
    ]);
    assert_eq!(server.effects("MSETEX 1 a 1 XX EX 10"), [format!("0 MSETEX 1 a 1 XX PXAT {}", START_MS + 10_000)]);
    assert_eq!(server.effects("SET a get IFEQ 1"), ["0 SET a get IFEQ 1"]);
    assert_eq!(server.effects("SET a 2 GET IFEQ get"), ["0 SET a 2 IFEQ get"]);
    assert_eq!(server.effects("DELEX a IFEQ 2"), ["0 DEL a"]);
}
