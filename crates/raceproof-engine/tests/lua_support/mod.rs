//! What the tests of the script host share: a small store behind `redis.call`, the bytes of replies, a real server.
#![allow(dead_code)] // each test program uses its part

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use raceproof_engine::{LuaHost, Reply, Script, ScriptCalls, ScriptHost};

/// A store that knows just enough commands for scripts to have something to call.
#[derive(Default)]
pub(crate) struct Store {
    strings: BTreeMap<Bytes, Bytes>,
    hashes: BTreeMap<Bytes, BTreeMap<Bytes, Bytes>>,
    resp3: bool,
    pub(crate) log: Vec<(i64, Vec<u8>)>,
}

fn error(text: &str) -> Reply {
    Reply::Error(Bytes::copy_from_slice(text.as_bytes()))
}

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

impl ScriptCalls for Store {
    fn call(&mut self, args: &[Bytes]) -> Reply {
        let name = args[0].to_ascii_lowercase();
        let arity = match name.as_slice() {
            b"ping" => 1..=2,
            b"get" | b"incr" | b"hgetall" | b"echo" => 2..=2,
            b"set" => 3..=3,
            b"mget" => 2..=usize::MAX,
            b"hset" => 4..=4,
            _ => return error("ERR Unknown Redis command called from script"),
        };
        if !arity.contains(&args.len()) {
            return error("ERR Wrong number of args calling Redis command from script");
        }
        match name.as_slice() {
            b"ping" => args.get(1).map_or(Reply::Simple("PONG"), |text| Reply::Bulk(text.clone())),
            b"echo" => Reply::Bulk(args[1].clone()),
            b"get" | b"incr" if self.hashes.contains_key(&args[1]) => error(WRONG_TYPE),
            b"hset" | b"hgetall" if self.strings.contains_key(&args[1]) => error(WRONG_TYPE),
            b"get" => self.strings.get(&args[1]).map_or(Reply::Null, |value| Reply::Bulk(value.clone())),
            b"set" => {
                self.strings.insert(args[1].clone(), args[2].clone());
                Reply::Simple("OK")
            }
            b"mget" => {
                let value = |name| self.strings.get(name).map_or(Reply::Null, |value| Reply::Bulk(value.clone()));
                Reply::Array(args[1..].iter().map(value).collect())
            }
            b"incr" => self.incr(&args[1]),
            b"hset" => {
                let hash = self.hashes.entry(args[1].clone()).or_default();
                Reply::Integer(i64::from(hash.insert(args[2].clone(), args[3].clone()).is_none()))
            }
            _ => {
                let hash = self.hashes.get(&args[1]).cloned().unwrap_or_default();
                Reply::Map(hash.into_iter().map(|(field, value)| (Reply::Bulk(field), Reply::Bulk(value))).collect())
            }
        }
    }

    fn set_resp(&mut self, version: u8) {
        self.resp3 = version == 3;
    }

    fn log(&mut self, level: i64, message: &[u8]) {
        self.log.push((level, message.to_vec()));
    }

    fn acl_check(&mut self, args: &[Bytes]) -> Option<bool> {
        (args[0] != "nosuch").then_some(true)
    }
}

impl Store {
    fn incr(&mut self, key: &Bytes) -> Reply {
        let value = self.strings.get(key).map_or("0", |value| std::str::from_utf8(value).unwrap_or("?"));
        match value.parse::<i64>() {
            Ok(n) => {
                self.strings.insert(key.clone(), Bytes::from((n + 1).to_string()));
                Reply::Integer(n + 1)
            }
            Err(_) => error("ERR value is not an integer or out of range"),
        }
    }
}

pub(crate) fn texts(items: &[&str]) -> Vec<Bytes> {
    items.iter().map(|item| Bytes::copy_from_slice(item.as_bytes())).collect()
}

/// Runs a script on a fresh store.
pub(crate) fn run(host: &mut LuaHost, source: &[u8], keys: &[&str], args: &[&str]) -> Reply {
    run_on(host, &mut Store::default(), source, keys, args)
}

pub(crate) fn run_on(host: &mut LuaHost, store: &mut Store, source: &[u8], keys: &[&str], args: &[&str]) -> Reply {
    let sha1 = sha1_smol::Sha1::from(source).digest().to_string();
    let source = Bytes::copy_from_slice(source);
    host.run(Script { sha1: &sha1, source: &source, keys: &texts(keys), args: &texts(args) }, store)
}

/// The bytes of a reply, written here anew so that the engine's encoder does not judge itself.
pub(crate) fn encode(reply: &Reply, resp3: bool) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, reply, resp3);
    out
}

