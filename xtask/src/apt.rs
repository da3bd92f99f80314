//! Installing packages of the distribution, without letting them start services.

use std::fs;
use std::path::Path;

use crate::process::{Error, Task};

/// Debian's invoke-rc.d and deb-systemd-invoke ask this script before a package may start its service.
const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Says no to all. By the comment a later run knows the file that an interrupted one left behind.
const POLICY_TEXT: &str = "#!/bin/sh\n# of raceproof's `cargo xtask setup`; may be removed\nexit 101\n";

/// Whether packages can be installed: there is apt-get, and its user may.
pub(crate) fn can_install() -> bool {
    let is_root = Task::new("id").args(["-u"]).output().is_some_and(|uid| uid.trim() == "0");
    is_root && Task::new("apt-get").args(["--version"]).succeeds()
}

/// Installs a package; if that fails, once more with fresh package lists.
pub(crate) fn install(package: &str) -> Result<(), Error> {
    let _kept_off = ServicesKeptOff::new()?;
    let install = || apt_get(["-qq", "-y", "--no-install-recommends", "install", package]);
    if install().run().is_err() {
        eprintln!("xtask: trying again with fresh package lists");
        apt_get(["-qq", "update"]).run()?;
        install().run()?;
    }
    Ok(())
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
