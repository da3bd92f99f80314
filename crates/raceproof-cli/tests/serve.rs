//! `raceproof serve` as scripts meet it: its line, its file, its end, its errors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

struct Serve {
    process: Child,
    line: String,
}

impl Serve {
    fn start(args: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_raceproof"))
            .arg("serve")
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command was built");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("its output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("it says when it is ready");
        Self { process, line: line.trim_end().to_owned() }
    }

    fn address(&self) -> &str {
        let url = self.line.split(' ').find_map(|word| word.strip_prefix("redis://"));
        url.expect("the line has the address")
    }

    fn ask(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("the stream is open");
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).expect("it reads");
        let mut reply = String::new();
        stream.read_to_string(&mut reply).expect("it answers and hangs up");
        reply.strip_suffix("+OK\r\n").expect("QUIT is answered").trim_end().to_owned()
    }

    fn signal(mut self, signal: Signal) -> i32 {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process has a number");
        kill_process(pid, signal).expect("it runs");
        self.process.wait().expect("it ends").code().expect("it is not killed, it ends")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn refused(args: &[&str]) -> String {
    let Output { status, stderr, .. } =
        Command::new(env!("CARGO_BIN_EXE_raceproof")).arg("serve").args(args).output().expect("the command was built");
    assert_eq!(status.code(), Some(2), "{args:?}");
    String::from_utf8_lossy(&stderr).into_owned()
}

#[test]
fn it_says_when_it_is_ready_and_ends_when_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (ready, socket) = (folder.path().join("ready"), folder.path().join("redis.sock"));
    let (ready_arg, socket_arg) = (ready.to_string_lossy(), socket.to_string_lossy());
    let server = Serve::start(&["--port", "0", "--ready-file", &ready_arg, "--unix", &socket_arg]);
    let expected = format!("raceproof: ready on redis://{} unix://{socket_arg}", server.address());
    assert_eq!(server.line, expected);
    assert!(server.address().starts_with("127.0.0.1:"));
    let file = std::fs::read_to_string(&ready).expect("it is written before the line");
    assert_eq!(file, format!("redis://{}\nunix://{socket_arg}\n", server.address()));
    assert_eq!(server.ask("PING"), "+PONG");
    assert_eq!(server.signal(Signal::TERM), 0);
    assert!(!socket.exists());
    assert_eq!(Serve::start(&["--port", "0"]).signal(Signal::INT), 0);
}

#[test]
fn its_options_reach_the_server() {
    let server = Serve::start(&[
        "--port",
        "0",
        "--clock",
        "1700000000000",
        "--maxmemory",
        "100mb",
        "--appendfsync",
        "everysec",
        "--version",
        "7.4",
    ]);
    assert_eq!(server.ask("RACEPROOF CLOCK NOW"), ":1700000000000");
    assert_eq!(server.ask("CONFIG GET maxmemory"), "*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600");
    assert_eq!(server.ask("CONFIG GET appendonly"), "*2\r\n$10\r\nappendonly\r\n$3\r\nyes");
    assert_eq!(server.ask("RACEPROOF PERSISTENCE"), "+everysec");
    assert!(server.ask("HPTTL k FIELDS 1 f").starts_with('*'));
    let frozen = Serve::start(&["--port", "0", "--clock", "frozen"]);
    let now = frozen.ask("RACEPROOF CLOCK NOW");
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(frozen.ask("RACEPROOF CLOCK NOW"), now);
}

#[test]
fn what_cannot_be_is_refused_with_the_way_out() {
    let server = Serve::start(&["--port", "0"]);
    let port = server.address().rsplit(':').next().expect("the address has a port");
    let error = refused(&["--port", port]);
    assert!(error.contains(&format!("cannot listen on 127.0.0.1:{port}")) && error.contains("--port 0"), "{error}");
    assert!(refused(&["--clock", "yesterday"]).contains("real, frozen, or milliseconds"));
    assert!(refused(&["--version", "6.2"]).contains("7.0, 7.2, 7.4, 8.0 or 8.4"));
    assert!(refused(&["--port", "0", "--maxmemory", "much"]).contains("must be a memory value"));
    assert!(refused(&["--port", "0", "--ready-file", "/nowhere/ready"]).contains("cannot write /nowhere/ready"));
}
