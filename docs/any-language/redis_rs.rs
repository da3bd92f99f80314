//! A TTL boundary, a lost reply and a power loss, with redis-rs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use redis::{Client, Commands, Connection, RedisResult};

/// A server, which ends with its test.
struct Raceproof {
    process: Child,
    client: Client,
}

impl Raceproof {
    fn start() -> Self {
        let program = option_env!("CARGO_BIN_EXE_raceproof").unwrap_or("raceproof");
        let mut process = Command::new(program)
            .args(["serve", "--port", "0", "--clock", "frozen"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("raceproof is installed");
        // The line that it prints when it is ready ends with its address.
        let mut line = String::new();
        let output = process.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the server says where it is");
        let address = line.split_whitespace().last().expect("the line ends with the address");
        let client = Client::open(address).expect("the address is one of Redis");
        Self { process, client }
    }

    fn connect(&self) -> Connection {
        self.client.get_connection().expect("the server is there")
    }
}

impl Drop for Raceproof {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn raceproof(connection: &mut Connection, command: &[&str]) {
    let _: redis::Value = redis::cmd("RACEPROOF").arg(command).query(connection).expect("RACEPROOF HELP lists them");
}

#[test]
fn a_session_lives_through_its_last_millisecond() -> RedisResult<()> {
    let server = Raceproof::start();
    let mut redis = server.connect();
    let _: () = redis.pset_ex("session", "ada", 30_000)?;
    raceproof(&mut redis, &["CLOCK", "ADVANCE", "30s"]);
    assert_eq!(redis.get::<_, Option<String>>("session")?.as_deref(), Some("ada"));
    raceproof(&mut redis, &["CLOCK", "ADVANCE", "1"]);
    assert_eq!(redis.get::<_, Option<String>>("session")?, None);
    Ok(())
}

#[test]
fn a_lost_reply_says_nothing_about_the_payment() -> RedisResult<()> {
    let server = Raceproof::start();
    let mut redis = server.connect();
    raceproof(&mut redis, &["FAULT", "ADD", "drop-reply", "ON", "INCRBY", "NTH", "1"]);
    let payment: RedisResult<i64> = redis.incr("balance", 100);
    assert!(payment.is_err());
    // It was made all the same: whoever tries again pays twice.
    assert_eq!(server.connect().get::<_, i64>("balance")?, 100);
    Ok(())
}

#[test]
fn a_power_loss_costs_what_was_not_yet_on_disk() -> RedisResult<()> {
    let server = Raceproof::start();
    let mut redis = server.connect();
    raceproof(&mut redis, &["PERSISTENCE", "everysec"]);
    let _: () = redis.set("order:1", "paid")?;
    raceproof(&mut redis, &["CLOCK", "ADVANCE", "3s"]);
    let _: () = redis.set("order:2", "paid")?;
    raceproof(&mut redis, &["CRASH", "POWER"]);
    let mut redis = server.connect();
    assert_eq!(redis.get::<_, Option<String>>("order:1")?.as_deref(), Some("paid"));
    assert_eq!(redis.get::<_, Option<String>>("order:2")?, None);
    Ok(())
}
