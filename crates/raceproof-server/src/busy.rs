//! What the server does while a script runs on and on: whoever asks for something is told so, and may end the script.
//!
//! The script runs in the midst of a turn of the loop, and its engine is lent to it. So this is a small loop of its own, every
//! few milliseconds of the script: it reads the sockets that are ready, executes what Redis executes meanwhile, and refuses the rest.
//! Who belongs to another universe waits until the script has ended.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mio::{Events, Poll, Token};
use raceproof_engine::{Delivery, Engine, Footprint, Outcome, Reply, ScriptCalls};

use crate::clock::{Clock, machine_us};
use crate::connection::Ending;
use crate::listener::Listener;
use crate::request::{Allowed, Parser, Step, write};
use crate::server::{Connections, Greeting, LISTENERS, Stopper, WAKER};

/// How many sockets are looked at in one turn.
const EVENTS: usize = 256;
/// How much is read from a socket at once.
const READ: usize = 16 * 1024;

/// What is lent to those who wait while a script runs.
pub(crate) struct Meanwhile<'a> {
    pub(crate) poll: &'a mut Poll,
    pub(crate) connections: &'a mut Connections,
    pub(crate) listeners: &'a mut [Listener],
    pub(crate) accept_again: &'a mut bool,
    pub(crate) stopper: &'a Stopper,
    /// The universe that the script runs in, and the places of its sessions' connections.
    pub(crate) universe: usize,
    pub(crate) places: &'a mut Vec<usize>,
    pub(crate) clock: Clock,
    pub(crate) longest_bulk: i64,
    pub(crate) most_clients: usize,
    /// `tcp-keepalive` (s)
    pub(crate) keepalive_s: u32,
    /// When it was first looked up from the script.
    pub(crate) since: Option<Instant>,
    /// Whether every socket was looked at.
    pub(crate) has_looked: bool,
    /// The connection whose command runs the script.
    pub(crate) caller: usize,
}

