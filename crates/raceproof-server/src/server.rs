//! The loop: who is ready is read, executed, and answered.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::{Events, Poll, Registry, Token, Waker};
use raceproof_engine::{Footprint, LuaHost, Outcome, ProcessCounts, SessionId, Timestamp};
use rustc_hash::FxHashMap;

use crate::clock::machine_us;
use crate::connection::{Addresses, Connection, Ending, Socket};
use crate::doors::Doors;
use crate::listener::{Listener, StartError};
use crate::settings::Settings;
use crate::universe::{Due, NOBODY, Universe};

/// How much is read from a socket at once.
const READ: usize = 64 * 1024;
/// How many sockets are looked at in one turn.
const EVENTS: usize = 1024;
/// How many connections are accepted in one turn.
const ACCEPTED: usize = 1000;
/// Files that are open besides connections.
const OTHER_FILES: u64 = 64;
/// Where turns follow each other within this time, requests come in quick succession.
const BRISK: Duration = Duration::from_micros(30);
/// For how long sockets are then asked again and again before the thread goes to sleep.
const AWAKE: Duration = Duration::from_micros(20);
/// How long to wait before connections are accepted again after there was no room for one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often those are looked at whose output is above a soft limit.
const SOFT_LIMIT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) const WAKER: Token = Token(usize::MAX);
/// Tokens from here on are listeners, below are connections.
pub(crate) const LISTENERS: usize = usize::MAX / 2;

/// Ends a server from another thread.
#[derive(Clone, Debug)]
pub struct Stopper {
    waker: Arc<Waker>,
    asked: Arc<AtomicBool>,
}

impl Stopper {
    /// Has the server end after the turn that it is in.
    pub fn stop(&self) {
        self.asked.store(true, Ordering::Release);
        // If the poll is gone, so is the server.
        let _ = self.waker.wake();
    }

    pub(crate) fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Acquire)
    }
}

/// What a new connection of a universe begins with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Greeting {
    /// `tcp-keepalive` (s)
    pub(crate) keepalive_s: u32,
    /// The time in the universe.
    pub(crate) now: Timestamp,
}

/// The connections and what is to be done for them.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    list: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Those that have something to write, or end.
    pub(crate) dirty: Vec<usize>,
    /// Those that can go on without news from the socket.
    pub(crate) ready: Vec<usize>,
}

impl Connections {
    pub(crate) fn get(&mut self, place: usize) -> Option<&mut Connection> {
        self.list.get_mut(place)?.as_mut()
    }

    /// A place that nobody has, which the next connection is put in.
    fn free_place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.list.push(None);
            self.list.len() - 1
        })
    }

    /// Makes a socket a connection of the first universe, in the place that it gives; `connect` opens its session.
    pub(crate) fn adopt(
        &mut self,
        socket: Socket,
        registry: &Registry,
        greeting: Greeting,
        connect: impl FnOnce(usize, Addresses) -> SessionId,
    ) -> usize {
        if greeting.keepalive_s > 0 {
            // A peer that is gone already will be noticed when it is read.
            let _ = socket.keep_alive(greeting.keepalive_s);
        }
        let place = self.free_place();
        let session = connect(place, socket.addresses());
        let mut connection = Connection::new(socket, 0, session);
        connection.active_s = greeting.now.ms().div_euclid(1000);
        if connection.register(registry, Token(place)).is_err() {
            connection.ending = Ending::Now;
        }
        self.list[place] = Some(connection);
        self.mark_dirty(place);
        place
    }

    /// How many places there are, taken or not.
    pub(crate) const fn places(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len() - self.free.len()
    }

    pub(crate) fn mark_dirty(&mut self, place: usize) {
        if let Some(connection) = self.get(place)
            && !std::mem::replace(&mut connection.is_dirty, true)
        {
            self.dirty.push(place);
        }
    }

    pub(crate) fn mark_ready(&mut self, place: usize) {
        if let Some(connection) = self.get(place)
            && !std::mem::replace(&mut connection.is_ready, true)
        {
            self.ready.push(place);
        }
    }
}

