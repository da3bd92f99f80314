//! From input to output: reading a connection, executing its commands, and sending what they cause to whom.

use std::io::ErrorKind;

use bytes::Bytes;
use raceproof_engine::{Delivery, Engine, Reply, SessionId, Timestamp};

use crate::connection::Ending;
use crate::faults::Kind;
use crate::request::{Allowed, Parser, Step};
use crate::server::Server;
use crate::universe::{Due, Universe};

/// What became of the input of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Everything whole was executed, or the connection has to wait.
    Paused,
    /// Nothing more of it is to be read.
    Ended,
}

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
            if !connection.may_go_on() {
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
        if held {
            return self.close(place);
        }
        if let Some(connection) = self.connections.get(place) {
            connection.end_after_output();
        }
        self.connections.mark_dirty(place);
    }

    /// Closes a connection that has sent more than may be kept.
    fn check_input(&mut self, place: usize) {
        let Some(connection) = self.connections.get(place) else { return };
        let pending = connection.pending_input();
        let universe = connection.universe;
        if pending > self.universes[universe].limits.input {
            self.close(place);
        }
    }

    /// Executes one command of a connection and sends out what it causes.
    fn execute(&mut self, place: usize, number: usize, session: SessionId, args: &[Bytes]) {
        // Few commands have names of these lengths, so most pass by with one comparison.
        let name = &args[0];
        if matches!(name.len(), 4 | 5 | 6 | 9) && self.execute_special(place, args) {
            return;
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
        match name.len() {
            9 if is("raceproof") => {
                self.control(place, args);
                true
            }
            4 if is("auth") => self.enter_by_auth(place, args),
            5 if is("hello") => self.enter_by_hello(place, args),
            // What a browser sends that was led here. Redis hangs up as well.
            4 if is("post") => self.hang_up(place),
            5 if is("host:") => self.hang_up(place),
            // `EXEC` may have them in it.
            4 if is("exec") => self.execute_then(place, args, Universe::reread_settings),
            6 if is("config") => self.execute_then(place, args, Universe::reread_settings),
            4 if is("save") => self.execute_then(place, args, Universe::save),
            6 if is("bgsave") => self.execute_then(place, args, Universe::save),
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
    fn execute_then(&mut self, place: usize, args: &[Bytes], then: fn(&mut Universe)) -> bool {
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
                let Some(connection) = self.connections.get(place) else { return };
                let late = connection.output.split_off(before);
                connection.held = true;
                self.universes[number].held.push(now.ms().saturating_add(ms), place, late);
            }
        }
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
        let universe = &mut self.universes[number];
        let out = &mut self.outcome;
        out.without_effects = !universe.durability.wants_effects();
        universe.engine.execute(&mut self.host, session, args, now, out);
        if !out.without_effects {
            universe.durability.record(&mut out.effects, now, &mut self.host);
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
        if !connection.is_dirty {
            self.connections.mark_dirty(place);
        }
        if !deliveries.is_empty() {
            then.iter().for_each(|delivery| self.deliver(number, delivery, now));
            self.outcome.deliveries = deliveries;
            self.outcome.deliveries.clear();
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
    fn deliver(&mut self, number: usize, delivery: &Delivery, now: Timestamp) {
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
            Delivery::Push(_, message) => message.encode(protocol, &mut connection.output),
            Delivery::Close(_) => connection.end_after_output(),
        }
        self.connections.mark_dirty(place);
    }

    /// Records and sends out what `self.outcome` holds besides a reply.
    pub(crate) fn send_out(&mut self, number: usize, now: Timestamp) {
        self.universes[number].durability.record(&mut self.outcome.effects, now, &mut self.host);
        for delivery in std::mem::take(&mut self.outcome.deliveries) {
            self.deliver(number, &delivery, now);
        }
    }

    /// Lets time pass in a universe, and sends out what it causes.
    pub(crate) fn pass(&mut self, number: usize, from: Timestamp, to: Timestamp) {
        let mut due = std::mem::take(&mut self.due);
        let out = &mut self.outcome;
        out.without_effects = !self.universes[number].durability.wants_effects();
        let ends = self.universes[number].pass(from, to, &mut self.host, out, &mut due);
        if ends && number == 0 {
            self.stopper().stop();
        }
        for (event, at) in due.drain(..) {
            match event {
                Due::Delivery(delivery) => self.deliver(number, &delivery, at),
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
