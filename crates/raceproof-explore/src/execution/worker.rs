//! What outlives an execution: the stores with the state after the setup, and the numbers of things.

use std::collections::HashSet;

use raceproof_engine::{Access, Engine, LuaHost, Options, Outcome, Timestamp};
use rustc_hash::FxHashMap;

use super::client::Spare;
use super::direct::Direct;
use super::server::Server;
use super::{Execution, Recall, Run};
use crate::backend::Backend;
use crate::ctx::Ctx;
use crate::event::{CLOCK, ClientId, END, FAULTS, ProcessId, ThingId, Things, Touched};
use crate::mailbox::Lane;
use crate::numbers::Numbers;
use crate::report::Broken;
use crate::sql::SqlStore;
use crate::world::{Failure, World};
use crate::{Bounds, Error};

/// 2026-01-01T00:00:00Z: where the virtual clock of every search starts.
const EPOCH_MS: i64 = 1_767_225_600_000;

/// What one run is for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mode {
    /// Keep the steps as text.
    pub(crate) record: bool,
    /// Keep what was asked in each step and what came of it, to be put into words later: [`super::Run::said`].
    pub(crate) noted: bool,
    /// Clients that never start.
    pub(crate) absent: HashSet<ClientId>,
    /// End at the first violation instead of running all clients to their end.
    pub(crate) stop_at_violation: bool,
    /// Compute [`super::Run::final_state`].
    pub(crate) fingerprint_state: bool,
    /// Execute every command on the engine itself and make every step in full, whatever is known: what remembering and
    /// the short ways are held against.
    pub(crate) in_full: bool,
    /// The clients take turns in this order, each until it has ended.
    pub(crate) in_turn: Option<Vec<ClientId>>,
}

impl Mode {
    /// Whether steps are shown, now or later.
    pub(super) const fn is_shown(&self) -> bool {
        self.record || self.noted
    }
}

/// One thread's stores and tables.
pub(crate) struct Worker {
    pub(crate) engine: Server,
    pub(crate) lua: LuaHost,
    pub(crate) sql: SqlStore,
    pub(crate) things: Things,
    /// What `always` checks have read.
    pub(crate) observed: Vec<(ThingId, Access)>,
    /// The `always` checks read something new, so what was explored before was reduced too much.
    pub(crate) restart: bool,
    pub(crate) outcome: Outcome,
    /// A real server that runs beside the engine.
    pub(crate) backend: Option<Attached>,
    /// What a search that keeps states knows; `None` in all others.
    pub(crate) recall: Option<Recall>,
    pub(super) base: Option<Base>,
    /// The stores are as they were made.
    is_new: bool,
    numbers: Numbers,
    /// How executions end in which the clients take turns.
    pub(crate) serial: Option<crate::search::Serial>,
    clients: FxHashMap<(Option<ClientId>, usize), ClientId>,
    /// By number: who started the client, and which of theirs it is.
    made_by: Vec<(Option<ClientId>, usize)>,
    processes: FxHashMap<(ClientId, Lane), ProcessId>,
    lanes: Vec<(ClientId, Lane)>,
    pub(super) spare: Spare,
    /// Of what there are more than can be numbered.
    pub(super) run_out: Option<&'static str>,
}

/// A backend, and the first difference that it showed.
pub(crate) struct Attached {
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) difference: Option<String>,
    /// The last step has been made.
    pub(crate) at_the_end: bool,
    pub(crate) start_ms: i64,
}

/// The state that every execution starts from.
pub(super) struct Base {
    now_ms: i64,
    /// The setup changed state that the stores do not hold (files, shared cells), so it runs before every execution.
    again: bool,
}

impl Worker {
    pub(crate) fn new() -> Self {
        Self::beside(Numbers::default())
    }

    /// A worker that shares its numbers with others.
    pub(crate) fn beside(numbers: Numbers) -> Self {
        Self {
            engine: Server::new(engine()),
            lua: LuaHost::new(),
            sql: SqlStore::default(),
            things: Things::new(numbers.clone()),
            observed: Vec::new(),
            restart: false,
            outcome: Outcome { without_effects: true, with_between: true, ..Outcome::default() },
            backend: None,
            recall: None,
            base: None,
            is_new: true,
            numbers,
            serial: None,
            clients: FxHashMap::default(),
            made_by: Vec::new(),
            processes: FxHashMap::default(),
            lanes: Vec::new(),
            spare: Spare::left(),
            run_out: None,
        }
    }