/// A server.
#[derive(Debug)]
pub struct Server {
    pub(crate) poll: Poll,
    pub(crate) listeners: Vec<Listener>,
    /// Whether a listener could not accept for want of room, and is to be tried again.
    pub(crate) accept_again: bool,
    pub(crate) connections: Connections,
    pub(crate) universes: Vec<Universe>,
    pub(crate) by_name: FxHashMap<Bytes, usize>,
    /// When universes have to be looked at, by the machine's clock (µs).
    alarms: BTreeSet<(i64, usize)>,
    /// Universes whose alarm has to be set anew.
    pub(crate) touched: Vec<usize>,
    pub(crate) host: LuaHost,
    pub(crate) outcome: Outcome,
    pub(crate) due: Vec<(Due, Timestamp)>,
    pub(crate) scratch: Vec<u8>,
    pub(crate) settings: Settings,
    /// The machine's clock in this turn (µs).
    pub(crate) machine_us: i64,
    pub(crate) stopper: Stopper,
    pub(crate) doors: Doors,
    /// The number of the next listener.
    pub(crate) next_door: usize,
    /// What connections that are closed have left, and what is counted besides.
    pub(crate) counts: ProcessCounts,
    /// The places of connections whose output was above a soft limit when it was last looked at.
    pub(crate) above: Vec<usize>,
}

