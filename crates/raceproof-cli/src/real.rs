//! What a real redis-server of the command's own has to say: `--confirm`.

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Check, Confirmation, Error, Played, Report, Stopped, Strategy};
use raceproof_lab::RealRedis;

/// How many random schedules of a scenario are played that nothing has broken.
const SCHEDULES: u64 = 10;

/// What a real server did.
#[derive(Debug)]
pub(crate) enum Real {
    /// With a counterexample.
    Confirmed(Confirmation),
    /// With schedules that break nothing.
    Played(Played),
}

/// Plays what a search has found, or some of what it has run; nothing if it was interrupted.
pub(crate) fn hold_against(scenario: &Scenario, check: Check, report: &Report) -> Result<Option<Real>, Error> {
    let check = check.strategy(Strategy::Exhaustive);
    match &report.violation {
        Some(found) => confirm(scenario, &check, &found.token).map(|confirmation| Some(Real::Confirmed(confirmation))),
        None if report.cover.stopped == Some(Stopped::Asked) => Ok(None),
        None => {
            let server = start()?;
            scenario.play(&check, SCHEDULES, 0, Box::new(server)).map(|played| Some(Real::Played(played)))
        }
    }
}

/// Plays a counterexample. That it cannot be played is no error, it is not confirmed then.
pub(crate) fn confirm(scenario: &Scenario, check: &Check, token: &str) -> Result<Confirmation, Error> {
    let server = start()?;
    let name = format!("redis-server {}", server.server().version());
    match scenario.confirm(check, token, Box::new(server)) {
        Err(Error::Backend(why)) => {
            let difference = Some(format!("it cannot be played there: {why}"));
            Ok(Confirmation { server: name, same_outcome: false, difference })
        }
        outcome => outcome,
    }
}

fn start() -> Result<RealRedis, Error> {
    RealRedis::start().map_err(|error| Error::Backend(format!("--confirm: {error}")))
}
