//! An execution found in simulation, played on a real redis-server.

use std::sync::Arc;

use bytes::Bytes;
use raceproof_explore::{Backend, BackendError};

use crate::player::{Player, real_now_ms};
use crate::{HeldClock, LabError, RedisServer, Reply};

/// How often an execution is played again until its deadlines are exact. On a busy machine one in twenty is not.
const ATTEMPTS: u32 = 20;

/// What has been played since the last reset.
#[derive(Clone, Debug)]
enum Step {
    Connect(u32),
    ShowId(u32, i64),
    Disconnect(u32),
    Execute(u32, Vec<Bytes>, Reply),
    Message(u32, Reply),
    ConnectToReplica(u32),
    /// The next command is sent to the replica as it was after so many entries of the log.
    LagBehind(usize),
    /// A command that waits, and its reply when its time is over or before.
    Send(u32, Vec<Bytes>),
    Receive(u32, bool, Reply),
    /// The server's clock moves, and with it the clients' or not.
    Clock(i64),
    Logged(usize),
    Restart(Option<usize>),
    Failover(usize),
    Evict(u32, Bytes),
}

/// A replica that is to take over: which failover, by the step's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    failover: usize,
    /// Before this step it is given to the server that is the primary then.
    attach: usize,
    /// After this step it receives nothing any more.
    hold: usize,
}

/// A stretch of an execution in which the replica that is read receives nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lag {
    /// It begins after this step.
    after: usize,
    /// It ends after this step, the read.
    until: usize,
    entries: usize,
}

/// A real redis-server as the explorer's backend: the same steps in the same order, one connection per session.
///
/// **The clock** is held ([`HeldClock`]): it stands still between the steps that move it. When it moves, the keys whose time
/// is over end in the order of their deadlines, and so do waits.
///
/// **A server whose clock cannot be held.** A step of the clock moves the deadline of every volatile key in every database;
/// keys whose deadline passes are gone at once, a key at the last millisecond of its life stays. Real time that passes
/// between steps does not count. Should the machine have been too slow to tell on which side of a deadline a step ends,
/// everything since the reset is played again until it is certain. Commands that ask the server for an absolute time
/// (`TIME`, `PEXPIRETIME`), for how long something has been idle, or to tell of changes of keys are refused.
/// `redis.call("TIME")` in a script is told the played time. A time to live of a few milliseconds may end before the lab has
/// seen the key. Setting a deadline touches the key, as any write does, and would make an `EXEC` fail that succeeds in
/// simulation. So after a step of the clock each session that watched a moved key, and had not been failed by anything
/// before, watches the same keys anew. Inside `MULTI` that is impossible, and such a step is refused. Commands that wait are
/// sent without a time, and are unblocked when it is over.
///
/// **Restart, power loss.** The process is killed, its append-only file is cut after the last entry that survives, and
/// it is started again on it. For that [`Self::start`] starts a server that keeps one.
///
/// **Failover.** The execution is played again from its start, on a server with a replica. When the replica has received
/// the last entry that survives it is stopped and its connection closed. The primary goes on alone, is killed, and the
/// replica is promoted.
///
/// **A replica that lags behind.** The execution is played again from its start. When the replica has received what it is to
/// show it follows its primary no more, until it has been read.
///
/// **Eviction.** The server evicts the key for want of memory, when it is the only one that it may evict.
///
/// **The server's clock is stepped.** As a step of the clock, forward or back.
#[derive(Debug)]
pub struct RealRedis {
    player: Player,
    played: Vec<Step>,
    /// Why the server's clock is not held.
    not_held: Option<String>,
}

impl RealRedis {
    /// Takes a running server over, and empties it.
    ///
    /// # Errors
    /// The server does not answer.
    pub fn new(server: RedisServer) -> Result<Self, LabError> {
        let not_held = server.clock().is_none().then(|| "the server was started with the machine's".to_owned());
        Ok(Self { player: Player::new(server)?, played: Vec::new(), not_held })
    }

    /// Starts a private server that keeps an append-only file and has a clock that is held, if that can be, and takes it
    /// over.
    ///
    /// # Errors
    /// There is no redis-server, or it does not start; see [`Builder::start`](crate::Builder::start).
    pub fn start() -> Result<Self, LabError> {
        let held = HeldClock::new(real_now_ms()).and_then(|clock| Self::start_with(Some(Arc::new(clock))));
        match held {
            // Some servers refuse to have a library loaded before theirs.
            Err(why @ (LabError::ClockNotHeld { .. } | LabError::EndedAtStart { .. })) => {
                let mut redis = Self::start_with(None)?;
                redis.not_held = Some(why.to_string());
                Ok(redis)
            }
            started => started,
        }
    }