impl Server {
    /// Opens the sockets. Nothing is answered until [`Self::run`].
    ///
    /// # Errors
    /// An address is taken or not this machine's, or a setting makes no sense.
    pub fn new(settings: Settings) -> Result<Self, StartError> {
        let poll = Poll::new().map_err(StartError::Poll)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(StartError::Poll)?);
        let mut listeners = Vec::new();
        if let Some(port) = settings.port {
            listeners.push(Listener::tcp(settings.bind, port)?);
        }
        if let Some(path) = &settings.unix {
            listeners.push(Listener::unix(path)?);
        }
        for (index, listener) in listeners.iter_mut().enumerate() {
            listener.register(poll.registry(), Token(LISTENERS + index)).map_err(StartError::Poll)?;
        }
        let port = listeners.iter().find_map(Listener::address).map(|address| address.port());
        let (doors, next_door) = (Doors::of(&settings, port), listeners.len());
        let mut server = Self {
            poll,
            listeners,
            accept_again: false,
            connections: Connections::default(),
            universes: Vec::new(),
            by_name: FxHashMap::default(),
            alarms: BTreeSet::new(),
            touched: Vec::new(),
            host: LuaHost::default().with_version(settings.version),
            outcome: Outcome { footprint: Footprint::ignoring(), ..Outcome::default() },
            due: Vec::new(),
            scratch: vec![0; READ],
            settings,
            machine_us: machine_us(),
            stopper: Stopper { waker, asked: Arc::default() },
            doors,
            next_door,
            counts: ProcessCounts::default(),
            above: Vec::new(),
        };
        let first = server.new_universe(Bytes::new()).map_err(StartError::Setting)?;
        raise_file_limit(server.universes[first].limits.clients as u64 + OTHER_FILES);
        Ok(server)
    }

    /// Ends the server from another thread.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The addresses to connect to: `redis://127.0.0.1:6399`, `unix:///tmp/redis.sock`.
    ///
    /// # Errors
    /// The system does not tell the port.
    pub fn urls(&self) -> io::Result<Vec<String>> {
        self.listeners.iter().map(Listener::url).collect()
    }

    /// The TCP address, if it listens on one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.iter().find_map(Listener::address)
    }

    /// Serves until [`Stopper::stop`]. Connections are closed and socket files removed when the server is dropped.
    ///
    /// # Errors
    /// The system's readiness queue fails.
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut turned = Instant::now();
        let mut awake_until = None;
        // On one core whoever is to send next needs it.
        let shares_core = std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
        while !self.stopper.is_asked() {
            let patience = if awake_until.is_some() { Some(Duration::ZERO) } else { self.patience() };
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            // To wake a thread costs the one who sends more than to be read by one that is awake: with requests in quick
            // succession, sleeping between them takes a tenth of the throughput.
            let now = Instant::now();
            if events.is_empty()
                && self.connections.ready.is_empty()
                && let Some(until) = awake_until
            {
                awake_until = Some(until).filter(|until| now < *until);
                // Whoever is to send next may want this core.
                std::thread::yield_now();
                continue;
            }
            awake_until = (now - turned < BRISK && !shares_core).then(|| now + AWAKE);
            turned = now;
            self.machine_us = machine_us();
            self.ring_alarms();
            if std::mem::take(&mut self.accept_again) {
                self.accept_all();
            }
            for event in &events {
                let Token(place) = event.token();
                if event.token() == WAKER {
                    continue;
                }
                if place >= LISTENERS {
                    // Which of them: they come and go, and are few.
                    self.accept_all();
                    continue;
                }
                if event.is_writable() {
                    self.connections.mark_dirty(place);
                }
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    if let Some(connection) = self.connections.get(place) {
                        connection.readable = true;
                        connection.input_ended |= event.is_read_closed() || event.is_error();
                    }
                    self.serve(place);
                }
            }
            self.finish_turn();
        }
        Ok(())
    }

    /// What is left to do once every socket that was ready has been read.
    pub(crate) fn finish_turn(&mut self) {
        self.go_on_with_ready();
        self.flush();
        self.close_overdue();
        self.close_idle();
        self.evict_clients();
        self.set_alarms();
    }

    /// How long to wait for sockets.
    fn patience(&self) -> Option<Duration> {
        if !self.connections.ready.is_empty() {
            return Some(Duration::ZERO);
        }
        let alarm = self.alarms.first().map(|(at, _)| {
            // Rounded up: a wait that ends a little too soon would be made again and again.
            let us = at.saturating_sub(machine_us()).max(0) as u64;
            Duration::from_millis(us.div_ceil(1000))
        });
        let pause = self.accept_again.then_some(ACCEPT_PAUSE);
        let above = (!self.above.is_empty()).then_some(SOFT_LIMIT_PAUSE);
        [alarm, pause, above].into_iter().flatten().min()
    }

    // Connections

    fn accept_all(&mut self) {
        (0..self.listeners.len()).for_each(|index| self.accept(index));
    }

    fn accept(&mut self, index: usize) {
        for _ in 0..ACCEPTED {
            match self.listeners[index].accept() {
                Ok(socket) => self.open(socket),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => return,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset => {}
                    // Most likely there are no descriptors left: connections that end make room.
                    _ => break,
                },
            }
        }
        self.accept_again = true;
    }

    fn open(&mut self, mut socket: Socket) {
        if self.connections.count() >= self.universes[0].limits.clients {
            self.counts.rejected += 1;
            // Whether it still gets this is its own affair.
            let _ = socket.write(b"-ERR max number of clients reached\r\n");
            return;
        }
        self.adopt(socket);
    }

    /// Makes a socket a connection, in the place that it gives.
    pub(crate) fn adopt(&mut self, socket: Socket) -> usize {
        self.touch(0);
        let Self { connections, poll, universes, machine_us, .. } = self;
        let first = &mut universes[0];
        let greeting = Greeting { keepalive_s: first.limits.keepalive_s, now: first.clock.now(*machine_us) };
        connections
            .adopt(socket, poll.registry(), greeting, |place, addresses| first.connect(place, addresses, *machine_us))
    }

    /// Closes a connection at once.
    pub(crate) fn close(&mut self, place: usize) {
        let Some(mut connection) = self.connections.list.get_mut(place).and_then(Option::take) else { return };
        connection.deregister(self.poll.registry());
        self.connections.free.push(place);
        self.touch(connection.universe);
        let number = connection.universe;
        self.count_traffic(&connection);
        self.universes[number].disconnect(connection.session, self.machine_us);
        if connection.is_fed {
            self.tell_stream(number);
        }
    }

    /// Those that waited, were held back, or had more input than fits into one turn.
    fn go_on_with_ready(&mut self) {
        for place in std::mem::take(&mut self.connections.ready) {
            if let Some(connection) = self.connections.get(place) {
                connection.is_ready = false;
                self.serve(place);
            }
        }
    }

    /// Writes what a connection takes, before the turn is over.
    pub(crate) fn send_now(&mut self, place: usize) {
        if let Some(connection) = self.connections.list.get_mut(place).and_then(Option::as_mut) {
            // A failure is met again when the turn ends.
            connection.flush(self.poll.registry(), Token(place));
        }
    }

    /// Writes what the turn has left for each connection, and closes those that have ended.
    fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.connections.dirty);
        for place in dirty.drain(..) {
            let Some(connection) = self.connections.list.get_mut(place).and_then(Option::as_mut) else { continue };
            connection.is_dirty = false;
            let useful = match connection.ending {
                Ending::Now => false,
                _ => connection.flush(self.poll.registry(), Token(place)),
            };
            let done = connection.pending_output() == 0;
            let universe = &self.universes[connection.universe];
            if done {
                connection.active_s = universe.clock.now(self.machine_us).ms().div_euclid(1000);
                connection.above_since = None;
            }
            let overdue = !done && {
                let overdue = universe.output_limit(connection).is_exceeded(connection, self.machine_us);
                if connection.above_since.is_some() && !self.above.contains(&place) {
                    self.above.push(place);
                }
                overdue
            };
            if !useful || overdue || (done && connection.ending == Ending::AfterOutput) {
                self.close(place);
            }
        }
        // Closing makes nobody dirty; the memory is used again.
        if self.connections.dirty.is_empty() {
            self.connections.dirty = dirty;
        }
    }

    // Time

    /// The universe's next event may be another one from now on.
    pub(crate) fn touch(&mut self, universe: usize) {
        if !std::mem::replace(&mut self.universes[universe].is_touched, true) {
            self.touched.push(universe);
        }
    }

    /// Closes the connections that have sent and taken nothing for longer than `timeout`, by the clock of their universe, in
    /// the universes that were at work in this turn.
    fn close_idle(&mut self) {
        for at in 0..self.touched.len() {
            let number = self.touched[at];
            let universe = &self.universes[number];
            let (idle_s, now_ms) = (universe.limits.idle_s, universe.clock.now(self.machine_us).ms());
            if idle_s == 0 || now_ms < universe.idle_from_ms {
                continue;
            }
            let mut first_s = now_ms.div_euclid(1000);
            let mut overdue = Vec::new();
            for place in universe.connections.iter().copied().filter(|place| *place != NOBODY) {
                let Some(connection) = self.connections.get(place) else { continue };
                if connection.held || universe.engine.may_idle(connection.session) {
                    continue;
                }
                if now_ms.div_euclid(1000) - connection.active_s > idle_s {
                    overdue.push(place);
                } else {
                    first_s = first_s.min(connection.active_s);
                }
            }
            self.universes[number].idle_from_ms = first_s.saturating_add(idle_s).saturating_add(1).saturating_mul(1000);
            overdue.into_iter().for_each(|place| self.close(place));
        }
    }

    /// Lets everything happen whose time has come.
    fn ring_alarms(&mut self) {
        while let Some((at, universe)) = self.alarms.first().copied()
            && at <= self.machine_us
        {
            self.alarms.pop_first();
            self.universes[universe].alarm = None;
            self.touch(universe);
            let now = self.universes[universe].clock.now(self.machine_us);
            self.pass(universe, now, now);
        }
    }

    fn set_alarms(&mut self) {
        while let Some(place) = self.touched.pop() {
            let universe = &mut self.universes[place];
            universe.is_touched = false;
            let idle = (universe.limits.idle_s > 0).then_some(universe.idle_from_ms);
            let next = universe.next_event_ms().into_iter().chain(idle).min();
            let alarm = next.and_then(|at| universe.clock.machine_time_of(at));
            if alarm != universe.alarm {
                if let Some(old) = universe.alarm {
                    self.alarms.remove(&(old, place));
                }
                if let Some(new) = alarm {
                    self.alarms.insert((new, place));
                }
                universe.alarm = alarm;
            }
        }
    }
}

/// Raises the limit on open files to what is needed, as far as the system lets us.
fn raise_file_limit(wanted: u64) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let reachable = maximum.map_or(wanted, |maximum| maximum.min(wanted));
        // With fewer files there are fewer connections; those are refused as they come.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum });
    }
}