    /// Takes back what an execution is made of, for the next one.
    pub(crate) fn recycle(&mut self, run: Box<Run>) {
        self.spare.take_run(run);
    }

    /// Where the clock of the next execution starts (ms since the Unix epoch).
    pub(crate) fn start_ms(&self) -> i64 {
        self.base.as_ref().map_or_else(|| self.origin_ms(), |base| base.now_ms)
    }

    /// Where the clock of the setup starts.
    fn origin_ms(&self) -> i64 {
        self.backend.as_ref().map_or(EPOCH_MS, |attached| attached.start_ms)
    }

    /// Builds the world by `body` and runs it. The setup runs the first time; later its state is restored.
    ///
    /// `Err(Ok(failure))` is a failure of the setup, which is a violation.
    pub(crate) fn world(&mut self, body: &dyn Fn(&mut World)) -> Result<Result<World, Failure>, Error> {
        self.base = self.base.take().filter(|base| !base.again);
        let clients = std::mem::take(&mut self.spare.newcomers);
        let mut world = World::on(self.spare.stage.take().unwrap_or_default(), clients, self.start_ms());
        body(&mut world);
        if let Some(error) = world.error.take() {
            return Err(error);
        }
        if world.clients.is_empty() {
            return Err(Error::NoClients);
        }
        let database = |error: rusqlite::Error| Error::Database(error.to_string());
        match &self.base {
            Some(_) => {
                self.engine.restart();
                self.sql.restore().map_err(database)?;
            }
            None => {
                let again = match self.set_up(&mut world)? {
                    Ok(again) => again,
                    Err(failure) => return Ok(Err(failure)),
                };
                self.sql.keep().map_err(database)?;
                let now_ms = world.now_ms;
                for (_, port, _) in &world.clients {
                    port.lock().now_ms = now_ms;
                }
                self.engine.start_here(Timestamp::from_ms(now_ms));
                self.base = Some(Base { now_ms, again });
            }
        }
        if self.recall.is_some() {
            // It has to see each command being executed.
            self.engine.leave();
        }
        Ok(Ok(world))
    }

    /// Runs the setup. True if it must run before every execution.
    fn set_up(&mut self, world: &mut World) -> Result<Result<bool, Failure>, Error> {
        if !std::mem::take(&mut self.is_new) {
            self.engine.replace(engine());
            self.sql.clear().map_err(|error| Error::Database(error.to_string()))?;
        }
        let setups = std::mem::take(&mut world.setup);
        if setups.is_empty() {
            return Ok(Ok(world.stage.has_spawned()));
        }
        let now_ms = world.now_ms;
        let mut execution =
            Execution::new(self, World { now_ms, ..World::default() }, Bounds::default(), Mode::default());
        execution.direct = Direct::of_setup();
        for setup in setups {
            let port = execution.direct_port();
            let ctx = Ctx::new("setup", port, world.stage.clone());
            if let Err(failure) = execution.run_direct("setup", &port, setup(ctx))? {
                return Ok(Err(failure));
            }
        }
        let again = execution.direct.changed_cells() || world.stage.has_spawned();
        execution.close_direct();
        world.now_ms = execution.now_ms;
        Ok(Ok(again))
    }

    pub(crate) fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    pub(crate) fn client_id(&mut self, parent: Option<ClientId>, number: usize) -> ClientId {
        // Those of the body mostly come first.
        if self.made_by.get(number) == Some(&(parent, number)) {
            return ClientId(u16::try_from(number).unwrap_or(u16::MAX));
        }
        if let Some(id) = self.clients.get(&(parent, number)) {
            return *id;
        }
        let numbers = self.numbers.clone();
        let mut shared = numbers.lock();
        self.learn_clients(&shared.clients);
        if !self.clients.contains_key(&(parent, number)) {
            shared.clients.push((parent, number));
            self.learn_clients(&shared.clients);
        }
        self.clients[&(parent, number)]
    }

    fn learn_clients(&mut self, clients: &[(Option<ClientId>, usize)]) {
        for client in &clients[self.clients.len()..] {
            let id = ClientId(u16::try_from(self.clients.len()).unwrap_or(u16::MAX));
            if id.0 == u16::MAX {
                self.run_out = Some("clients");
            }
            self.clients.insert(*client, id);
            self.made_by.push(*client);
        }
    }

