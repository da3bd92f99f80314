//! The browser that the pages are tested in: found, installed where possible. Never left out in silence.

use std::env;

use crate::apt;
use crate::process::{Error, Task};

/// Names the browser to be used instead of the one on PATH. The tests read it as well.
const OVERRIDE: &str = "RACEPROOF_CHROMIUM";
/// What Chromium is called where.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// Sees to it that a Chromium can be run.
pub(crate) fn setup() -> Result<(), Error> {
    if let Some(program) = env::var_os(OVERRIDE) {
        let shown = program.to_string_lossy().into_owned();
        let version = version(&shown)
            .ok_or_else(|| Error::Setup(format!("{OVERRIDE} is {shown:?}, which does not run as a browser")))?;
        eprintln!("xtask: {version}");
        return Ok(());
    }
    if let Some(version) = NAMES.iter().find_map(|name| version(name)) {
        eprintln!("xtask: {version}");
        return Ok(());
    }
    if !apt::can_install() {
        let debian = "  Debian, Ubuntu: sudo apt-get install chromium";
        let other = format!("  elsewhere: install Chromium or Chrome, and export {OVERRIDE}=/path/to/it");
        return Err(Error::Setup(format!(
            "no browser is installed; the pages are tested in Chromium\n{debian}\n{other}"
        )));
    }
    apt::install("chromium")?;
    let version = version("chromium")
        .ok_or_else(|| Error::Setup("apt-get installed chromium, but it does not run".to_owned()))?;
    eprintln!("xtask: {version}");
    Ok(())
}

/// The line that it prints: `Chromium 150.0.7871.100 built on Debian …`.
fn version(program: &str) -> Option<String> {
    Some(Task::new(program).args(["--version"]).output()?.trim().to_owned())
}
