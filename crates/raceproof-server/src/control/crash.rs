//! `RACEPROOF CRASH`, `PERSISTENCE` and `EVICT`

use bytes::Bytes;
use raceproof_engine::Reply;

use super::{Answer, Asker, is, shown};
use crate::durability::{Crash, Durability, Persistence, Survivors};
use crate::login::configure;
use crate::server::Server;
use crate::universe::NOBODY;

impl Server {
    pub(super) fn control_persistence(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let universe = &mut self.universes[asker.universe];
        match args {
            [] => Ok(Reply::Simple(universe.durability.policy.name())),
            [name] => {
                let policy = Persistence::named(name)
                    .ok_or_else(|| format!("PERSISTENCE is always, everysec, no or off, not '{}'", shown(name)))?;
                universe.durability = Durability::new(policy, &universe.engine);
                Ok(Reply::Simple("OK"))
            }
            _ => Err("PERSISTENCE takes one of always, everysec, no and off".into()),
        }
    }

    pub(super) fn control_crash(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let (mut crash, mut worst) = (Crash::Process, true);
        for arg in args {
            match arg {
                arg if is(arg, "process") => crash = Crash::Process,
                arg if is(arg, "power") => crash = Crash::Power,
                arg if is(arg, "worst") => worst = true,
                arg if is(arg, "any") => worst = false,
                arg => return Err(format!("CRASH takes PROCESS or POWER, and WORST or ANY; not '{}'", shown(arg))),
            }
        }
        let universe = &mut self.universes[asker.universe];
        let survivors = if worst { Survivors::Worst } else { Survivors::Chosen(universe.choose()) };
        let now = universe.clock.now(self.machine_us);
        let kept = universe.durability.after_crash(
            crash,
            survivors,
            &universe.engine,
            universe.saved.as_ref(),
            now,
            &mut self.host,
        );
        universe.engine = universe.engine.restarted(kept);
        self.drop_connections(asker);
        self.start_again(asker.universe);
        Ok(Reply::Simple("OK"))
    }

    /// Every connection of the universe ends. Only the one that asked gets what it is owed, this command's reply at last, and by
    /// then the others are closed.
    fn drop_connections(&mut self, asker: Asker) {
        let universe = &mut self.universes[asker.universe];
        let dropped = std::mem::take(&mut universe.connections);
        for place in dropped.into_iter().filter(|place| *place != NOBODY) {
            if let Some(connection) = self.connections.get(place) {
                let universe = &mut self.universes[asker.universe];
                connection.session = universe.connect(place, connection.addresses.clone(), self.machine_us);
                connection.waits = false;
                connection.end_after_output();
            }
            if place != asker.place {
                self.close(place);
            }
        }
        self.connections.mark_dirty(asker.place);
    }

    /// The new process reads its settings, and what expired while there was none goes.
    fn start_again(&mut self, number: usize) {
        let universe = &mut self.universes[number];
        // They were accepted at the start.
        let _ = configure(universe, &self.settings, &self.doors, self.machine_us, &mut self.host);
        universe.reread_settings();
        universe.durability = Durability::new(universe.durability.policy, &universe.engine);
        let now = universe.clock.now(self.machine_us);
        self.pass(number, now, now);
    }

    pub(super) fn control_evict(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        if args.is_empty() {
            return Err("EVICT takes keys".into());
        }
        let Some(connection) = self.connections.get(asker.place) else { return Ok(Reply::Null) };
        let session = connection.session;
        let now = self.universes[asker.universe].clock.now(self.machine_us);
        let mut evicted = 0;
        for key in args {
            let universe = &mut self.universes[asker.universe];
            self.outcome.without_effects = !universe.wants_effects();
            evicted += i64::from(universe.engine.evict(session, key, now, &mut self.outcome));
            self.send_out(asker.universe, now);
        }
        Ok(Reply::Integer(evicted))
    }
}
