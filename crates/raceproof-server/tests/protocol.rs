//! The protocol, byte for byte beside a real redis-server: what is well formed, and what is not.

mod support;

use raceproof_lab::RedisServer;
use support::Wire;

/// Pieces of input. Each is sent on a connection of its own.
fn inputs() -> Vec<Vec<u8>> {
    let mut inputs: Vec<Vec<u8>> = [
        // Inline commands.
        "PING\r\n",
        "PING\n",
        "\r\n\r\nPING\r\n",
        "\n",
        "  PING  \r\n",
        "PING hello world\r\n",
        "ECHO \"a b\"\r\n",
        "ECHO \"a\\x41\\n\\t\\r\\b\\a\\\\\\\"\"\r\n",
        "ECHO 'a\\'b\\n'\r\n",
        "ECHO a\"b\"c\r\n",
        "ECHO \"a\"b\r\nPING\r\n",
        "ECHO \"a\r\nPING\r\n",
        "ECHO 'a\r\n",
        "ECHO \"\"\r\n",
        "ECHO \\x41\r\n",
        "ECHO \"\\xzz\\x4\"\r\n",
        "ECHO a\tb\r\n",
        "ECHO a\0b\r\nPING\r\n",
        "SET k v\r\nGET k\r\nDEL k\r\n",
        "PING\r\r\n",
        "\tPING\r\n",
        "nosuch\r\n",
        "nosuch a b\r\n",
        // Arrays.
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n",
        "*2\r\n$4\r\nECHO\r\n$5\r\na\r\nbc\r\n",
        "*0\r\nPING\r\n",
        "*-1\r\nPING\r\n",
        "*-10\r\n*0\r\n\r\nPING\r\n",
        "*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n",
        "*1\r\n$4\r\nPINGxyPING\r\n",
        "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
        "*1\r\n$0\r\n\r\nPING\r\n",
        "*1\rx$4\rxPING\r\n",
        "*2\r\n$4\r\nECHO\r\n$3\r\nabc",
        "*2\r\n$4\r\nECHO\r\n",
        "*2\r\n",
        "*",
        "*1",
        // Arrays that are no arrays.
        "*\r\nPING\r\n",
        "*a\r\n",
        "*1a\r\n",
        "* 1\r\n",
        "*+1\r\n",
        "*01\r\n",
        "*-0\r\n",
        "*99999999999\r\n",
        "*2147483648\r\n",
        "*9223372036854775808\r\n",
        "*1\r\nPING\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n\r\n",
        "*1\r\n\n\r\n",
        "*1\r\n\0\r\n",
        "*1\r\n$\r\n",
        "*1\r\n$a\r\n",
        "*1\r\n$-1\r\n",
        "*1\r\n$-0\r\n",
        "*1\r\n$04\r\nPING\r\n",
        "*1\r\n$ 4\r\nPING\r\n",
        "*1\r\n$4 \r\nPING\r\n",
        "*1\r\n$536870913\r\n",
        "*1\r\n$99999999999999999999\r\n",
        "*1\r\n*1\r\n",
        "*1\r\n$4\r\nPING\r\n*1\r\nfoo\r\nPING\r\n",
        "*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-1\r\n",
        "$4\r\nPING\r\n",
        ":1\r\n",
        "+OK\r\n",
        "-ERR\r\n",
        "_\r\n",
        // Ends.
        "QUIT\r\nPING\r\n",
        "PING\r\nQUIT\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\n\r\nPING\r\n",
        "host: a\r\nPING\r\n",
        "RESET\r\nPING\r\n",
        "MODULE LIST\r\nMODULE LOAD x\r\nMULTI\r\nMODULE LOAD x\r\nEXEC\r\n",
        // Sessions.
        "HELLO 3\r\nPING\r\nSET h v\r\nGET h\r\nGET none\r\n",
        "MULTI\r\nPING\r\nGET none\r\nEXEC\r\n",
        "HELLO 4\r\nPING\r\n",
        "CLIENT REPLY OFF\r\nPING\r\nCLIENT REPLY ON\r\nPING\r\n",
        "CLIENT REPLY SKIP\r\nPING\r\nPING\r\n",
        "CLIENT REPLY SKIP\r\n\r\nPING\r\nPING\r\n",
        "CLIENT REPLY SKIP\r\n*0\r\nPING\r\nPING\r\n",
        "CLIENT REPLY OFF\r\n\r\nPING\r\n",
        "AUTH x\r\nPING\r\n",
        "AUTH default x\r\nPING\r\n",
        // A user that is not there: who asks first gets a universe, who asks later is refused.
        "PING\r\nAUTH alice x\r\nPING\r\n",
        "ACL SETUSER alice on >pw +@all\r\nAUTH alice x\r\nAUTH alice pw\r\nACL WHOAMI\r\nACL DELUSER bob\r\nACL LIST\r\n",
        "EXEC\r\nDISCARD\r\nMULTI\r\nMULTI\r\nnosuch\r\nEXEC\r\n",
        "BLPOP none 0\r\nPING\r\n",
        "RPUSH l a b\r\nBLPOP l 0\r\nBLPOP l 0\r\nBLPOP l 0\r\nPING\r\n",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    // Bytes that are no text.
    inputs.push(b"*1\r\n\xff\r\n".to_vec());
    inputs.push(b"*2\r\n$4\r\nECHO\r\n$4\r\n\0\r\n\xff\r\n".to_vec());
    inputs.push(b"ECHO \xff\xfe\r\n".to_vec());
    // Lines without an end, on either side of the limit.
    for len in [65_000, 65_536, 65_537, 70_000] {
        inputs.push(vec![b'a'; len]);
        inputs.push([b"*".to_vec(), vec![b'1'; len]].concat());
        inputs.push([b"*1\r\n$".to_vec(), vec![b'1'; len]].concat());
    }
    // Arguments large and small around the sizes at which they are read in another way.
    for len in [16_383, 32_766, 32_767, 32_768, 32_769, 65_536, 100_000, 1_000_000] {
        let echo = format!("*2\r\n$4\r\nECHO\r\n${len}\r\n");
        inputs.push([echo.as_bytes(), &vec![b'x'; len], b"\r\nPING\r\nQUIT\r\n"].concat());
    }
    // A pipeline that is longer than a read.
    let mut pipeline = b"*2\r\n$4\r\nECHO\r\n$10\r\n0123456789\r\nPING\r\n".repeat(5_000);
    pipeline.extend_from_slice(b"QUIT\r\n");
    inputs.push(pipeline);
    inputs
}

/// All that a server sends back for some input, sent in pieces of a size.
fn answer(mut wire: Wire, input: &[u8], piece: usize) -> Vec<u8> {
    for piece in input.chunks(piece) {
        wire.send(piece);
    }
    // A real server that learns of the end forgets what it could not send yet. Long replies end by themselves.
    if !input.ends_with(b"QUIT\r\n") || input.len() < 2000 {
        wire.end();
    }
    wire.rest()
}

#[test]
fn replies_are_those_of_a_real_server_for_any_bytes_in_any_pieces() {
    let real = RedisServer::builder().config("save", "").start().expect("redis-server is installed");
    let ours = support::start();
    let mut different = Vec::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for input in inputs() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let some = 2 + (random % 5000) as usize;
        let sizes = if input.len() > 2000 { vec![usize::MAX, some] } else { vec![usize::MAX, 1, 2 + some % 7] };
        for piece in sizes {
            let theirs = answer(Wire::unix(&real.socket()), &input, piece);
            let mine = answer(ours.connect(), &input, piece);
            let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(300)]).into_owned();
            // A number of a connection is the one thing that differs.
            if mine != theirs && !(input.starts_with(b"HELLO 3") && mine.len().abs_diff(theirs.len()) < 4) {
                different.push(format!(
                    "{:?} in pieces of {piece}:\n   here {:?}\n  there {:?}",
                    text(&input),
                    text(&mine),
                    text(&theirs)
                ));
            }
        }
        answer(Wire::unix(&real.socket()), b"FLUSHALL\r\n", 100);
        answer(ours.connect(), b"FLUSHALL\r\n", 100);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// A generator of its own, so that a failure can be met again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// Some bytes of an input put elsewhere, changed, doubled, or left out.