    /// As [`Self::start`], with the machine's clock.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn start_with_running_clock() -> Result<Self, LabError> {
        Self::start_with(None)
    }

    fn start_with(clock: Option<Arc<HeldClock>>) -> Result<Self, LabError> {
        let mut server = RedisServer::builder()
            .config("appendonly", "yes")
            // What the kernel has survives a kill; what is to be lost is cut off.
            .config("appendfsync", "no")
            .config("auto-aof-rewrite-percentage", "0")
            // A replica has its primary's data in 50 ms instead of 200.
            .config("hz", "100");
        if let Some(clock) = clock {
            // A replica has not lost its primary because the clock was moved by hours.
            server = server
                .config("repl-timeout", i32::MAX.to_string())
                .config("repl-backlog-ttl", "0")
                .config("enable-debug-command", "yes")
                .clock(clock);
        }
        Self::new(server.start()?)
    }

    /// The server that is played on.
    #[must_use]
    pub fn server(&self) -> &RedisServer {
        self.player.server()
    }

    /// The error, and why it is one.
    fn refused(&self, error: &LabError) -> BackendError {
        BackendError(match (error, &self.not_held) {
            (LabError::NeedsClock { .. }, Some(why)) => format!("{error}: {why}"),
            _ => error.to_string(),
        })
    }

    /// Plays everything since the reset once more.
    fn play_again(&mut self) -> Result<(), LabError> {
        let Self { player, played, .. } = self;
        player.reset()?;
        let holds = holds(played);
        let lags = lags(played)?;
        if !lags.is_empty() {
            player.start_reader()?;
        }
        for (at, step) in played.iter().enumerate() {
            for hold in holds.iter().filter(|hold| hold.attach == at) {
                player.attach(hold.failover)?;
            }
            play(player, at, step)?;
            for hold in holds.iter().filter(|hold| hold.hold == at) {
                player.hold(hold.failover)?;
            }
            if lags.iter().any(|lag| lag.after == at) {
                player.hold_reader()?;
            } else if !lags.iter().any(|lag| (lag.after..lag.until).contains(&at)) {
                player.release_reader();
            }
        }
        Ok(())
    }

    /// Plays a step, and everything since the reset again until the step is certain.
    fn play_until_certain(&mut self, step: Step) -> Result<(), LabError> {
        let failover = matches!(step, Step::Failover(_) | Step::LagBehind(_));
        // Its replica must be held back when nobody knows of it yet.
        let mut outcome = if failover { Ok(()) } else { play(&mut self.player, self.played.len(), &step) };
        self.played.push(step);
        if failover {
            outcome = self.play_again();
        }
        for _ in 1..ATTEMPTS {
            match &outcome {
                Err(LabError::PlaysOtherwise { .. }) if failover => {}
                Err(error) if error.was_too_slow() => {}
                _ => break,
            }
            match self.play_again() {
                // Replies that differ by themselves (a random key, a client's id): what came of the first time counts.
                Err(LabError::PlaysOtherwise { .. }) if !failover => {}
                again => outcome = again,
            }
        }
        outcome
    }
}

/// Plays the step of this number.
fn play(player: &mut Player, number: usize, step: &Step) -> Result<(), LabError> {
    match step {
        Step::Connect(session) => player.connect(*session),
        Step::ShowId(session, id) => {
            player.show_id(*session, *id);
            Ok(())
        }
        Step::Disconnect(session) => {
            player.disconnect(*session);
            Ok(())
        }
        Step::Clock(by_ms) => player.advance(*by_ms),
        Step::ConnectToReplica(session) => player.connect_to_replica(*session),
        // The replica was held back when nobody knew of it yet.
        Step::LagBehind(_) => Ok(()),
        Step::Logged(entries) => player.logged(*entries),
        Step::Restart(entries) => player.restart(*entries),
        Step::Failover(entries) => player.failover(number, *entries),
        Step::Evict(db, key) => player.evict(*db, key),
        Step::Send(session, args) => player.send(*session, args),
        Step::Receive(session, late, reply) => {
            let again = player.receive(*session, *late)?;
            let command = "a command that waited".to_owned();
            if alike(&again, reply) { Ok(()) } else { Err(LabError::PlaysOtherwise { command }) }
        }
        Step::Message(session, message) => {
            let again = player.message(*session)?;
            let command = "a message".to_owned();
            if alike(&again, message) { Ok(()) } else { Err(LabError::PlaysOtherwise { command }) }
        }
        Step::Execute(session, args, reply) => {
            let again = player.execute(*session, args)?;
            let command = args.first().map_or_else(String::new, |name| String::from_utf8_lossy(name).into_owned());
            // What a server is as a process is another process's the next time, and on a clock that runs what is left of
            // a time may be a millisecond less.
            let runs = player.server().clock().is_none();
            let same = alike(&again, reply)
                || command.eq_ignore_ascii_case("INFO")
                || (runs
                    && ["TTL", "PTTL"].iter().any(|timed| command.eq_ignore_ascii_case(timed))
                    && both_last(&again, reply));
            if same { Ok(()) } else { Err(LabError::PlaysOtherwise { command }) }
        }
    }
}

