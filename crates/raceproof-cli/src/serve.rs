//! `raceproof serve`: a Redis for tests in any language.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use raceproof_server::{Clock, Persistence, Server, Settings, Version};

use crate::output::{complain, remark};

/// Bad usage or input.
const BAD_INPUT: u8 = 2;

#[derive(Clone, Debug, Args)]
pub(crate) struct ServeArgs {
    /// The TCP port; 0: any free one
    #[arg(long, value_name = "PORT", default_value_t = 6399)]
    port: u16,

    /// The address to listen on
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    bind: IpAddr,

    /// Listens on a unix socket too
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,

    /// The time: real, frozen (at the time of the start), or a Unix time in milliseconds at which it stands still
    #[arg(long, value_name = "real|frozen|UNIX-MS", default_value = "real", value_parser = clock)]
    clock: ClockArg,

    /// The version of Redis whose commands exist
    #[arg(long, value_name = "7.0|7.2|7.4|8.0|8.4", default_value = "7.0", value_parser = version)]
    version: Version,

    /// The password that clients need; there are no universes then
    #[arg(long, value_name = "PASSWORD")]
    requirepass: Option<String>,

    /// How much memory the data may take, as in redis.conf: 100mb
    #[arg(long, value_name = "BYTES")]
    maxmemory: Option<String>,

    /// What is evicted when the data takes more, as in redis.conf: allkeys-lru
    #[arg(long, value_name = "POLICY")]
    maxmemory_policy: Option<String>,

    /// What RACEPROOF CRASH leaves, until RACEPROOF PERSISTENCE says otherwise
    #[arg(long, value_enum, default_value_t = Fsync::Off, hide_possible_values = true, value_name = "always|everysec|no|off")]
    appendfsync: Fsync,

    /// The seed of every random choice
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// A file that is written when the server is ready: its addresses, one a line
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug)]
enum ClockArg {
    Real,
    Frozen,
    At(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Fsync {
    Always,
    Everysec,
    No,
    Off,
}

fn clock(text: &str) -> Result<ClockArg, String> {
    match text {
        "real" => Ok(ClockArg::Real),
        "frozen" => Ok(ClockArg::Frozen),
        text => match text.parse() {
            Ok(at @ 0..=Clock::LATEST_MS) => Ok(ClockArg::At(at)),
            _ => Err(format!("real, frozen, or milliseconds since 1970 up to {}", Clock::LATEST_MS)),
        },
    }
}

fn version(text: &str) -> Result<Version, String> {
    match text {
        "7.0" => Ok(Version::V7_0),
        "7.2" => Ok(Version::V7_2),
        "7.4" => Ok(Version::V7_4),
        "8.0" => Ok(Version::V8_0),
        "8.4" => Ok(Version::V8_4),
        _ => Err("7.0, 7.2, 7.4, 8.0 or 8.4".into()),
    }
}

impl ServeArgs {
    fn settings(&self) -> Settings {
        let set = |name: &str, value: &Option<String>| value.clone().map(|value| (name.to_owned(), value));
        let given = [
            set("requirepass", &self.requirepass),
            set("maxmemory", &self.maxmemory),
            set("maxmemory-policy", &self.maxmemory_policy),
        ];
        let mut config: Vec<_> = given.into_iter().flatten().collect();
        let persistence = match self.appendfsync {
            Fsync::Always => Persistence::Always,
            Fsync::Everysec => Persistence::Everysec,
            Fsync::No => Persistence::No,
            Fsync::Off => Persistence::Off,
        };
        if persistence != Persistence::Off {
            config.push(("appendonly".to_owned(), "yes".to_owned()));
            config.push(("appendfsync".to_owned(), persistence.name().to_owned()));
        }
        Settings {
            port: Some(self.port),
            bind: self.bind,
            unix: self.unix.clone(),
            clock: match self.clock {
                ClockArg::Real => Clock::REAL,
                ClockArg::Frozen => Clock::frozen_now(),
                ClockArg::At(unix_ms) => Clock::Frozen { at_us: unix_ms * 1000 },
            },
            version: self.version,
            config,
            persistence,
            seed: self.seed,
        }
    }
}

/// Runs the command until it is asked to end; the result is the exit status.
pub(crate) fn serve(args: ServeArgs) -> u8 {
    match served(&args) {
        Ok(()) => 0,
        Err(error) => {
            complain(&error);
            BAD_INPUT
        }
    }
}

fn served(args: &ServeArgs) -> Result<(), String> {
    let mut server = Server::new(args.settings()).map_err(|error| error.to_string())?;
    let stopper = server.stopper();
    ctrlc::set_handler(move || stopper.stop()).map_err(|error| format!("cannot listen for signals: {error}"))?;
    if !args.bind.is_loopback() && args.requirepass.is_none() {
        remark("anyone who reaches this address can use the server; --requirepass sets a password");
    }
    let urls = server.urls().map_err(|error| format!("cannot tell the address: {error}"))?;
    if let Some(path) = &args.ready_file {
        write_at_once(path, &format!("{}\n", urls.join("\n")))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    let mut stdout = io::stdout();
    // Whoever starts it may not care for the line.
    let _ = writeln!(stdout, "raceproof: ready on {}", urls.join(" ")).and_then(|()| stdout.flush());
    server.run().map_err(|error| format!("cannot wait for connections: {error}"))
}

/// Writes a file so that it is never seen half written.
fn write_at_once(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    fs::write(&name, text)?;
    fs::rename(&name, path)
}
