//! An execution found in simulation, played on a real redis-server.

use bytes::Bytes;
use raceproof_explore::{Backend, BackendError};

use crate::player::Player;
use crate::{LabError, RedisServer, Reply};

/// How often an execution is played again until its deadlines are exact. On a busy machine one in twenty is not.
const ATTEMPTS: u32 = 20;

/// What has been played since the last reset.
#[derive(Clone, Debug)]
enum Step {
    Connect(u32),
    Disconnect(u32),
    Execute(u32, Vec<Bytes>, Reply),
    Advance(i64),
}

/// A real redis-server as the explorer's backend: the same steps in the same order, one connection per session.
///
/// **The clock.** A step of the clock moves the deadline of every volatile key in every database; keys whose deadline
/// passes are gone at once, a key at the last millisecond of its life stays. Real time that passes between steps does
/// not count. Should the machine have been too slow to tell on which side of a deadline a step ends, everything since
/// the reset is played again until it is certain. Commands that ask the server for an absolute time (`TIME`, also in
/// scripts) are refused: they need a server whose clock is held. A time to live of a few milliseconds may end before
/// the lab has seen the key.
///
/// **WATCH.** Setting a deadline touches the key, as any write does, and would make an `EXEC` fail that succeeds in
/// simulation. So after a step of the clock each session that watched a moved key, and had not been failed by anything
/// before, watches the same keys anew. Inside `MULTI` that is impossible, and such a step is refused. A session whose
/// watched key ends by the step fails, as it does in Redis.
#[derive(Debug)]
pub struct RealRedis {
    player: Player,
    played: Vec<Step>,
}

impl RealRedis {
    /// Takes a running server over, and empties it.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn new(server: RedisServer) -> Result<Self, LabError> {
        Ok(Self { player: Player::new(server)?, played: Vec::new() })
    }

    /// Starts a private server and takes it over.
    ///
    /// # Errors
    /// There is no redis-server, or it does not start; see [`Builder::start`](crate::Builder::start).
    pub fn start() -> Result<Self, LabError> {
        Self::new(RedisServer::start()?)
    }

    /// The server that is played on.
    #[must_use]
    pub fn server(&self) -> &RedisServer {
        self.player.server()
    }

    /// Plays everything since the reset once more. Whether all replies were the same.
    fn play_again(&mut self) -> Result<bool, LabError> {
        self.player.reset()?;
        for step in &self.played {
            match step {
                Step::Connect(session) => self.player.connect(*session)?,
                Step::Disconnect(session) => self.player.disconnect(*session),
                Step::Advance(by_ms) => self.player.advance(*by_ms)?,
                Step::Execute(session, args, reply) => {
                    if self.player.execute(*session, args)? != *reply {
                        return Ok(false);
                    }
                }
            }
        }
        Ok(true)
    }

    fn advance_until_certain(&mut self, by_ms: i64) -> Result<(), LabError> {
        let mut outcome = self.player.advance(by_ms);
        for _ in 1..ATTEMPTS {
            let Err(LabError::Imprecise { .. }) = outcome else { break };
            outcome = match self.play_again() {
                Ok(true) => self.player.advance(by_ms),
                // Replies that differ by themselves (a random key, a client's id): what came of the first time counts.
                Ok(false) => break,
                Err(error) => Err(error),
            };
        }
        outcome
    }
}

fn refused(error: LabError) -> BackendError {
    BackendError(error.to_string())
}

impl Backend for RealRedis {
    fn name(&self) -> String {
        format!("redis-server {}", self.server().version())
    }

    fn reset(&mut self) -> Result<(), BackendError> {
        self.played.clear();
        self.player.reset().map_err(refused)
    }

    fn now_ms(&mut self) -> Result<i64, BackendError> {
        Ok(self.player.now_ms())
    }

    fn connect(&mut self, session: u32) -> Result<(), BackendError> {
        self.player.connect(session).map_err(refused)?;
        self.played.push(Step::Connect(session));
        Ok(())
    }

    fn disconnect(&mut self, session: u32) {
        self.player.disconnect(session);
        self.played.push(Step::Disconnect(session));
    }

    fn execute(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, BackendError> {
        let reply = self.player.execute(session, args).map_err(refused)?;
        self.played.push(Step::Execute(session, args.to_vec(), reply.clone()));
        Ok(reply)
    }

    fn advance(&mut self, by_ms: i64) -> Result<(), BackendError> {
        self.advance_until_certain(by_ms).map_err(refused)?;
        self.played.push(Step::Advance(by_ms));
        Ok(())
    }
}
