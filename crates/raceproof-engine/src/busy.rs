//! A script that runs on while others want something. To the engine a script is one step; whoever runs it may look up from it
//! ([`PatientHost`](crate::PatientHost)) and answer others what Redis answers when a script has taken longer than
//! `busy-reply-threshold`: most commands are refused, and the script can be ended if it has not written.

use bytes::Bytes;

use crate::{
    Engine, LibraryFunction, Outcome, Reply, Script, ScriptCalls, ScriptHost, SessionId, Timestamp,
    context::Context,
    failure::{Answer, Failure},
};

/// The script that runs.
#[derive(Clone, Debug)]
pub(crate) struct Busy {
    /// The name of the function; nothing for a script.
    pub(crate) function: Option<Bytes>,
    /// The command that runs it.
    pub(crate) command: Vec<Bytes>,
    pub(crate) wrote: bool,
    pub(crate) since: Timestamp,
    /// What `TIME` tells the script: keys still live and die by the time at which it began.
    pub(crate) now: Timestamp,
    /// Whether it is to end.
    pub(crate) killed: bool,
}

impl Busy {
    /// What others are answered meanwhile.
    pub(crate) const fn refusal(&self) -> Failure {
        Failure::Constant(match self.function {
            None => "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
            Some(_) => "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.",
        })
    }
}

/// `SCRIPT KILL` and `FUNCTION KILL`.
pub(crate) fn end_script(context: &mut Context<'_>, of_function: bool) -> Answer {
    let Some(busy) = &mut context.engine.busy else {
        return Err(Failure::Constant("NOTBUSY No scripts in execution right now."));
    };
    if busy.wrote {
        return Err(Failure::Constant(
            "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the \
             script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
        ));
    }
    if busy.function.is_some() != of_function {
        return Err(busy.refusal());
    }
    busy.killed = true;
    Ok(Reply::Simple("OK"))
}

impl Engine {
    /// Executes a command of another session while a script runs; it is for those who got the engine from
    /// [`ScriptCalls::engine`]. What is refused then is refused, and nobody who waits is served.
    pub fn execute_meanwhile(&mut self, session: SessionId, args: &[Bytes], now: Timestamp, out: &mut Outcome) {
        self.execute(&mut NoScripts, session, args, now, out);
    }

    /// So late it is by now for the running script: `TIME` goes on while it runs.
    pub fn script_goes_on(&mut self, now: Timestamp) {
        if let Some(busy) = &mut self.busy {
            busy.now.unix_us = busy.now.unix_us.max(now.unix_us);
        }
    }

    /// Has the running script end, as `SCRIPT KILL` does but whatever it has written.
    pub fn end_script(&mut self) {
        if let Some(busy) = &mut self.busy {
            busy.killed = true;
        }
    }

    /// Whether the running script is to end.
    #[must_use]
    pub fn script_is_ended(&self) -> bool {
        self.busy.as_ref().is_some_and(|busy| busy.killed)
    }
}

/// While a script runs, no other one does.
struct NoScripts;

impl ScriptHost for NoScripts {
    fn compile(&mut self, _: &str, _: &Bytes) -> Result<(), Bytes> {
        Err(Bytes::from_static(b"ERR scripts do not nest"))
    }

    fn run(&mut self, _: Script<'_>, _: &mut dyn ScriptCalls) -> Reply {
        Reply::Error(Bytes::from_static(b"ERR scripts do not nest"))
    }

    fn load_library(&mut self, _: &str, _: &Bytes) -> Result<Vec<LibraryFunction>, Bytes> {
        Err(Bytes::from_static(b"ERR scripts do not nest"))
    }
}