fn mutated(input: &[u8], random: &mut Random) -> Vec<u8> {
    const SALT: [&[u8]; 12] = [b"\r", b"\n", b"\r\n", b"$", b"*", b"-", b"0", b"1", b"9", b"\"", b" ", b"\xff"];
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 if at < bytes.len() => drop(bytes.remove(at)),
            1 if at < bytes.len() => bytes[at] = SALT[random.below(SALT.len())][0],
            2 => {
                let copied = bytes[at..(at + random.below(20)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copied);
            }
            _ => drop(bytes.splice(at..at, SALT[random.below(SALT.len())].iter().copied())),
        }
    }
    bytes
}

#[test]
fn replies_to_damaged_input_are_those_of_a_real_server() {
    let real = RedisServer::builder().config("save", "").start().expect("redis-server is installed");
    let ours = support::start();
    // Numbers of connections differ, who is hung up on gets what was sent before or not, and users are universes.
    let spared: [&[u8]; 4] = [b"HELLO", b"host:", b"POST", b"AUTH"];
    let inputs = inputs();
    let bases: Vec<&Vec<u8>> = inputs
        .iter()
        .filter(|input| input.len() < 200 && !spared.iter().any(|start| input.starts_with(start)))
        .collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let input = mutated(bases[random.below(bases.len())], &mut random);
        let piece = [usize::MAX, 1 + random.below(10)][random.below(2)];
        let theirs = answer(Wire::unix(&real.socket()), &input, piece);
        let mine = answer(ours.connect(), &input, piece);
        let text = String::from_utf8_lossy;
        assert_eq!(text(&mine), text(&theirs), "{:?} in pieces of {piece}", text(&input));
    }
}

