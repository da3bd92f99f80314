//! What is looked at beside the traffic: connections that take too much, and what the engine is told of them.

use bytes::Bytes;
use raceproof_engine::{Machine, ProcessCounts};

use crate::clock::Clock;
use crate::connection::{Connection, Ending};
use crate::limits::OutputLimit;
use crate::machine;
use crate::server::Server;
use crate::universe::{NOBODY, Universe};

impl Universe {
    /// How much output of a connection may wait.
    pub(crate) fn output_limit(&self, connection: &Connection) -> OutputLimit {
        match connection.is_fed {
            true => self.limits.replica,
            false if self.engine.is_subscriber(connection.session) => self.limits.pubsub,
            false => self.limits.normal,
        }
    }
}

impl Server {
    /// Closes a connection whose output is above its limit, as soon as it is made: what it was to be sent goes nowhere.
    pub(crate) fn check_output(&mut self, place: usize) {
        let Some(connection) = self.connections.get(place) else { return };
        let universe = &self.universes[connection.universe];
        if universe.output_limit(connection).is_exceeded(connection, self.machine_us) {
            connection.ending = Ending::Now;
            self.connections.mark_dirty(place);
        }
    }

    /// Closes those that have been above a soft limit for too long, although nothing more comes for them.
    pub(crate) fn close_overdue(&mut self) {
        if self.above.is_empty() {
            return;
        }
        for place in std::mem::take(&mut self.above) {
            let Some(connection) = self.connections.get(place) else { continue };
            let universe = &self.universes[connection.universe];
            if universe.output_limit(connection).is_exceeded(connection, self.machine_us) {
                self.close(place);
            } else if connection.above_since.is_some() {
                self.above.push(place);
            }
        }
    }

    /// Closes the connections that take the most memory as long as all of them take more than `maxmemory-clients`, in the universes that were
    /// at work in this turn. Replicas do not count.
    pub(crate) fn evict_clients(&mut self) {
        for at in 0..self.touched.len() {
            let number = self.touched[at];
            let limit = self.universes[number].limits.memory;
            if limit == 0 {
                continue;
            }
            self.tell_buffers(number);
            let universe = &self.universes[number];
            let (mut total, mut known) = (0, Vec::new());
            for place in universe.connections.iter().copied().filter(|place| *place != NOBODY) {
                let Some(connection) = self.connections.get(place).filter(|connection| !connection.is_fed) else {
                    continue;
                };
                let Some((bytes, spared)) = universe.engine.client_memory(connection.session) else { continue };
                total += bytes;
                if !spared {
                    known.push((bytes, place));
                }
            }
            known.sort_unstable();
            while total >= limit
                && let Some((bytes, place)) = known.pop()
            {
                total -= bytes;
                self.counts.evicted += 1;
                self.close(place);
            }
        }
    }

    /// Tells the engine what the command is about to show. The command itself is yet to be executed.
    pub(crate) fn tell_before(&mut self, place: usize) -> bool {
        if let Some(connection) = self.connections.get(place) {
            let number = connection.universe;
            self.tell_process(number);
        }
        false
    }

    /// `WAIT`: replicas are asked how far they are.
    pub(crate) fn wait_for_replicas(&mut self, place: usize, args: &[Bytes]) -> bool {
        let Some(connection) = self.connections.get(place) else { return true };
        let number = connection.universe;
        self.tell_stream(number);
        self.execute_then(place, args, |_| ());
        self.ask_replicas(number);
        true
    }

    /// Tells the engine what it is about to show: of the process, of connections, of replicas. Where the clock stands, replies are to be the
    /// same in every run, and nothing is told of the machine.
    pub(crate) fn tell_process(&mut self, number: usize) {
        self.tell_buffers(number);
        self.tell_stream(number);
        if let Some(machine) = &mut self.universes[number].engine.process_mut().machine {
            let buffers = std::mem::take(&mut machine.buffers);
            let counts = machine.counts;
            *machine = Machine { buffers, counts, ..machine::of_this_process() };
        }
    }

    /// Tells the engine of the buffers of connections, and what went through them.
    fn tell_buffers(&mut self, number: usize) {
        let universe = &mut self.universes[number];
        let process = universe.engine.process_mut();
        if !matches!(universe.clock, Clock::Running { .. }) {
            process.machine = None;
            return;
        }
        let forget_ms = process.reply_peak_ms;
        let machine = process.machine.get_or_insert_default();
        machine.buffers.clear();
        machine.buffers.resize(universe.connections.len(), Default::default());
        let now_ms = universe.clock.now(self.machine_us).ms();
        let mut counts = self.counts;
        for (session, place) in universe.connections.iter().enumerate() {
            let Some(connection) = self.connections.get(*place) else { continue };
            machine.buffers[session] = connection.buffers(now_ms, forget_ms);
            add_traffic(&mut counts, connection);
        }
        machine.counts = counts;
    }

    /// Keeps the counts of a connection that is closed.
    pub(crate) fn count_traffic(&mut self, connection: &Connection) {
        add_traffic(&mut self.counts, connection);
    }
}

/// Whether `CLIENT` shows what the engine has to be told.
pub(crate) fn shows_buffers(args: &[Bytes]) -> bool {
    args.get(1).is_some_and(|name| name.eq_ignore_ascii_case(b"list") || name.eq_ignore_ascii_case(b"info"))
}

fn add_traffic(counts: &mut ProcessCounts, connection: &Connection) {
    let traffic = connection.traffic;
    counts.input_bytes += traffic.input;
    counts.reads += traffic.reads;
    counts.writes += traffic.writes;
    *(if connection.is_fed { &mut counts.replica_bytes } else { &mut counts.output_bytes }) += traffic.output;
}