    pub(crate) fn process_id(&mut self, client: ClientId, lane: Lane) -> ProcessId {
        const FEW: usize = 8;
        let first = self.lanes.iter().take(FEW).position(|known| *known == (client, lane));
        if let Some(id) = first.and_then(|at| u16::try_from(at + 1).ok()) {
            return ProcessId(id);
        }
        if let Some(id) = self.processes.get(&(client, lane)) {
            return *id;
        }
        let numbers = self.numbers.clone();
        let mut shared = numbers.lock();
        self.learn_from(&shared.lanes);
        if !self.processes.contains_key(&(client, lane)) {
            shared.lanes.push((client, lane));
            self.learn_from(&shared.lanes);
        }
        self.processes[&(client, lane)]
    }

    /// Takes over the numbers that other workers have given.
    pub(crate) fn learn(&mut self) {
        self.things.learn();
        let numbers = self.numbers.clone();
        self.learn_from(&numbers.lock().lanes);
    }

    fn learn_from(&mut self, lanes: &[(ClientId, Lane)]) {
        for (client, lane) in &lanes[self.lanes.len()..] {
            self.lanes.push((*client, *lane));
            let id = ProcessId(u16::try_from(self.lanes.len()).unwrap_or(u16::MAX));
            if id.0 >= END.0 {
                self.run_out = Some("sessions, database connections and pieces of shared state");
            }
            self.processes.insert((*client, *lane), id);
        }
    }

    /// The client whose steps those of a process are; `None` for the clock, the faults, the end, and a command that is on
    /// its way.
    #[inline]
    pub(crate) fn owner(&self, process: ProcessId) -> Option<ClientId> {
        self.lane(process).filter(|(_, lane)| !matches!(lane, Lane::Late(_))).map(|(client, _)| client)
    }

    /// What a process is the lane of, and whose; `None` for the clock, the faults and the end.
    #[inline]
    pub(crate) fn lane(&self, process: ProcessId) -> Option<(ClientId, Lane)> {
        if matches!(process, CLOCK | END | FAULTS) { None } else { Some(self.lanes[usize::from(process.0) - 1]) }
    }

    /// The process of a client's lane, if there has been a step of it.
    pub(crate) fn process_of(&self, client: ClientId, lane: Lane) -> Option<ProcessId> {
        self.processes.get(&(client, lane)).copied()
    }

    /// Who started a client, and which of theirs it is.
    pub(crate) fn made_by(&self, client: ClientId) -> Option<(Option<ClientId>, usize)> {
        self.made_by.get(usize::from(client.0)).copied()
    }

    /// What `CLIENT ID` says on a connection of a client: by whose it is, which of theirs, and how often it was opened
    /// before. The server's own numbers tell who came first, which no footprint says.
    pub(super) fn connection_id(&self, client: ClientId, number: u32, opened: u32) -> i64 {
        const SPAWNED: i64 = 1 << 20;
        let who = match self.made_by(client) {
            Some((None, number)) => i64::try_from(number + 1).unwrap_or(SPAWNED - 1),
            // By its place in the tree of clients: 40 bits.
            _ => {
                let path = self.path(client);
                let hash = path.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, at| {
                    (hash ^ u64::try_from(*at).unwrap_or(u64::MAX)).wrapping_mul(0x0100_0000_01b3)
                });
                SPAWNED + (hash >> 24).cast_signed()
            }
        };
        who * 10_000 + i64::from(number % 100) * 100 + i64::from(opened % 100)
    }

    /// A client's place in the tree of clients: the same in every search.
    pub(super) fn path(&self, id: ClientId) -> Vec<usize> {
        let mut path = Vec::new();
        let mut next = Some(id);
        while let Some((parent, number)) = next.and_then(|id| self.made_by(id)) {
            path.push(number);
            next = parent;
        }
        path.reverse();
        path
    }

    /// A client's name in a run.
    pub(crate) fn client_name(&self, client: ClientId, run: &super::Run) -> String {
        run.cast.iter().find(|(id, _)| *id == client).map_or_else(String::new, |(_, name)| name.clone())
    }

    /// Remembers what an `always` check read. True if something is new.
    pub(crate) fn add_observed(&mut self, read: &Touched) -> bool {
        let before = self.observed.len();
        for access in read.iter() {
            if !self.observed.contains(access) {
                self.observed.push(*access);
            }
        }
        self.observed.len() > before
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        std::mem::take(&mut self.spare).leave();
    }
}

fn engine() -> Engine {
    Engine::new(Options { sorted_replies: true, ..Options::default() })
}

/// Names what a setup failure broke.
pub(crate) const SETUP: Broken = Broken::Setup;
