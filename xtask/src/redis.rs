//! The redis-server that the tests compare with and run against: found, checked, installed where possible.

use std::path::Path;
use std::{env, fs};

use crate::process::{Error, Task};

/// The series that the engine mirrors. Replies are compared byte by byte, so another one will not do.
const WANTED: &str = "7.0.";
/// Names the redis-server to be used instead of the one on PATH. `raceproof-lab` reads it as well.
const OVERRIDE: &str = "RACEPROOF_REDIS_SERVER";
/// Debian's invoke-rc.d and deb-systemd-invoke ask this script before a package may start its service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Says no to all. By the comment a later run knows the file that an interrupted one left behind.
const POLICY_TEXT: &str = "#!/bin/sh\n# of raceproof's `cargo xtask setup`; may be removed\nexit 101\n";

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
    let is_root = Task::new("id").args(["-u"]).output().is_some_and(|uid| uid.trim() == "0");
    let has_apt = Task::new("apt-get").args(["--version"]).succeeds();
    if !is_root || !has_apt {
        let debian = "  Debian 12, Ubuntu 24.04: sudo apt-get install redis-server";
        return Err(Error::Setup(format!(
            "redis-server is not installed; the tests need {WANTED}x\n{debian}\n{FROM_SOURCE}"
        )));
    }
    let _kept_off = ServicesKeptOff::new()?;
    if apt_install().run().is_err() {
        eprintln!("xtask: trying again with fresh package lists");
        apt_get(["-qq", "update"]).run()?;
        apt_install().run()?;
    }
    // Nor shall the service start at the next boot. Where there is no systemd there is nothing to disable.
    Task::new("systemctl").args(["--quiet", "disable", "redis-server"]).succeeds();
    Ok(())
}

fn apt_install() -> Task {
    apt_get(["-qq", "-y", "--no-install-recommends", "install", "redis-server"])
}

fn apt_get<const N: usize>(args: [&str; N]) -> Task {
    Task::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive")
}

/// While it lives, packages that are installed may not start their services. A policy that the machine's owner has
/// already set is left alone.
struct ServicesKeptOff {
    ours: bool,
}

impl ServicesKeptOff {
    fn new() -> Result<Self, Error> {
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: fs::read_to_string(POLICY).is_ok_and(|text| text == POLICY_TEXT) });
        }
        let kept_off = Self { ours: true };
        write_executable(POLICY, POLICY_TEXT)
            .map_err(|cause| Error::Setup(format!("{POLICY} could not be written: {cause}")))?;
        Ok(kept_off)
    }
}

impl Drop for ServicesKeptOff {
    fn drop(&mut self) {
        if self.ours
            && let Err(cause) = fs::remove_file(POLICY)
        {
            eprintln!("xtask: {POLICY} could not be removed ({cause}); remove it, or no service starts on install");
        }
    }
}

#[cfg(unix)]
fn write_executable(path: &str, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn write_executable(path: &str, text: &str) -> std::io::Result<()> {
    fs::write(path, text)
}
