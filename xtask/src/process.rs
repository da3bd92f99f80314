//! Running commands, and the error that names the one which failed.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::{env, fmt, io};

/// Why a task failed.
pub(crate) enum Error {
    /// The task does not exist, or takes no such arguments.
    Usage(&'static str),
    /// An argument of a task that it cannot use; the text says why.
    Argument(String),
    /// A command could not be started.
    NotStarted { command: String, cause: io::Error },
    /// A command ended with a failure.
    Failed { command: String, status: ExitStatus },
    /// `cargo test` ended with a failure, and has said so itself.
    Tests { status: ExitStatus },
    /// Something that the tests need is not there; the text says what to do.
    Setup(String),
}

impl Error {
    /// The exit code of xtask: that of the failed command, 2 for a wrong usage, else 1.
    pub(crate) fn exit_code(&self) -> ExitCode {
        let code = match self {
            Self::Usage(_) | Self::Argument(_) => 2,
            Self::Failed { status, .. } | Self::Tests { status } => {
                status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
            }
            Self::NotStarted { .. } | Self::Setup(_) => 1,
        };
        ExitCode::from(code)
    }

    /// Marks the failure as one of the test suite.
    pub(crate) fn into_tests(self) -> Self {
        match self {
            // Without a code the run was ended by a signal, which `cargo test` had no chance to report.
            Self::Failed { status, .. } if status.code().is_some() => Self::Tests { status },
            other => other,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(usage) => f.write_str(usage),
            Self::NotStarted { command, cause } => write!(f, "error: `{command}` could not be started: {cause}"),
            Self::Failed { command, status } => match status.code() {
                Some(code) => write!(f, "error: `{command}` failed with exit code {code}"),
                None => write!(f, "error: `{command}` was ended: {status}"),
            },
            Self::Tests { status } => write!(f, "error: the tests failed: {status}"),
            Self::Argument(text) | Self::Setup(text) => write!(f, "error: {text}"),
        }
    }
}

/// A command to be run in the workspace's root, without an input, its output passed through.
pub(crate) struct Task {
    command: Command,
    /// Variables set for this command alone, as they would be typed.
    shown_env: String,
}

/// A command of the cargo that runs xtask.
pub(crate) fn cargo<const N: usize>(args: [&str; N]) -> Task {
    Task::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(args)
}

impl Task {
    /// A command by its program's name or path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."));
        let mut command = Command::new(program);
        command.current_dir(root).stdin(Stdio::null());
        Self { command, shown_env: String::new() }
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the command's environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.shown_env = format!("{name}='{value}' {}", self.shown_env);
        self
    }

    /// The command as one would type it.
    fn shown(&self) -> String {
        let program = Path::new(self.command.get_program()).file_name().unwrap_or_default().to_owned();
        let words: Vec<OsString> =
            std::iter::once(program).chain(self.command.get_args().map(OsStr::to_owned)).collect();
        format!("{}{}", self.shown_env, words.join(OsStr::new(" ")).to_string_lossy())
    }

    /// Says what is run, and runs it.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        let shown = self.shown();
        eprintln!("xtask: {shown}");
        match self.command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::Failed { command: shown, status }),
            Err(cause) => Err(Error::NotStarted { command: shown, cause }),
        }
    }

    /// Runs it in silence; whether it could be run and succeeded.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// Runs it in silence; what it printed, if it could be run and succeeded.
    pub(crate) fn output(mut self) -> Option<String> {
        let output = self.command.stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
