//! Ctrl-C: the first ends the searches, and what is known by then is printed; the second ends the command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use raceproof_explore::remove_temporary_folders;

use crate::output::remark;

/// The exit status of a command that was interrupted, as shells have it for an interrupt (128 + 2).
pub(crate) const INTERRUPTED: u8 = 130;

/// A flag that is set when the user (or whoever ends the process) asks the command to end.
pub(crate) fn listen() -> Result<Arc<AtomicBool>, String> {
    let asked = Arc::new(AtomicBool::new(false));
    let set = asked.clone();
    let handler = move || {
        if set.swap(true, Ordering::Relaxed) {
            remove_temporary_folders();
            std::process::exit(INTERRUPTED.into());
        }
        remark("stopping: what is known so far follows; once more ends at once");
    };
    ctrlc::set_handler(handler).map_err(|error| format!("cannot listen for Ctrl-C: {error}"))?;
    Ok(asked)
}
