//! `RACEPROOF CLOCK`

use bytes::Bytes;
use raceproof_engine::{Reply, Timestamp};

use super::{Answer, Asker, is, number, shown};
use crate::clock::{LATEST_MS, span_ms};
use crate::server::Server;

const USAGE: &str = "CLOCK takes NOW, FREEZE, RESUME, ADVANCE <ms|90s|5m|1h|7d> or SET <unix-ms>";

impl Server {
    pub(super) fn control_clock(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let machine_us = self.machine_us;
        let universe = &mut self.universes[asker.universe];
        match args {
            [word] if is(word, "now") => {}
            [word] if is(word, "freeze") => universe.clock = universe.clock.frozen(machine_us),
            [word] if is(word, "resume") => universe.clock = universe.clock.resumed(machine_us),
            [word, span] if is(word, "advance") => {
                let now = universe.clock.now(machine_us);
                let span = span_ms(span).ok_or_else(|| {
                    format!(
                        "CLOCK ADVANCE takes milliseconds, or a number with ms, s, m, h or d; not '{}'",
                        shown(span)
                    )
                })?;
                self.move_clock(asker.universe, Timestamp { unix_us: now.unix_us.saturating_add(span * 1000) })?;
            }
            [word, at] if is(word, "set") => {
                let at = number(at).filter(|at: &i64| *at >= 0).map(|at| at.min(LATEST_MS + 1));
                let at = at
                    .ok_or_else(|| format!("CLOCK SET takes a Unix time in milliseconds, not '{}'", shown(&args[1])))?;
                self.move_clock(asker.universe, Timestamp::from_ms(at))?;
            }
            _ => return Err(USAGE.into()),
        }
        Ok(Reply::Integer(self.universes[asker.universe].clock.now(machine_us).ms()))
    }

    /// Forwards everything that is due on the way happens in its order. Backwards nothing happens.
    fn move_clock(&mut self, number: usize, to: Timestamp) -> Result<(), String> {
        if to.ms() > LATEST_MS {
            return Err(format!("CLOCK goes up to {LATEST_MS} (the year 9999), and not to {}", to.ms()));
        }
        let machine_us = self.machine_us;
        let from = self.universes[number].clock.now(machine_us);
        self.pass(number, from, to);
        let universe = &mut self.universes[number];
        universe.clock = universe.clock.moved_to(to, machine_us);
        universe.idle_from_ms = i64::MIN;
        Ok(())
    }
}
