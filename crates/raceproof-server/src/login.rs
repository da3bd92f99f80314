//! The way into a universe: `AUTH <universe> <anything>`, or `HELLO 3 AUTH <universe> <anything>`.
//!
//! Every client library authenticates when it connects, from the user and password of its URL. So
//! `redis://test-42:x@127.0.0.1:6399` is all a test needs to be alone. Where a password is set, or there are users
//! (`ACL SETUSER`), names are those of users, and nobody enters a universe; nor does whoever has begun to do something else: a
//! client that wants to know whether it is refused is.

use bytes::Bytes;
use raceproof_engine::{LuaHost, Options, Outcome, Reply};

use crate::doors::Doors;
use crate::durability::Durability;
use crate::server::Server;
use crate::settings::Settings;
use crate::universe::Universe;

/// The longest name of a universe.
const LONGEST_NAME: usize = 256;
/// The most universes of one server.
const MOST_UNIVERSES: usize = 100_000;

impl Server {
    /// Makes a universe as the settings say.
    pub(crate) fn new_universe(&mut self, name: Bytes) -> Result<usize, String> {
        let options = Options {
            version: self.settings.version,
            seed: self.seed_of(&name),
            statistics: true,
            access_times: true,
            ..Options::default()
        };
        let mut universe = Universe::new(options, self.settings.clock, self.settings.persistence);
        if !name.is_empty() {
            universe.history.begin();
        }
        configure(&mut universe, &self.settings, &self.doors, self.machine_us, &mut self.host)?;
        universe.durability = Durability::new(self.settings.persistence, &universe.engine);
        self.universes.push(universe);
        let place = self.universes.len() - 1;
        self.by_name.insert(name, place);
        Ok(place)
    }

    /// The seed of a universe's random choices: the server's, and the name's.
    fn seed_of(&self, name: &[u8]) -> u64 {
        name.iter().fold(self.settings.seed, |seed, byte| {
            (seed ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
        })
    }

    /// `AUTH user password`, if that names a universe. Tells whether it did.
    pub(crate) fn enter_by_auth(&mut self, place: usize, args: &[Bytes]) -> bool {
        let [_, name, _] = args else { return false };
        if !self.is_universe(place, name) {
            return false;
        }
        match self.enter(place, name) {
            Ok(()) => self.reply(place, &Reply::Simple("OK")),
            Err(text) => self.reply(place, &Reply::Error(text.into())),
        }
        true
    }

    /// `HELLO 2 | 3 AUTH user password …`, if that names a universe. Tells whether it did.
    pub(crate) fn enter_by_hello(&mut self, place: usize, args: &[Bytes]) -> bool {
        let [_, version, options @ ..] = args else { return false };
        let is_known = version.as_ref() == b"2" || version.as_ref() == b"3";
        let Some(at) = auth_option(options).filter(|_| is_known) else { return false };
        let name = options[at + 1].clone();
        if !self.is_universe(place, &name) {
            return false;
        }
        if let Err(text) = self.enter(place, &name) {
            self.reply(place, &Reply::Error(text.into()));
            return true;
        }
        // What is left of it goes to the engine of the universe.
        let mut rest = args.to_vec();
        rest.drain(2 + at..2 + at + 3);
        let Some(connection) = self.connections.get(place) else { return true };
        let (number, session) = (connection.universe, connection.session);
        let now = self.universes[number].clock.now(self.machine_us);
        self.execute_plainly(place, number, session, &rest, now);
        true
    }

    /// Whether a user's name is that of a universe, here and now.
    fn is_universe(&mut self, place: usize, name: &Bytes) -> bool {
        let Some(connection) = self.connections.get(place) else { return false };
        let universe = &self.universes[connection.universe];
        let engine = &universe.engine;
        let is_user = name.is_empty() || engine.has_user(name);
        let is_free = !is_user && !universe.limits.has_password && !engine.in_transaction(connection.session);
        let is_there = self.by_name.get(name) == Some(&connection.universe);
        is_free && (is_there || connection.begins && !engine.has_users())
    }

    /// Moves a connection into a universe, which is made if it is new. Its protocol and its name go with it.
    fn enter(&mut self, place: usize, name: &Bytes) -> Result<(), String> {
        if name.len() > LONGEST_NAME {
            return Err(format!(
                "ERR the name of a universe may have {LONGEST_NAME} bytes, this one has {}",
                name.len()
            ));
        }
        let number = match self.by_name.get(name) {
            Some(number) => *number,
            None if self.universes.len() >= MOST_UNIVERSES => {
                return Err(format!("ERR there are {MOST_UNIVERSES} universes already"));
            }
            None => self.new_universe(name.clone())?,
        };
        let Some(connection) = self.connections.get(place) else { return Ok(()) };
        let (left, old, addresses) = (connection.universe, connection.session, connection.addresses.clone());
        if left == number {
            return Ok(());
        }
        let known_as = self.universes[left].engine.client_name(old);
        let protocol = self.universes[left].engine.protocol(old);
        self.universes[left].disconnect(old, self.machine_us);
        let session = self.universes[number].connect(place, addresses, self.machine_us);
        if let Some(connection) = self.connections.get(place) {
            (connection.universe, connection.session) = (number, session);
        }
        self.touch(left);
        self.touch(number);
        let universe = &mut self.universes[number];
        universe.engine.introduce(session, protocol, known_as);
        let now = universe.clock.now(self.machine_us);
        if let Some(connection) = self.connections.get(place) {
            connection.active_s = now.ms().div_euclid(1000);
        }
        Ok(())
    }
}

/// Sets what the server was started with.
pub(crate) fn configure(
    universe: &mut Universe,
    settings: &Settings,
    doors: &Doors,
    machine_us: i64,
    host: &mut LuaHost,
) -> Result<(), String> {
    doors.tell(&mut universe.engine);
    if settings.config.is_empty() {
        return Ok(());
    }
    let now = universe.clock.now(machine_us);
    let session = universe.engine.connect();
    let mut outcome = Outcome::default();
    let mut args = vec![Bytes::from_static(b"CONFIG"), Bytes::from_static(b"SET")];
    for (name, value) in &settings.config {
        args.extend([Bytes::from(name.clone()), Bytes::from(value.clone())]);
    }
    universe.engine.execute(host, session, &args, now, &mut outcome);
    universe.engine.disconnect(session);
    universe.reread_settings();
    match outcome.reply {
        Reply::Error(text) => Err(String::from_utf8_lossy(&text).into_owned()),
        _ => Ok(()),
    }
}

/// Where `AUTH user password` stands among the options of `HELLO`.
fn auth_option(options: &[Bytes]) -> Option<usize> {
    let mut at = 0;
    while let Some(option) = options.get(at) {
        if option.eq_ignore_ascii_case(b"auth") {
            return (at + 2 < options.len()).then_some(at);
        }
        at += 2;
    }
    None
}
