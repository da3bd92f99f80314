//! `raceproof check` as its users run it: the binary, its output, its exit status.

mod bounds;
mod errors;
mod output;
mod pages;
mod reports;
mod selection;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// GET, append, SET: violated in four steps.
const LOST: &str = r#"
scenario { name = "design/lost", EXPECT about = "GET, append in the application, SET" }
setup(function() redis("SET", "user:123", "1,2") end)
clients { "web", "mobile", function(me) redis("SET", "user:123", redis("GET", "user:123") .. "," .. me) end }
finally(function()
  local m = redis("GET", "user:123")
  for _, me in ipairs { "web", "mobile" } do expect(m:find(me, 1, true), "memory of " .. me .. " lost") end
end)
"#;

/// A key for each client: verified, in one execution.
const KEPT: &str = r#"
scenario { name = "design/kept", EXPECT about = "SET of a key of one's own" }
clients { "web", "mobile", function(me) redis("SET", "memory:" .. me, "seen") end }
finally(function() expect(redis("EXISTS", "memory:web", "memory:mobile") == 2, "a memory was lost") end)
"#;

/// A folder for scenarios, and the command to run there.
struct Workshop {
    folder: TempDir,
}

/// What a run of the command gave.
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Workshop {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file; `expect` stands in for the word EXPECT in it.
    fn file(self, name: &str, text: &str, expect: &str) -> Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders can be made");
        std::fs::write(path, text.replace("EXPECT", expect)).expect("files can be written");
        self
    }

    /// Both designs, with what is true of them.
    fn with_both() -> Self {
        Self::new().file("lost.lua", LOST, r#"expect = "violated", message = "lost","#).file(
            "kept.lua",
            KEPT,
            r#"expect = "verified","#,
        )
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_raceproof"));
        command.arg("check").current_dir(self.path()).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        command
    }

    fn check<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        Ran::of(self.command().args(args).output().expect("the binary runs"))
    }
}

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
        let status = output.status.code().expect("an exit status, not a signal");
        Self { status, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    #[track_caller]
    fn exits(self, status: i32) -> Self {
        assert_eq!(self.status, status, "stdout:\n{}stderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn shows(self, expected: &str) -> Self {
        assert!(self.stdout.contains(expected), "no {expected:?} in\n{}stderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// One complaint on one screen, and nothing that looks like a crash.
    #[track_caller]
    fn complains(self, expected: &str) -> Self {
        assert!(self.stderr.contains(expected), "no {expected:?} in\n{}", self.stderr);
        assert!(self.stderr.starts_with("error: "), "{}", self.stderr);
        assert!(self.stderr.lines().count() <= 24, "more than a screen:\n{}", self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }

    /// The output without what differs from run to run: durations.
    fn without_times(&self) -> String {
        let mut out = String::new();
        for line in self.stdout.lines() {
            let mut words: Vec<&str> = line.split(' ').collect();
            for at in 1..words.len() {
                if matches!(words[at], "ms" | "s") && words[at - 1].parse::<f64>().is_ok() {
                    (words[at - 1], words[at]) = ("", "");
                }
            }
            let line: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            out.push_str(&line.join(" "));
            out.push('\n');
        }
        out
    }
}
