//! `RACEPROOF SNAPSHOT`, `REWIND` and `SEED`

use bytes::Bytes;
use raceproof_engine::Reply;

use super::{Answer, Asker, number, shown};
use crate::server::Server;
use crate::universe::Snapshot;

/// The most snapshots of one universe.
const MOST_SNAPSHOTS: usize = 1000;

impl Server {
    pub(super) fn control_snapshot(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let [name] = args else { return Err("SNAPSHOT takes a name".into()) };
        let machine_us = self.machine_us;
        let universe = &mut self.universes[asker.universe];
        if universe.snapshots.len() >= MOST_SNAPSHOTS && !universe.snapshots.contains_key(name) {
            return Err(format!("SNAPSHOT keeps {MOST_SNAPSHOTS} at most; use a name again"));
        }
        let snapshot = Snapshot {
            engine: universe.engine.clone(),
            durability: universe.durability.clone(),
            saved: universe.saved.clone(),
            now: universe.clock.now(machine_us),
        };
        universe.snapshots.insert(name.clone(), snapshot);
        Ok(Reply::Simple("OK"))
    }

    pub(super) fn control_rewind(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let [name] = args else { return Err("REWIND takes the name of a snapshot".into()) };
        let machine_us = self.machine_us;
        let universe = &mut self.universes[asker.universe];
        let Some(snapshot) = universe.snapshots.get(name) else {
            return Err(format!("REWIND knows no snapshot '{}'; RACEPROOF SNAPSHOT makes one", shown(name)));
        };
        let now = snapshot.now;
        universe.durability.clone_from(&snapshot.durability);
        universe.saved.clone_from(&snapshot.saved);
        universe.clock = universe.clock.moved_to(now, machine_us);
        universe.idle_from_ms = i64::MIN;
        self.outcome.without_effects = !universe.durability.wants_effects();
        universe.engine.rewind(&snapshot.engine, &mut self.host, now, &mut self.outcome);
        self.send_out(asker.universe, now);
        self.drop_replicas(asker.universe);
        Ok(Reply::Simple("OK"))
    }

    pub(super) fn control_seed(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let seed = match args {
            [seed] => {
                number(seed).ok_or_else(|| format!("SEED takes a number from 0 to 2^64-1, not '{}'", shown(seed)))?
            }
            _ => return Err("SEED takes a number".into()),
        };
        let universe = &mut self.universes[asker.universe];
        universe.engine.reseed(seed);
        universe.choices = seed;
        Ok(Reply::Simple("OK"))
    }
}
