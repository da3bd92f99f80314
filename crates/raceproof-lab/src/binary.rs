//! The redis-server program: where it is, which version it is.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::{env, fmt};

use crate::LabError;

/// The environment variable that names the redis-server to run instead of the one on PATH.
pub const SERVER_VARIABLE: &str = "RACEPROOF_REDIS_SERVER";

/// How to get a redis-server, for error messages.
pub const INSTALL_HINT: &str = "install it (Debian, Ubuntu: `apt-get install redis-server`; in raceproof's own tree \
                                `cargo xtask test` does it), or name one in RACEPROOF_REDIS_SERVER";

/// A version of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 7 in 7.0.15.
    pub major: u32,
    /// 0 in 7.0.15.
    pub minor: u32,
    /// 15 in 7.0.15.
    pub patch: u32,
}

impl Version {
    /// Reads `7.0.15`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(str::parse::<u32>);
        let version =
            Self { major: parts.next()?.ok()?, minor: parts.next()?.ok()?, patch: parts.next().unwrap_or(Ok(0)).ok()? };
        parts.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The program to run: the one that [`SERVER_VARIABLE`] names, else `redis-server` on PATH.
pub(crate) fn program() -> OsString {
    env::var_os(SERVER_VARIABLE).filter(|name| !name.is_empty()).unwrap_or_else(|| "redis-server".into())
}

/// Why a program could not be started.
pub(crate) fn not_started(program: &OsString, cause: &std::io::Error) -> LabError {
    if cause.kind() == ErrorKind::NotFound && program == "redis-server" {
        return LabError::NotInstalled;
    }
    LabError::NotAServer { path: program.into(), why: cause.to_string() }
}

/// The version of the redis-server that would be started, without starting it.
///
/// # Errors
/// [`LabError::NotInstalled`], [`LabError::NotAServer`].
pub fn installed_version() -> Result<Version, LabError> {
    version_of(&program())
}

pub(crate) fn version_of(program: &OsString) -> Result<Version, LabError> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| not_started(program, &cause))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    // Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=…
    let version = printed.split_whitespace().find_map(|word| word.strip_prefix("v=")).and_then(Version::parse);
    version.ok_or_else(|| LabError::NotAServer {
        path: program.into(),
        why: format!("--version printed {:?}", printed.lines().next().unwrap_or_default()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered() {
        let version = |text| Version::parse(text);
        assert_eq!(version("7.0.15"), Some(Version { major: 7, minor: 0, patch: 15 }));
        assert_eq!(version("8.2").map(|v| v.to_string()), Some("8.2.0".into()));
        assert!(version("7.0.15") < version("7.2.0"));
        for bad in ["", "7", "7.x", "7.0.15.1", "7.0.15-rc1"] {
            assert_eq!(version(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_missing_program_is_told_apart_from_a_wrong_one() {
        let missing = not_started(&"redis-server".into(), &ErrorKind::NotFound.into()).to_string();
        assert!(missing.contains("apt-get install redis-server") && missing.contains(SERVER_VARIABLE), "{missing}");
        let wrong = version_of(&"/nonexistent/redis".into()).unwrap_err().to_string();
        assert!(wrong.contains("/nonexistent/redis") && wrong.contains(SERVER_VARIABLE), "{wrong}");
        let other = version_of(&"true".into()).unwrap_err().to_string();
        assert!(other.contains("\"true\"") && other.contains("--version printed"), "{other}");
    }
}