impl Meanwhile<'_> {
    /// Serves whoever is ready, if the script has taken too long. Tells whether it is to end.
    pub(crate) fn look_up(&mut self, calls: &mut dyn ScriptCalls) -> bool {
        let since = *self.since.get_or_insert_with(Instant::now);
        let Some(engine) = calls.engine() else { return false };
        engine.script_goes_on(self.clock.now(machine_us()));
        let patience =
            engine.setting("busy-reply-threshold").and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        let patience = Duration::from_millis(patience.unwrap_or(5000));
        // The server itself may be ended by somebody who has no connection.
        if since.elapsed() >= patience {
            self.turn(engine);
        }
        if self.stopper.is_asked() {
            engine.end_script();
        }
        engine.script_is_ended()
    }

    /// Looks at every socket: what the poll told in the turn that the script came in, it does not tell again.
    fn first_turn(&mut self, engine: &mut Engine) {
        for listener in 0..self.listeners.len() {
            self.accept(listener, engine);
        }
        for place in 0..self.connections.places() {
            if let Some(connection) = self.connections.get(place) {
                connection.readable = true;
                self.serve(place, engine);
            }
        }
    }

    fn turn(&mut self, engine: &mut Engine) {
        if !std::mem::replace(&mut self.has_looked, true) {
            self.first_turn(engine);
        }
        let mut events = Events::with_capacity(EVENTS);
        if self.poll.poll(&mut events, Some(Duration::ZERO)).is_err() {
            return;
        }
        for event in &events {
            let Token(place) = event.token();
            if event.token() == WAKER {
                continue;
            }
            if place >= LISTENERS {
                (0..self.listeners.len()).for_each(|listener| self.accept(listener, engine));
                continue;
            }
            let Some(connection) = self.connections.get(place) else { continue };
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                connection.readable = true;
                connection.input_ended |= event.is_read_closed() || event.is_error();
            }
            if event.is_writable() {
                self.connections.mark_dirty(place);
            }
            self.serve(place, engine);
        }
    }

    fn accept(&mut self, listener: usize, engine: &mut Engine) {
        // Who connects comes to the first universe.
        while self.universe == 0 && self.connections.count() < self.most_clients {
            match self.listeners[listener].accept() {
                Ok(socket) => {
                    let greeting = Greeting { keepalive_s: self.keepalive_s, now: self.clock.now(machine_us()) };
                    let now = greeting.now;
                    let place = self.connections.adopt(socket, self.poll.registry(), greeting, |place, addresses| {
                        crate::universe::connect(engine, self.places, place, addresses, now)
                    });
                    self.serve(place, engine);
                }
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::ConnectionAborted) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => break,
            }
        }
        *self.accept_again = true;
    }

    /// Reads what a connection has sent, and answers it. What is left goes on when the script has ended.
    fn serve(&mut self, place: usize, engine: &mut Engine) {
        let Some(connection) = self.connections.get(place) else { return };
        let mut scratch = vec![0; READ];
        let is_served = connection.universe == self.universe && place != self.caller && connection.may_go_on();
        while is_served && connection.readable {
            match connection.socket.read(&mut scratch) {
                Ok(len @ 1..) => connection.input.extend_from_slice(&scratch[..len]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => connection.readable = false,
                // It is closed later.
                Ok(0) | Err(_) => break,
            }
        }
        self.connections.mark_ready(place);
        if is_served {
            self.answer(place, engine);
        }
    }

    fn answer(&mut self, place: usize, engine: &mut Engine) {
        let Some(connection) = self.connections.get(place) else { return };
        let mut parser = std::mem::take(&mut connection.parser);
        let mut out = Outcome { footprint: Footprint::ignoring(), without_effects: true, ..Outcome::default() };
        while connection.may_go_on() {
            let session = connection.session;
            let allowed = Allowed { longest_bulk: self.longest_bulk, authenticated: engine.is_authenticated(session) };
            match parser.step(&connection.input, &mut connection.at, allowed) {
                Step::Command if is_later(&parser.args) => {
                    // It is put back, to be read again when the script has ended.
                    let mut kept = Vec::new();
                    write(&mut kept, &parser.args);
                    kept.extend_from_slice(&connection.input[connection.at..]);
                    (connection.input, connection.at, parser) = (kept, 0, Parser::default());
                    break;
                }
                Step::Command => {
                    let now = self.clock.now(machine_us());
                    engine.execute_meanwhile(session, &parser.args, now, &mut out);
                    parser.args.clear();
                    if !out.silent && out.shutdown.is_none() {
                        out.reply.encode(engine.protocol(session), &mut connection.output);
                    }
                    for delivery in &out.deliveries {
                        if let Delivery::Push(whose, message) = delivery
                            && *whose == session
                        {
                            message.encode(engine.protocol(session), &mut connection.output);
                        }
                    }
                    if out.close {
                        connection.end_after_output();
                    }
                    if out.shutdown.is_some() {
                        self.stopper.stop();
                    }
                }
                Step::Nothing => engine.pass_over(session),
                Step::More => break,
                Step::Broken(text) => {
                    let text = [b"ERR Protocol error: ", &text[..]].concat();
                    Reply::Error(text.into()).encode(engine.protocol(session), &mut connection.output);
                    connection.end_after_output();
                }
            }
        }
        connection.parser = parser;
        connection.compact_input();
        if connection.ending == Ending::No {
            // A failure is met again when the script has ended.
            connection.flush(self.poll.registry(), Token(place));
        }
        self.connections.mark_dirty(place);
    }
}

/// Commands that mean more to the front than to the engine: they wait.
fn is_later(args: &[Bytes]) -> bool {
    let is =
        |at: usize, wanted: &str| args.get(at).is_some_and(|arg: &Bytes| arg.eq_ignore_ascii_case(wanted.as_bytes()));
    is(0, "raceproof") || is(0, "auth") || (is(0, "hello") && (2..args.len()).any(|at| is(at, "auth")))
}
