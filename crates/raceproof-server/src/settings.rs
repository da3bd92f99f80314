//! What a server is started with.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use raceproof_engine::Version;

use crate::clock::Clock;
use crate::durability::Persistence;

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The TCP port, 0 for any free one; nothing: no TCP.
    pub port: Option<u16>,
    /// The address to listen on.
    pub bind: IpAddr,
    /// A unix socket to listen on as well.
    pub unix: Option<PathBuf>,
    /// The clock that each universe begins with.
    pub clock: Clock,
    /// The version whose commands exist.
    pub version: Version,
    /// Settings that each universe begins with, also after a crash, as `CONFIG SET` takes them.
    pub config: Vec<(String, String)>,
    /// What a crash leaves, as long as nobody says otherwise.
    pub persistence: Persistence,
    /// The seed of every random choice.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: Some(6399),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            unix: None,
            clock: Clock::REAL,
            version: Version::default(),
            config: Vec::new(),
            persistence: Persistence::default(),
            seed: 0,
        }
    }
}