/// Whether both say that a key has a time to live.
fn both_last(one: &Reply, other: &Reply) -> bool {
    matches!((one, other), (Reply::Integer(0..), Reply::Integer(0..)))
}

/// Whether two replies are the same but for the order of lists: that of a hash table differs from process to process.
fn alike(one: &Reply, other: &Reply) -> bool {
    match (one, other) {
        (Reply::Array(one), Reply::Array(other)) => {
            let mut rest: Vec<&Reply> = other.iter().collect();
            one.len() == other.len()
                && one.iter().all(|item| {
                    let at = rest.iter().position(|candidate| alike(item, candidate));
                    at.map(|at| rest.swap_remove(at)).is_some()
                })
        }
        _ => one == other,
    }
}

/// For each failover, when its replica is given to the server and when it is held back: it receives the log in which
/// the last entry that survives was written.
fn holds(played: &[Step]) -> Vec<Hold> {
    let failovers = played.iter().enumerate().filter_map(|(at, step)| match step {
        Step::Failover(entries) => Some((at, *entries)),
        _ => None,
    });
    let hold = |(failover, entries): (usize, usize)| {
        let before = &played[..failover];
        let hold = before.iter().rposition(|step| matches!(step, Step::Logged(at) if *at == entries))?;
        let anew = before[..hold].iter().rposition(|step| matches!(step, Step::Restart(_) | Step::Failover(_)));
        Some(Hold { failover, attach: anew.map_or(0, |anew| anew + 1), hold })
    };
    failovers.filter_map(hold).collect()
}

/// When the replica that is read is held back: from before the write that it is not to have, until it is read.
fn lags(played: &[Step]) -> Result<Vec<Lag>, LabError> {
    let mut lags: Vec<Lag> = Vec::new();
    for (at, step) in played.iter().enumerate() {
        let Step::LagBehind(entries) = *step else { continue };
        let written = played[..at].iter().rposition(|step| matches!(step, Step::Logged(known) if *known == entries));
        let written = written.ok_or(LabError::NoSuchLog { entries, why: "there is no such entry" })?;
        // The next entry is told right after what wrote it.
        let next = played[written + 1..at].iter().position(|step| matches!(step, Step::Logged(_)));
        let after = next.map_or(written, |next| written.max((written + next).saturating_sub(1)));
        if lags.iter().any(|earlier| earlier.entries != entries && after < earlier.until) {
            return Err(LabError::OneReplica { what: "a replica that has received a part of what it lacked" });
        }
        lags.push(Lag { after, until: at + 1, entries });
    }
    Ok(lags)
}

impl Backend for RealRedis {
    fn name(&self) -> String {
        format!("redis-server {}", self.server().version())
    }

    fn reset(&mut self) -> Result<(), BackendError> {
        self.played.clear();
        self.player.reset().map_err(|error| self.refused(&error))
    }

    fn now_ms(&mut self) -> Result<i64, BackendError> {
        Ok(self.player.now_ms())
    }

    fn clock_is_held(&self) -> bool {
        self.server().clock().is_some()
    }

    fn connect(&mut self, session: u32) -> Result<(), BackendError> {
        self.player.connect(session).map_err(|error| self.refused(&error))?;
        self.played.push(Step::Connect(session));
        Ok(())
    }

    fn show_id(&mut self, session: u32, client_id: i64) -> Result<(), BackendError> {
        self.player.show_id(session, client_id);
        self.played.push(Step::ShowId(session, client_id));
        Ok(())
    }

    fn connect_to_replica(&mut self, session: u32) -> Result<(), BackendError> {
        self.player.connect_to_replica(session).map_err(|error| self.refused(&error))?;
        self.played.push(Step::ConnectToReplica(session));
        Ok(())
    }

    fn lag_behind(&mut self, entries: usize) -> Result<(), BackendError> {
        self.play_until_certain(Step::LagBehind(entries)).map_err(|error| self.refused(&error))
    }

    fn disconnect(&mut self, session: u32) {
        self.player.disconnect(session);
        self.played.push(Step::Disconnect(session));
    }