/// What `CLIENT LIST` shows of the clients that have a name: all but numbers, addresses, times and memory.
fn shown(asker: &mut Wire) -> Vec<String> {
    const FIELDS: [&str; 13] =
        ["name", "flags", "db", "sub", "psub", "ssub", "multi", "qbuf", "argv-mem", "cmd", "user", "redir", "resp"];
    asker.send(b"*2\r\n$6\r\nclient\r\n$4\r\nlist\r\n");
    let list = asker.told();
    let named = list.lines().filter(|line| line.contains(" name=test-"));
    let kept = |field: &&str| FIELDS.contains(&field.split('=').next().unwrap_or_default());
    // The real server is asked by a Unix socket.
    let line =
        |line: &str| line.split(' ').filter(kept).collect::<Vec<_>>().join(" ").replace('U', "").replace("=N ", "= ");
    named.map(line).collect()
}

/// What is shown of clients that have done all kinds of things, once it is as long as it gets.
fn clients_of(connect: impl Fn() -> Wire) -> Vec<String> {
    let open = |name: &str| {
        let mut wire = connect();
        wire.ask(&format!("CLIENT SETNAME test-{name}"));
        wire
    };
    let (early, mut watches, mut queues) = (open("early"), open("watches"), open("queues"));
    watches.ask("WATCH w");
    queues.ask("SELECT 3");
    queues.ask("MULTI");
    queues.ask("SET w 1");
    drop(early);
    let (mut listens, mut waits, mut mistaken, mut unknown, mut asker) =
        (open("listens"), open("waits"), open("mistaken"), open("unknown"), open("asker"));
    listens.ask("SUBSCRIBE a b");
    waits.send(b"BLPOP none 0\r\n");
    mistaken.ask("GET");
    unknown.ask("NOSUCH x");
    asker.ask("SET w 2");
    asker.ask("HELLO 3");
    for _ in 0..1000 {
        let seen = shown(&mut asker);
        if seen.len() == 7 && seen.iter().any(|line| line.contains("cmd=blpop")) {
            return seen;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("one client goes and another waits: {:?}", shown(&mut asker));
}

#[test]
fn what_clients_did_is_shown_in_the_order_in_which_they_came() {
    let real = RedisServer::builder().config("save", "").start().expect("redis-server is installed");
    let ours = support::start();
    let seen = clients_of(|| ours.connect());
    assert_eq!(seen, clients_of(|| Wire::unix(&real.socket())));
    assert!(seen[0].contains("flags=d") && seen[0].contains("cmd=watch"), "{seen:#?}");
}