fn line(out: &mut Vec<u8>, mark: char, text: &[u8]) {
    out.push(mark as u8);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn bulk(out: &mut Vec<u8>, mark: char, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    line(out, mark, len.to_string().as_bytes());
    out.extend(parts.concat());
    out.extend_from_slice(b"\r\n");
}

fn aggregate(out: &mut Vec<u8>, mark: char, items: &[Reply], resp3: bool) {
    line(out, mark, items.len().to_string().as_bytes());
    items.iter().for_each(|item| put(out, item, resp3));
}

fn put(out: &mut Vec<u8>, reply: &Reply, resp3: bool) {
    match reply {
        Reply::Simple(text) => line(out, '+', text.as_bytes()),
        Reply::Status(text) => line(out, '+', text),
        Reply::Error(text) => line(out, '-', text),
        Reply::Integer(n) => line(out, ':', n.to_string().as_bytes()),
        Reply::Bulk(text) => bulk(out, '$', &[text]),
        Reply::NullOf(raceproof_engine::Protocol::Resp3) => line(out, '_', b""),
        Reply::NullOf(raceproof_engine::Protocol::Resp2) => line(out, '$', b"-1"),
        Reply::Null | Reply::NullArray if resp3 => line(out, '_', b""),
        Reply::Null => line(out, '$', b"-1"),
        Reply::NullArray => line(out, '*', b"-1"),
        Reply::Array(items) => aggregate(out, '*', items, resp3),
        Reply::Set(items) => aggregate(out, if resp3 { '~' } else { '*' }, items, resp3),
        Reply::Inline(items) => items.iter().for_each(|item| out.extend(encode(item, resp3))),
        Reply::Push(items) => aggregate(out, if resp3 { '>' } else { '*' }, items, resp3),
        Reply::Attribute(_) if !resp3 => {}
        Reply::Attribute(pairs) => {
            line(out, '|', pairs.len().to_string().as_bytes());
            for (key, value) in pairs {
                put(out, key, resp3);
                put(out, value, resp3);
            }
        }
        Reply::Map(pairs) => {
            let (mark, len) = if resp3 { ('%', pairs.len()) } else { ('*', pairs.len() * 2) };
            line(out, mark, len.to_string().as_bytes());
            for (key, value) in pairs {
                put(out, key, resp3);
                put(out, value, resp3);
            }
        }
        Reply::Double(n) | Reply::Decimal(n) => {
            // The scripts here use doubles whose shortest form is also what Redis prints.
            let text =
                if n.is_infinite() { if *n > 0.0 { "inf".into() } else { "-inf".into() } } else { n.to_string() };
            if resp3 { line(out, ',', text.as_bytes()) } else { bulk(out, '$', &[text.as_bytes()]) }
        }
        Reply::Boolean(truth) if resp3 => line(out, '#', if *truth { b"t" } else { b"f" }),
        Reply::Boolean(truth) => line(out, ':', if *truth { b"1" } else { b"0" }),
        Reply::Verbatim(format, text) if resp3 => bulk(out, '=', &[format, b":", text]),
        Reply::Verbatim(_, text) => bulk(out, '$', &[text]),
        Reply::BigNumber(digits) if resp3 => line(out, '(', digits),
        Reply::BigNumber(digits) => bulk(out, '$', &[digits]),
    }
}

/// A real redis-server of the reference version on a socket of its own.
pub(crate) struct Server {
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let version = Command::new("redis-server").arg("--version").output().unwrap_or_else(|error| {
            panic!(
                "redis-server does not run ({error}): run the tests by `cargo xtask test`, or install Redis 7.0 \
                 (apt-get install redis-server)"
            )
        });
        let version = String::from_utf8_lossy(&version.stdout).into_owned();
        assert!(version.contains("v=7.0."), "these tests compare with redis-server 7.0, found: {version}");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(folder.path().join("socket"))
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        Self { process, folder }
    }

    pub(crate) fn connect(&self, resp3: bool) -> Connection {
        let path = self.folder.path().join("socket");
        for _ in 0..500 {
            if let Ok(stream) = UnixStream::connect(&path) {
                stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
                let mut connection = Connection { stream, buffer: Vec::new() };
                if resp3 {
                    connection.command(&[b"HELLO", b"3"]);
                }
                return connection;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server did not open {}", path.display());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) struct Connection {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Sends a command and gives the bytes of its reply.
    pub(crate) fn command(&mut self, args: &[&[u8]]) -> Vec<u8> {
        let mut request = Vec::new();
        line(&mut request, '*', args.len().to_string().as_bytes());
        args.iter().for_each(|arg| bulk(&mut request, '$', &[arg]));
        self.stream.write_all(&request).expect("the server reads");
        let mut chunk = [0; 65_536];
        loop {
            if let Some(len) = reply_len(&self.buffer) {
                return self.buffer.drain(..len).collect();
            }
            match self.stream.read(&mut chunk).unwrap_or_default() {
                0 => panic!("no answer within 10 s to {}", request.escape_ascii()),
                count => self.buffer.extend_from_slice(&chunk[..count]),
            }
        }
    }

    pub(crate) fn eval(&mut self, source: &[u8], keys: &[&str], args: &[&str]) -> Vec<u8> {
        let count = keys.len().to_string();
        let mut command = vec![&b"EVAL"[..], source, count.as_bytes()];
        command.extend(keys.iter().chain(args).map(|text| text.as_bytes()));
        self.command(&command)
    }
}

/// The length of the complete reply at the start of a buffer.
fn reply_len(buffer: &[u8]) -> Option<usize> {
    let (mut at, mut open) = (0, 1usize);
    while open > 0 {
        let end = at + buffer.get(at..)?.windows(2).position(|two| two == b"\r\n")?;
        let number: i64 = std::str::from_utf8(&buffer[at + 1..end]).ok().and_then(|n| n.parse().ok()).unwrap_or(0);
        open -= 1;
        match buffer[at] {
            b'$' | b'=' if number >= 0 => at = end + 2 + number as usize + 2,
            b'*' | b'~' | b'>' => {
                open += number.max(0) as usize;
                at = end + 2;
            }
            b'%' => {
                open += 2 * number as usize;
                at = end + 2;
            }
            _ => at = end + 2,
        }
        if at > buffer.len() {
            return None;
        }
    }
    Some(at)
}