    fn execute(&mut self, session: u32, args: &[Bytes]) -> Result<Reply, BackendError> {
        let reply = self.player.execute(session, args).map_err(|error| self.refused(&error))?;
        if matches!(self.played.last(), Some(Step::LagBehind(_))) {
            self.player.release_reader();
        }
        self.played.push(Step::Execute(session, args.to_vec(), reply.clone()));
        Ok(reply)
    }

    fn send(&mut self, session: u32, args: &[Bytes]) -> Result<(), BackendError> {
        self.player.send(session, args).map_err(|error| self.refused(&error))?;
        self.played.push(Step::Send(session, args.to_vec()));
        Ok(())
    }

    fn receive(&mut self, session: u32, late: bool) -> Result<Reply, BackendError> {
        let reply = self.player.receive(session, late).map_err(|error| self.refused(&error))?;
        self.played.push(Step::Receive(session, late, reply.clone()));
        Ok(reply)
    }

    fn message(&mut self, session: u32) -> Result<Reply, BackendError> {
        let message = self.player.message(session).map_err(|error| self.refused(&error))?;
        self.played.push(Step::Message(session, message.clone()));
        Ok(message)
    }

    fn logged(&mut self, entries: usize) -> Result<(), BackendError> {
        self.player.logged(entries).map_err(|error| self.refused(&error))?;
        self.played.push(Step::Logged(entries));
        Ok(())
    }

    fn restart(&mut self, entries: Option<usize>) -> Result<(), BackendError> {
        self.play_until_certain(Step::Restart(entries)).map_err(|error| self.refused(&error))
    }

    fn failover(&mut self, entries: usize) -> Result<(), BackendError> {
        self.play_until_certain(Step::Failover(entries)).map_err(|error| self.refused(&error))
    }

    fn evict(&mut self, db: u32, key: &[u8]) -> Result<(), BackendError> {
        self.play_until_certain(Step::Evict(db, Bytes::copy_from_slice(key))).map_err(|error| self.refused(&error))
    }

    fn step_clock(&mut self, by_ms: i64) -> Result<(), BackendError> {
        self.advance(by_ms)
    }

    fn advance(&mut self, by_ms: i64) -> Result<(), BackendError> {
        self.play_until_certain(Step::Clock(by_ms)).map_err(|error| self.refused(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replica_is_held_back_from_what_it_is_to_show_until_it_has_shown_it() {
        let read = |entries| [Step::LagBehind(entries), Step::Execute(1, Vec::new(), Reply::Null)];
        let [lag, execute] = read(0);
        let [again, once_more] = read(1);
        let mut played =
            vec![Step::ConnectToReplica(1), Step::Logged(0), Step::Logged(1), lag, execute, Step::Logged(2)];
        assert_eq!(lags(&played).unwrap(), [Lag { after: 1, until: 4, entries: 0 }]);
        // The second entry was written before the first read: the replica would have to receive it and not the third.
        played.extend([again.clone(), once_more.clone()]);
        assert!(matches!(lags(&played), Err(LabError::OneReplica { .. })));
        played.insert(6, Step::Logged(1));
        assert_eq!(lags(&played).unwrap()[1], Lag { after: 6, until: 8, entries: 1 });
    }

    #[test]
    fn a_replica_is_held_where_the_last_entry_that_survives_was_written() {
        let twice = [
            Step::Connect(0),
            Step::Logged(0),
            Step::Logged(1),
            Step::Logged(2),
            Step::Restart(Some(1)),
            Step::Logged(2),
            Step::Failover(2),
            Step::Logged(3),
            Step::Failover(0),
            Step::Failover(3),
        ];
        let found = holds(&twice);
        assert_eq!(found[0], Hold { failover: 6, attach: 5, hold: 5 }, "entry 2 is the one written after the restart");
        assert_eq!(found[1], Hold { failover: 8, attach: 0, hold: 1 });
        assert_eq!(found[2], Hold { failover: 9, attach: 7, hold: 7 }, "by the server that was a replica");
        assert_eq!(holds(&twice[..6]), []);
    }

    #[test]
    fn replies_are_alike_whatever_the_order_of_their_lists() {
        let list = |items: &[i64]| Reply::Array(items.iter().map(|item| Reply::Integer(*item)).collect());
        let nested = |a, b| Reply::Array(vec![a, b]);
        assert!(alike(&nested(list(&[1, 2]), list(&[])), &nested(list(&[]), list(&[2, 1]))));
        assert!(!alike(&list(&[1, 1, 2]), &list(&[1, 2, 2])));
        assert!(!alike(&list(&[1]), &list(&[1, 1])));
        assert!(!alike(&Reply::Null, &Reply::NullArray));
    }
}
