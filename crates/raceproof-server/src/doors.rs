//! Where the server listens, also while it runs: `CONFIG SET port` and `bind`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use mio::Token;
use raceproof_engine::{Engine, Reply};

use crate::listener::Listener;
use crate::server::{LISTENERS, Server};
use crate::settings::Settings;
use crate::universe::Universe;

/// The addresses as `CONFIG GET` shows them.
#[derive(Clone, Debug)]
pub(crate) struct Doors {
    /// Addresses, `*` and `::*` for all; those with a `-` need not be there.
    bind: String,
    /// 0: no TCP.
    port: u16,
    unix: String,
}

impl Doors {
    /// What the server was started with; `port` is the one that the system gave.
    pub(crate) fn of(settings: &Settings, port: Option<u16>) -> Self {
        let unix = settings.unix.as_ref().map(|path| path.display().to_string());
        Self { bind: settings.bind.to_string(), port: port.unwrap_or(0), unix: unix.unwrap_or_default() }
    }

    /// Has an engine show them, and the folder that the process works in.
    pub(crate) fn tell(&self, engine: &mut Engine) {
        for (name, value) in [("bind", &self.bind), ("port", &self.port.to_string()), ("unixsocket", &self.unix)] {
            engine.begin_with(name, value.clone().into());
        }
        if let Some(folder) = std::env::current_dir().ok().and_then(|folder| folder.into_os_string().into_string().ok())
        {
            engine.begin_with("dir", folder.into());
        }
    }

    /// Listens on all of them.
    fn open(&self) -> io::Result<Vec<Listener>> {
        let mut open = Vec::new();
        if self.port == 0 {
            return Ok(open);
        }
        for word in self.bind.split_ascii_whitespace() {
            let (is_optional, name) = word.strip_prefix('-').map_or((false, word), |name| (true, name));
            let address = match name {
                "*" => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                "::*" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
                name => match name.parse() {
                    Ok(address) => address,
                    Err(_) if is_optional => continue,
                    Err(_) => return Err(io::ErrorKind::InvalidInput.into()),
                },
            };
            match Listener::one_of(SocketAddr::new(address, self.port)) {
                Ok(listener) => open.push(listener),
                Err(_) if is_optional => {}
                Err(error) => return Err(error),
            }
        }
        Ok(open)
    }
}

impl Server {
    /// `CONFIG`: a port and addresses are listened on before they are set, so that they are refused if they cannot be.
    pub(crate) fn configure_front(&mut self, place: usize, args: &[Bytes]) -> bool {
        let Some(new) = self.new_doors(place, args) else {
            return self.execute_then(place, args, Universe::reread_settings);
        };
        let moves = new.port != self.doors.port;
        // On the same port, addresses that stay could not be listened on again.
        if !moves {
            self.close_doors();
        }
        match new.open() {
            Ok(listeners) => {
                self.execute_then(place, args, Universe::reread_settings);
                if matches!(self.outcome.reply, Reply::Simple("OK")) {
                    self.close_doors();
                    self.take_doors(listeners);
                    self.doors = new;
                    return true;
                }
            }
            Err(_) => {
                let (name, reason) = match moves {
                    true => ("port", "Unable to listen on this port. Check server logs."),
                    false => ("bind", "Failed to bind to specified addresses."),
                };
                let text = format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}");
                self.reply(place, &Reply::Error(text.into()));
            }
        }
        if !moves && let Ok(listeners) = self.doors.open() {
            self.take_doors(listeners);
        }
        true
    }

    /// Where to listen from now on, if the command says so.
    fn new_doors(&mut self, place: usize, args: &[Bytes]) -> Option<Doors> {
        let connection = self.connections.get(place)?;
        let (number, session) = (connection.universe, connection.session);
        let sets = args.get(1).is_some_and(|name| name.eq_ignore_ascii_case(b"set"));
        let engine = &self.universes[number].engine;
        // A universe of its own has no doors, and who may not do everything may not do this.
        if !sets || number != 0 || engine.in_transaction(session) || !engine.may_see_everything(session) {
            return None;
        }
        let mut doors = self.doors.clone();
        for pair in args.get(2..)?.chunks_exact(2) {
            let value = std::str::from_utf8(&pair[1]).ok()?;
            if pair[0].eq_ignore_ascii_case(b"port") {
                // What is no port is refused by the engine.
                doors.port = value.parse().ok()?;
            } else if pair[0].eq_ignore_ascii_case(b"bind") {
                value.clone_into(&mut doors.bind);
            }
        }
        (doors.port != self.doors.port || doors.bind != self.doors.bind).then_some(doors)
    }

    /// Listens on no TCP address any more. Who is connected stays so.
    fn close_doors(&mut self) {
        self.listeners.retain(|listener| matches!(listener, Listener::Unix(..)));
    }

    /// Lets connections in by these too.
    fn take_doors(&mut self, listeners: Vec<Listener>) {
        for mut listener in listeners {
            // Whoever was let in by one with this number before is not concerned.
            let token = Token(LISTENERS + self.next_door);
            self.next_door += 1;
            if listener.register(self.poll.registry(), token).is_ok() {
                self.listeners.push(listener);
            }
        }
        // Some may have come while nobody looked.
        self.accept_again = true;
    }
}
