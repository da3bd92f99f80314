//! From input to output: reading a connection, executing its commands, and sending what they cause to whom.

use std::io::ErrorKind;

use bytes::Bytes;
use raceproof_engine::{Delivery, Engine, Reply, ScriptCalls, SessionId, Timestamp};

use crate::busy::Meanwhile;
use crate::clock::Clock;
use crate::connection::Ending;
use crate::faults::Kind;
use crate::request::{Allowed, Parser, Step};
use crate::server::Server;
use crate::universe::{Due, Universe};
use crate::watch::shows_buffers;

/// What became of the input of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Everything whole was executed, or the connection has to wait.
    Paused,
    /// Nothing more of it is to be read.
    Ended,
}

/// Below so much waiting output no limit is looked at: Redis keeps so much for each client that its reply buffer holds at its smallest.
const MUCH: usize = 1024;

impl Server {
    /// Reads what a connection has sent, once, and executes it.
    pub(crate) fn serve(&mut self, place: usize) {
        let Some(connection) = self.connections.get(place) else { return };
        let universe = connection.universe;
        self.touch(universe);
        if self.serve_kept(place) == Progress::Ended {
            return;
        }
        let Some(connection) = self.connections.get(place) else { return };
        if !connection.readable || connection.ending != Ending::No {
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let read = loop {
            match connection.socket.read(&mut scratch) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        match read {
            Ok(0) => self.input_ends(place),
            Ok(len) => {
                // Less than there was room for: the socket is empty, and will tell when it is not. If its other end is
                // closed, it has told so already.
                let more = len == scratch.len() || connection.input_ended;
                let now = self.universes[universe].clock.now(self.machine_us);
                connection.active_s = now.ms().div_euclid(1000);
                connection.readable = more;
                connection.traffic.input += len as u64;
                connection.traffic.reads += 1;
                let keeps = connection.at < connection.input.len() || !connection.may_go_on();
                if keeps {
                    connection.input.extend_from_slice(&scratch[..len]);
                    self.serve_kept(place);
                } else {
                    let mut at = 0;
                    self.go_on(place, &scratch[..len], &mut at);
                    if let Some(connection) = self.connections.get(place) {
                        connection.input.extend_from_slice(&scratch[at..len]);
                    }
                }
                self.check_input(place);
                if more {
                    self.connections.mark_ready(place);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => connection.readable = false,
            Err(_) => self.close(place),
        }
        self.scratch = scratch;
    }

    /// Executes what has come in before.
    fn serve_kept(&mut self, place: usize) -> Progress {
        let Some(connection) = self.connections.get(place) else { return Progress::Ended };
        if connection.at == connection.input.len() || !connection.may_go_on() {
            return Progress::Paused;
        }
        let input = std::mem::take(&mut connection.input);
        let mut at = connection.at;
        let progress = self.go_on(place, &input, &mut at);
        if let Some(connection) = self.connections.get(place) {
            connection.input = input;
            connection.at = at;
            connection.compact_input();
        }
        progress
    }

    /// Executes the commands in a piece of input, one after the other, as long as the connection may go on.
    fn go_on(&mut self, place: usize, input: &[u8], at: &mut usize) -> Progress {
        let Some(connection) = self.connections.get(place) else { return Progress::Ended };
        let mut parser = std::mem::take(&mut connection.parser);
        let progress = self.go_on_with(&mut parser, place, input, at);
        if let Some(connection) = self.connections.get(place) {
            connection.parser = parser;
        }
        progress
    }

    fn go_on_with(&mut self, parser: &mut Parser, place: usize, input: &[u8], at: &mut usize) -> Progress {
        loop {
            let Some(connection) = self.connections.get(place) else { return Progress::Ended };
            if connection.ending != Ending::No {
                // What comes after it is not read.
                *at = input.len();
                return Progress::Ended;
            }
            if !connection.may_go_on() || self.universes[connection.universe].asleep_until_ms.is_some() {
                return Progress::Paused;
            }
            let (number, session) = (connection.universe, connection.session);
            let universe = &self.universes[number];
            let allowed = Allowed {
                longest_bulk: universe.limits.longest_bulk,
                authenticated: universe.engine.is_authenticated(session),
            };
            match parser.step(input, at, allowed) {
                Step::Command => {
                    self.execute(place, number, session, &parser.args);
                    parser.args.clear();
                }
                Step::Nothing => {
                    self.universes[number].engine.pass_over(session);
                }
                Step::More => return Progress::Paused,
                Step::Broken(text) => {
                    let muted = universe.engine.is_muted(session);
                    let Some(connection) = self.connections.get(place) else { return Progress::Ended };
                    if !muted {
                        connection.output.extend_from_slice(b"-ERR Protocol error: ");
                        connection.output.extend_from_slice(&text);
                        connection.output.extend_from_slice(b"\r\n");
                    }
                    connection.end_after_output();
                    self.connections.mark_dirty(place);
                }
            }
        }
    }

    /// The peer sends no more. What it is owed it still gets, unless it has to be waited for.
    fn input_ends(&mut self, place: usize) {
        let Some(connection) = self.connections.get(place) else { return };
        connection.readable = false;
        let (waits, held) = (connection.waits, connection.held);
        if waits {
            // It must not be served any more: the element would be lost.
            self.send_now(place);
            return self.close(place);
        }
        let Some(connection) = self.connections.get(place) else { return };
        // Whoever asks next who is there, in this turn still, is not told of it.
        if held || connection.pending_output() == 0 {
            return self.close(place);
        }
        connection.end_after_output();
        self.connections.mark_dirty(place);
    }

    /// Closes a connection that has sent more than may be kept.
    fn check_input(&mut self, place: usize) {
        let Some(connection) = self.connections.get(place) else { return };
        let pending = connection.pending_input();
        connection.sizes.note_input(pending);
        let universe = connection.universe;
        if pending > self.universes[universe].limits.input {
            self.close(place);
        }
    }

    /// Executes one command of a connection and sends out what it causes.
    fn execute(&mut self, place: usize, number: usize, session: SessionId, args: &[Bytes]) {
        let Some(connection) = self.connections.get(place) else { return };
        let name = &args[0];
        if connection.begins {
            connection.begins =
                [&b"auth"[..], b"hello", b"client"].iter().any(|first| name.eq_ignore_ascii_case(first));
        }
        // Few commands have names of these lengths, so most pass by with one comparison.
        if matches!(name.len(), 4 | 5 | 6 | 8 | 9) && self.execute_special(place, args) {
            return;
        }
        if self.universes[number].limits.needs_replicas {
            self.tell_stream(number);
        }
        let universe = &self.universes[number];
        let now = universe.clock.now(self.machine_us);
        if universe.is_watched() {
            return self.execute_watched(place, args, now);
        }
        self.execute_plainly(place, number, session, args, now);
    }

    /// Commands that mean more to the front than to the engine. Tells whether this was one, and is done.
    fn execute_special(&mut self, place: usize, args: &[Bytes]) -> bool {
        let name = &args[0];
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted.as_bytes());
        match (name.len(), name[0].to_ascii_lowercase()) {
            (9, b'r') if is("raceproof") => {
                self.control(place, args);
                true
            }
            (4, b's') if is("sync") => self.replicate(place, args),
            (5, b'p') if is("psync") => self.replicate(place, args),
            (8, b'r') if is("replconf") => self.replicate(place, args),
            (4, b'i') if is("info") => self.tell_before(place),
            (4, b'r') if is("role") => self.tell_before(place),
            (6, b'm') if is("memory") => self.tell_before(place),
            (6, b'c') if is("client") && shows_buffers(args) => self.tell_before(place),
            (4, b'w') if is("wait") => self.wait_for_replicas(place, args),
            (4, b'a') if is("auth") => self.enter_by_auth(place, args),
            (5, b'h') if is("hello") => self.enter_by_hello(place, args),
            // What a browser sends that was led here. Redis hangs up as well.
            (4, b'p') if is("post") => self.hang_up(place),
            (5, b'h') if is("host:") => self.hang_up(place),
            // `EXEC` may have them in it.
            (4, b'e') if is("exec") => self.execute_then(place, args, Universe::reread_settings),
            (6, b'c') if is("config") => self.configure_front(place, args),
            (4, b's') if is("save") => self.execute_then(place, args, Universe::save),
            (6, b'b') if is("bgsave") => self.execute_then(place, args, Universe::save),
            _ => false,
        }
    }

    fn hang_up(&mut self, place: usize) -> bool {
        if let Some(connection) = self.connections.get(place) {
            connection.ending = Ending::Now;
        }
        self.connections.mark_dirty(place);
        true
    }

    /// Commands after which the front has something to do itself.
    pub(crate) fn execute_then(&mut self, place: usize, args: &[Bytes], then: fn(&mut Universe)) -> bool {
        let Some(connection) = self.connections.get(place) else { return true };
        let (number, session) = (connection.universe, connection.session);
        let now = self.universes[number].clock.now(self.machine_us);
        if self.universes[number].is_watched() {
            self.execute_watched(place, args, now);
        } else {
            self.execute_plainly(place, number, session, args, now);
        }
        let universe = &mut self.universes[number];
        if universe.engine.is_held(session) {
            if let Some(connection) = self.connections.get(place) {
                connection.then = Some(then);
            }
            return true;
        }
        // Queued by a transaction, it is not executed yet.
        if !matches!(self.outcome.reply, Reply::Error(_)) && !universe.engine.in_transaction(session) {
            then(universe);
        }
        true
    }

    /// Where faults may strike, or a history is kept.
    fn execute_watched(&mut self, place: usize, args: &[Bytes], now: Timestamp) {
        let Some(connection) = self.connections.get(place) else { return };
        let (number, session) = (connection.universe, connection.session);
        let universe = &mut self.universes[number];
        if universe.history.is_on() {
            let client = client_label(&universe.engine, session);
            universe.history.sent(session, client, args, now);
        }
        let name = universe.engine.client_name(session);
        match universe.faults.strike(args, &name) {
            None => self.execute_plainly(place, number, session, args, now),
            Some(Kind::Error(text)) => {
                universe.history.ended(session, || format!("(fault: error) {}", String::from_utf8_lossy(&text)));
                self.reply(place, &Reply::Error(text));
            }
            Some(Kind::Disconnect) => {
                universe.history.ended(session, || "(fault: disconnect, not executed)".into());
                self.cut_off(place);
            }
            Some(Kind::DropReply) => {
                let before = connection.output.len();
                self.execute_plainly(place, number, session, args, now);
                if let Some(connection) = self.connections.get(place) {
                    connection.output.truncate(before);
                }
                self.universes[number].history.lost(session);
                self.cut_off(place);
            }
            Some(Kind::Delay(ms)) => {
                let before = connection.output.len();
                self.execute_plainly(place, number, session, args, now);
                self.hold_back(place, before, now.ms().saturating_add(ms));
            }
        }
    }

    /// Holds back what a connection is to be sent beyond its first `before` bytes, up to a time, and what it sends.
    fn hold_back(&mut self, place: usize, before: usize, until_ms: i64) {
        let Some(connection) = self.connections.get(place) else { return };
        let late = connection.output.split_off(before.min(connection.output.len()));
        connection.held = true;
        self.universes[connection.universe].held.push(until_ms, place, late);
    }

    /// The connection ends after the replies to the commands before this one.
    fn cut_off(&mut self, place: usize) {
        if let Some(connection) = self.connections.get(place) {
            connection.waits = false;
            connection.end_after_output();
        }
        self.connections.mark_dirty(place);
    }

    /// Executes a command of a session in its engine.
    pub(crate) fn execute_plainly(
        &mut self,
        place: usize,
        number: usize,
        session: SessionId,
        args: &[Bytes],
        now: Timestamp,
    ) {
        let Self { universes, outcome: out, host, poll, connections, listeners, accept_again, stopper, .. } = self;
        let universe = &mut universes[number];
        out.without_effects = !universe.wants_effects();
        let mut meanwhile = Meanwhile {
            poll,
            connections,
            listeners,
            accept_again,
            stopper,
            universe: number,
            places: &mut universe.connections,
            clock: universe.clock,
            longest_bulk: universe.limits.longest_bulk,
            most_clients: universe.limits.clients,
            keepalive_s: universe.limits.keepalive_s,
            since: None,
            has_looked: false,
            caller: place,
        };
        let mut look_up = |calls: &mut dyn ScriptCalls| meanwhile.look_up(calls);
        // Nobody in another universe could end a script: there its own limit does.
        universe.engine.execute(&mut host.patient(number == 0, &mut look_up), session, args, now, out);
        if !out.without_effects {
            universe.propagate(&mut out.effects, now, host);
        }
        let deliveries = std::mem::take(&mut out.deliveries);
        let (first, then) = deliveries.split_at(out.before_reply.min(deliveries.len()));
        first.iter().for_each(|delivery| self.deliver(number, delivery, now));
        if self.outcome.shutdown.is_some() {
            self.shut_down(number, is_shutdown(args));
        }
        let out = &self.outcome;
        let universe = &mut self.universes[number];
        let Some(connection) = self.connections.get(place) else { return };
        let before = connection.output.len();
        if out.waits {
            connection.waits = true;
        } else {
            if !out.silent {
                out.reply.encode(universe.engine.protocol(session), &mut connection.output);
            }
            if universe.history.is_on() {
                universe.history.replied(session, &out.reply);
            }
        }
        if out.close {
            connection.end_after_output();
        }
        let is_much = connection.pending_output() > MUCH;
        if !connection.is_dirty {
            self.connections.mark_dirty(place);
        }
        if is_much {
            self.check_output(place);
        }
        if !deliveries.is_empty() {
            then.iter().for_each(|delivery| self.deliver(number, delivery, now));
            self.outcome.deliveries = deliveries;
            self.outcome.deliveries.clear();
        }
        if !self.outcome.without_effects {
            self.hand_out(number);
            if !self.outcome.waits {
                let universe = &mut self.universes[number];
                universe.engine.wrote_up_to(session, universe.replicas.offset());
            }
        }
        if self.outcome.took_us > 0 {
            self.fall_asleep(place, number, before, now);
        }
    }

    /// After `DEBUG SLEEP` nobody in the universe is served until its time is over, and the reply comes then. Where the
    /// clock stands, time does not pass, and there is nothing to wait for.
    fn fall_asleep(&mut self, place: usize, number: usize, before: usize, now: Timestamp) {
        let universe = &mut self.universes[number];
        let Some(connection) = self.connections.get(place) else { return };
        if connection.waits || !matches!(universe.clock, Clock::Running { .. }) {
            return;
        }
        let late = connection.output.split_off(before);
        connection.held = true;
        let until_ms = Timestamp { unix_us: now.unix_us.saturating_add(self.outcome.took_us) }.ms().saturating_add(1);
        universe.asleep_until_ms = Some(until_ms);
        universe.held.push(until_ms, place, late);
        self.touch(number);
    }

    /// Everybody in a universe is served again.
    fn wake(&mut self, number: usize) {
        for place in self.universes[number].connections.clone() {
            self.connections.mark_ready(place);
        }
    }

    /// `SHUTDOWN`: the whole server ends, unless the client is in a universe of its own, beside which others may be at
    /// work. There is nothing to save to.
    fn shut_down(&mut self, number: usize, is_asked_now: bool) {
        if number == 0 {
            self.stopper().stop();
            return;
        }
        // One that a pause held has ended its connection.
        if !is_asked_now {
            return;
        }
        self.outcome.silent = false;
        self.outcome.reply = Reply::Error(Bytes::from_static(
            b"ERR SHUTDOWN would end the server for all universes; RACEPROOF CRASH restarts this one",
        ));
    }

    /// Sends a reply of the front's own.
    pub(crate) fn reply(&mut self, place: usize, reply: &Reply) {
        let Some(connection) = self.connections.get(place) else { return };
        let engine = &self.universes[connection.universe].engine;
        if !engine.is_muted(connection.session) {
            reply.encode(engine.protocol(connection.session), &mut connection.output);
        }
        self.connections.mark_dirty(place);
    }

    /// Sends to a session what somebody else's command, or time, has for it.
    pub(crate) fn deliver(&mut self, number: usize, delivery: &Delivery, now: Timestamp) {
        let universe = &mut self.universes[number];
        let session = delivery.session();
        if universe.history.is_on() {
            let engine = &universe.engine;
            universe.history.delivered(delivery, || client_label(engine, session), now);
        }
        let protocol = universe.engine.protocol(session);
        let Some(place) = universe.connection_of(session) else { return };
        let Some(connection) = self.connections.get(place) else { return };
        match delivery {
            Delivery::Reply(..) | Delivery::NoReply(_) => {
                let mut failed = false;
                if let Delivery::Reply(_, reply) = delivery {
                    reply.encode(protocol, &mut connection.output);
                    failed = matches!(reply, Reply::Error(_));
                }
                connection.waits = false;
                if let Some(then) = connection.then.take().filter(|_| !failed)
                    && !universe.engine.in_transaction(session)
                {
                    then(universe);
                }
                self.connections.mark_ready(place);
            }
            Delivery::Push(_, message) => {
                message.encode(protocol, &mut connection.output);
                if connection.pending_output() > MUCH {
                    self.check_output(place);
                }
            }
            Delivery::Close(_) => connection.end_after_output(),
        }
        self.connections.mark_dirty(place);
    }

    /// Records and sends out what `self.outcome` holds besides a reply.
    pub(crate) fn send_out(&mut self, number: usize, now: Timestamp) {
        self.universes[number].propagate(&mut self.outcome.effects, now, &mut self.host);
        self.hand_out(number);
        for delivery in std::mem::take(&mut self.outcome.deliveries) {
            self.deliver(number, &delivery, now);
        }
    }

    /// Lets time pass in a universe, and sends out what it causes.
    pub(crate) fn pass(&mut self, number: usize, from: Timestamp, to: Timestamp) {
        let mut due = std::mem::take(&mut self.due);
        let out = &mut self.outcome;
        out.without_effects = !self.universes[number].wants_effects();
        let ends = self.universes[number].pass(from, to, &mut self.host, out, &mut due);
        if ends && number == 0 {
            self.stopper().stop();
        }
        self.hand_out(number);
        for (event, at) in due.drain(..) {
            match event {
                Due::Delivery(delivery) => self.deliver(number, &delivery, at),
                Due::Awake => self.wake(number),
                Due::Reply(place, bytes) => {
                    let Some(connection) = self.connections.get(place) else { continue };
                    connection.output.extend_from_slice(&bytes);
                    connection.held = false;
                    self.connections.mark_ready(place);
                    self.connections.mark_dirty(place);
                }
            }
        }
        self.due = due;
    }
}

fn is_shutdown(args: &[Bytes]) -> bool {
    args.first().is_some_and(|name| name.eq_ignore_ascii_case(b"shutdown"))
}

/// What a client is called: by its name, or by its number.
pub(crate) fn client_label(engine: &Engine, session: SessionId) -> Bytes {
    let name = engine.client_name(session);
    if name.is_empty() { format!("id={}", engine.client_id(session)).into() } else { name }
}
