//! Where connections come from.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use mio::net::{TcpListener, UnixListener};
use mio::{Interest, Registry, Token};

use crate::connection::Socket;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address or a path cannot be listened on.
    #[error("cannot listen on {place}: {cause}{hint}")]
    Listen {
        /// The address or path.
        place: String,
        /// What the system says.
        cause: io::Error,
        /// The way out, if one is known.
        hint: &'static str,
    },
    /// A setting has a value that the engine refuses.
    #[error("{0}")]
    Setting(String),
    /// The system's readiness queue cannot be used.
    #[error("cannot wait for connections: {0}")]
    Poll(io::Error),
}

/// How many connections may wait to be accepted (`tcp-backlog`).
const BACKLOG: i32 = 511;

/// An open door.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    /// The path is removed when the server ends.
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Listens on a port, or on any free one if it is 0.
    pub(crate) fn tcp(bind: IpAddr, port: u16) -> Result<Self, StartError> {
        let place = SocketAddr::new(bind, port);
        TcpListener::bind(place).map(Self::Tcp).map_err(|cause| {
            let taken = cause.kind() == io::ErrorKind::AddrInUse;
            let hint = if taken { "\n  └ choose another with --port, or any free one with --port 0" } else { "" };
            StartError::Listen { place: place.to_string(), cause, hint }
        })
    }

    /// Listens on an address, beside others of the same port: one for all of IPv6 is for none of IPv4.
    pub(crate) fn one_of(address: SocketAddr) -> io::Result<Self> {
        use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        if address.is_ipv6() {
            sockopt::set_ipv6_v6only(&socket, true)?;
        }
        net::bind(&socket, &address)?;
        net::listen(&socket, BACKLOG)?;
        Ok(Self::Tcp(TcpListener::from_std(socket.into())))
    }

    /// Listens on a path. A socket that nobody listens on any more is replaced; anything else is left alone.
    pub(crate) fn unix(path: &Path) -> Result<Self, StartError> {
        let refused = |cause| StartError::Listen { place: path.display().to_string(), cause, hint: "" };
        let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
        if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
            fs::remove_file(path).map_err(refused)?;
        }
        UnixListener::bind(path).map(|listener| Self::Unix(listener, path.to_owned())).map_err(refused)
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => registry.register(listener, token, Interest::READABLE),
            Self::Unix(listener, _) => registry.register(listener, token, Interest::READABLE),
        }
    }

    pub(crate) fn accept(&self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept()?;
                // Replies are small and waited for. A peer that is gone already will be noticed when it is read.
                let _ = stream.set_nodelay(true);
                Ok(Socket::Tcp(stream))
            }
            Self::Unix(listener, _) => Ok(Socket::Unix(listener.accept()?.0)),
        }
    }

    /// The address as clients are given it.
    pub(crate) fn url(&self) -> io::Result<String> {
        Ok(match self {
            Self::Tcp(listener) => format!("redis://{}", listener.local_addr()?),
            Self::Unix(_, path) => format!("unix://{}", path.display()),
        })
    }

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // Somebody may have removed it already.
            let _ = fs::remove_file(path);
        }
    }
}
