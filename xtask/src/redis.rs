//! The redis-server that the tests compare with and run against: found, checked, installed where possible.

use std::env;

use crate::apt;
use crate::process::{Error, Task};

/// The series that the engine mirrors. Replies are compared byte by byte, so another one will not do.
const WANTED: &str = "7.0.";
/// Names the redis-server to be used instead of the one on PATH. `raceproof-lab` reads it as well.
const OVERRIDE: &str = "RACEPROOF_REDIS_SERVER";
const FROM_SOURCE: &str = concat!(
    "  from source: curl -O https://download.redis.io/releases/redis-7.0.15.tar.gz && tar xf redis-7.0.15.tar.gz\n",
    "               make -C redis-7.0.15 && export RACEPROOF_REDIS_SERVER=$PWD/redis-7.0.15/src/redis-server",
);

/// Sees to it that a redis-server 7.0.x can be run.
pub(crate) fn setup() -> Result<(), Error> {
    if let Some(program) = env::var_os(OVERRIDE) {
        let shown = program.to_string_lossy().into_owned();
        let version = version(&shown)
            .ok_or_else(|| Error::Setup(format!("{OVERRIDE} is {shown:?}, which does not run as a redis-server")))?;
        return check(&version, &shown);
    }
    if let Some(version) = version("redis-server") {
        return check(&version, "redis-server on PATH");
    }
    install()?;
    match version("redis-server") {
        Some(version) => check(&version, "redis-server as installed by apt-get"),
        None => Err(Error::Setup("apt-get installed redis-server, but it is not on PATH".into())),
    }
}

/// The version in `Redis server v=7.0.15 sha=…`.
fn version(program: &str) -> Option<String> {
    let printed = Task::new(program).args(["--version"]).output()?;
    printed.split_whitespace().find_map(|word| word.strip_prefix("v=")).map(str::to_owned)
}

fn check(version: &str, found: &str) -> Result<(), Error> {
    if version.starts_with(WANTED) {
        eprintln!("xtask: redis-server {version}");
        return Ok(());
    }
    Err(Error::Setup(format!("{found} is version {version}; the tests need {WANTED}x\n{FROM_SOURCE}")))
}

/// Installs the distribution's package without letting it start a server on the default port.
fn install() -> Result<(), Error> {
    if !apt::can_install() {
        let debian = "  Debian 12, Ubuntu 24.04: sudo apt-get install redis-server";
        return Err(Error::Setup(format!(
            "redis-server is not installed; the tests need {WANTED}x\n{debian}\n{FROM_SOURCE}"
        )));
    }
    apt::install("redis-server")?;
    // Nor shall the service start at the next boot. Where there is no systemd there is nothing to disable.
    Task::new("systemctl").args(["--quiet", "disable", "redis-server"]).succeeds();
    Ok(())
}
