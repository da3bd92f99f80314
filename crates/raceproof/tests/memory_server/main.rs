//! Session memories on a real redis-server.
//!
//! The explorer's tests (`memory_explored`) say that the protocol is right on our engine; these say that the scripts
//! do on a real server what they do there, and that every error is the one that it should be.

mod errors;
mod life;
mod sharing;

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use raceproof::env::TokioEnv;
use raceproof::memory::{Memory, Options};
use raceproof_lab::RedisServer;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisError, RedisFuture, Value};

/// A private server and ways to it.
struct Lab {
    server: RedisServer,
}

impl Lab {
    fn start() -> Self {
        Self { server: RedisServer::start().expect("redis-server starts") }
    }

    async fn connect(&self) -> MultiplexedConnection {
        self.connect_with("").await
    }

    async fn connect_with(&self, parameters: &str) -> MultiplexedConnection {
        let client = redis::Client::open(format!("{}{parameters}", self.server.url())).expect("the lab's URL");
        client.get_multiplexed_async_connection().await.expect("a connection")
    }

    /// A memory on a connection of its own. The driver sends once.
    async fn memory(&self, options: Options) -> Memory<MultiplexedConnection, TokioEnv> {
        self.memory_over(self.connect().await, options)
    }

    fn memory_over<C: ConnectionLike + Clone>(&self, connection: C, options: Options) -> Memory<C, TokioEnv> {
        let env = TokioEnv::current().expect("the test runs in a runtime");
        Memory::new(connection, env, Options { driver_may_resend: false, ..options }).expect("valid options")
    }

    /// Runs a command beside the memory.
    async fn raw<T: redis::FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut cmd = redis::cmd(words.next().expect("a command"));
        words.for_each(|word| {
            cmd.arg(word);
        });
        cmd.query_async(&mut self.connect().await).await.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// All that the server holds of a session: the hash, the ring, and both deadlines.
    async fn dump(&self, session: &str) -> (Value, Value, i64, i64) {
        let (m, ops) = (format!("{{{session}}}:m"), format!("{{{session}}}:ops"));
        (
            self.raw(&format!("HGETALL {m}")).await,
            self.raw(&format!("HGETALL {ops}")).await,
            self.raw(&format!("PEXPIRETIME {m}")).await,
            self.raw(&format!("PEXPIRETIME {ops}")).await,
        )
    }
}

/// What a [`Flaky`] connection does to its next request.
#[derive(Clone, Copy)]
enum Fault {
    /// Sends it, and loses the reply.
    LoseReply = 1,
    /// Cannot reach the server.
    Refuse = 2,
}

/// A connection whose next request can be made to fail.
#[derive(Clone)]
struct Flaky {
    inner: MultiplexedConnection,
    fault: Arc<AtomicU8>,
}

impl Flaky {
    fn new(inner: MultiplexedConnection) -> Self {
        Self { inner, fault: Arc::default() }
    }

    fn next(&self, fault: Fault) {
        self.fault.store(fault as u8, Ordering::SeqCst);
    }
}

impl ConnectionLike for Flaky {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let fault = self.fault.swap(0, Ordering::SeqCst);
        let broken = |kind| Err(RedisError::from(std::io::Error::from(kind)));
        Box::pin(async move {
            if fault == Fault::Refuse as u8 {
                return broken(std::io::ErrorKind::ConnectionRefused);
            }
            let reply = self.inner.req_packed_command(cmd).await;
            if fault == Fault::LoseReply as u8 {
                return broken(std::io::ErrorKind::TimedOut);
            }
            reply
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.inner.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        self.inner.get_db()
    }
}
