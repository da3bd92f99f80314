//! A Redis connection for redis-rs whose every command stops at the gate.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use raceproof_engine::Reply;
use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, Pipeline, PushInfo, PushKind, RedisError, RedisFuture, RedisResult, Value};
use smallvec::{SmallVec, smallvec};

use crate::command::Command;
use crate::mailbox::{Answer, Lost, Op, Port};

/// A connection to the explored Redis, for [`redis::AsyncCommands`], pipelines and scripts.
///
/// One session of the server; clones share it, as clones of redis-rs' multiplexed connection do. A command is one
/// step; a pipeline is one step for each command, an atomic pipeline (`MULTI … EXEC`) is one step in all.
///
/// A future that is dropped after its first poll does not unsend its command: it is delivered later.
///
/// When a fault takes a reply away, the command ends with the I/O error that redis-rs would give: `BrokenPipe`,
/// `TimedOut` (after 500 ms of virtual time) or `ConnectionRefused`. The next command connects anew, as with redis-rs'
/// `ConnectionManager`.
#[derive(Clone, Debug)]
pub struct RedisConnection {
    port: Port,
    session: u32,
    /// How many commands redis-rs has sent by this handle.
    sent: usize,
}

impl RedisConnection {
    pub(crate) fn new(port: &Port) -> Self {
        let session = port.with(|mailbox| {
            mailbox.sessions += 1;
            mailbox.sessions - 1
        });
        Self { port: *port, session, sent: 0 }
    }

    pub(crate) fn to_replica(port: &Port) -> Self {
        let connection = Self::new(port);
        port.lock().replicas.push(connection.session);
        connection
    }

    /// Sends one command as it stands and gives the reply in the engine's own type. A reply that is lost is an error
    /// reply that begins with `LOST` (nobody knows whether the command took effect) or `UNREACHABLE` (it was not sent).
    pub async fn command(&self, args: Vec<Bytes>) -> Reply {
        match only(self.deliver(args.into()).await) {
            Ok(reply) => reply,
            Err(lost) => Reply::Error(Bytes::from_static(lost.text().as_bytes())),
        }
    }

    /// Waits for the next message that the server sends this connection beside the replies to its commands: of a channel
    /// that it has subscribed to, of keys that it tracks. Which kind it is stands in [`PushInfo::kind`], as with the push
    /// sender of redis-rs; [`redis::Msg::from_push_info`] makes a message of a channel of it. What answers `SUBSCRIBE` and
    /// its kind is their reply, and no message.
    ///
    /// Receiving is a step: between the command that caused the message and this one others may go on. Dropping the
    /// future (as [`Ctx::timeout`](crate::Ctx::timeout) does) receives nothing.
    ///
    /// # Errors
    /// `BrokenPipe`, once, when the connection has ended and its client has not learnt of it: what had not arrived is lost,
    /// and so are all subscriptions. `ConnectionRefused` for a client that does not reach Redis any more.
    pub async fn receive(&self) -> RedisResult<PushInfo> {
        self.next_message(true).await.map_err(unanswered)?.map_or_else(nothing, push)
    }

    /// The next message, if one has arrived; without waiting. A message that was sent before a reply which this
    /// connection has received has arrived; of others either is possible, and both are tried.
    ///
    /// # Errors
    /// As for [`Self::receive`].
    pub async fn try_receive(&self) -> RedisResult<Option<PushInfo>> {
        self.next_message(false).await.map_err(unanswered)?.map(push).transpose()
    }

    /// The next message in the engine's own type; `None` if it is not waited for and none has arrived.
    pub(crate) async fn next_message(&self, waits: bool) -> Result<Option<Reply>, Lost> {
        let answer = self.port.ask(Op::Receive { session: self.session, waits }).await;
        Ok(replies(answer)?.pop())
    }

    /// Sends commands that are delivered together, in one step.
    pub(crate) async fn send(&self, commands: SmallVec<[Command; 1]>) -> Result<SmallVec<[Reply; 1]>, Lost> {
        replies(self.port.ask(Op::Redis { session: self.session, commands }).await)
    }

    /// What redis-rs sends next by this handle.
    fn next_command(&mut self, cmd: &Cmd) -> RedisResult<Command> {
        const USUAL: usize = 16;
        self.sent += 1;
        Command::of_redis_rs(cmd, self.port.place() * USUAL + self.session as usize + self.sent)
    }

    fn deliver(&self, command: Command) -> Delivery<'_> {
        Delivery { connection: self, stage: Stage::Unsent(command) }
    }
}

/// One command on its way: sent at the first poll. Small, and one state machine instead of several in each other: a
/// search makes one for every step.
struct Delivery<'a> {
    connection: &'a RedisConnection,
    stage: Stage,
}

enum Stage {
    Unsent(Command),
    /// Sent, by the number of the request.
    Sent(u64),
}

impl Future for Delivery<'_> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        let RedisConnection { port, session, .. } = self.connection;
        if let Stage::Sent(id) = self.stage {
            return port.take_answer(id).map_or(Poll::Pending, Poll::Ready);
        }
        if let Stage::Unsent(command) = std::mem::replace(&mut self.stage, Stage::Sent(0)) {
            self.stage = Stage::Sent(port.post(Op::Redis { session: *session, commands: smallvec![command] }));
        }
        Poll::Pending
    }
}

/// A command on its way whose reply is to be a value of redis-rs.
struct Valued<'a>(Delivery<'a>);

impl Future for Valued<'_> {
    type Output = RedisResult<Value>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RedisResult<Value>> {
        Pin::new(&mut self.0).poll(context).map(|answer| value(only(answer).map_err(unanswered)?))
    }
}

fn replies(answer: Answer) -> Result<SmallVec<[Reply; 1]>, Lost> {
    match answer {
        Answer::Redis(replies) => Ok(replies),
        Answer::Reply(reply) => Ok(smallvec![reply]),
        Answer::Lost(lost) => Err(lost),
        Answer::Sql(_) | Answer::Cell | Answer::Panic(_) => Ok(SmallVec::new()),
    }
}

fn only(answer: Answer) -> Result<Reply, Lost> {
    match answer {
        Answer::Reply(reply) => Ok(reply),
        other => Ok(replies(other)?.pop().unwrap_or(Reply::Null)),
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self.next_command(cmd) {
            Ok(command) => Box::pin(Valued(self.deliver(command))),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let commands: Vec<Command> =
                pipeline.cmd_iter().map(|cmd| self.next_command(cmd)).collect::<RedisResult<_>>()?;
            let replies = if pipeline.is_transaction() {
                let mut together: SmallVec<[Command; 1]> = smallvec![vec![Bytes::from_static(b"MULTI")].into()];
                together.extend(commands);
                together.push(vec![Bytes::from_static(b"EXEC")].into());
                self.send(together).await
            } else {
                self.send_each(commands).await
            };
            let replies = replies.map_err(unanswered)?;
            replies.into_iter().skip(offset).take(count).map(value).collect()
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

impl RedisConnection {
    /// Posts all commands at once, as a pipeline is written in one go; each is delivered as a step of its own.
    async fn send_each(&self, commands: Vec<Command>) -> Result<SmallVec<[Reply; 1]>, Lost> {
        let post = |command| self.port.post(Op::Redis { session: self.session, commands: smallvec![command] });
        let posted: Vec<u64> = commands.into_iter().map(post).collect();
        let mut all = SmallVec::with_capacity(posted.len());
        for id in posted {
            let answer = Delivery { connection: self, stage: Stage::Sent(id) }.await;
            all.extend(replies(answer)?);
        }
        Ok(all)
    }
}

/// The error of redis-rs for a reply that never came.
fn unanswered(lost: Lost) -> RedisError {
    let kind = match lost {
        Lost::Broken => io::ErrorKind::BrokenPipe,
        Lost::TimedOut => io::ErrorKind::TimedOut,
        Lost::Unreachable => io::ErrorKind::ConnectionRefused,
    };
    RedisError::from(io::Error::new(kind, lost.text()))
}

/// The value that redis-rs' parser would give for the reply.
fn value(reply: Reply) -> RedisResult<Value> {
    Ok(match reply {
        Reply::Simple("OK") => Value::Okay,
        Reply::Simple(text) => Value::SimpleString(text.to_owned()),
        Reply::Status(text) if text.as_ref() == b"OK" => Value::Okay,
        Reply::Status(text) => Value::SimpleString(lossy(&text)),
        Reply::Error(text) => server_error(&text)?,
        Reply::Integer(n) => Value::Int(n),
        Reply::Bulk(bytes) | Reply::BigNumber(bytes) => Value::BulkString(bytes.into()),
        Reply::Null | Reply::NullArray | Reply::NullOf(_) => Value::Nil,
        Reply::Inline(items) if items.is_empty() => Value::Nil,
        Reply::Array(items) | Reply::Inline(items) => Value::Array(values(items)?),
        Reply::Set(items) => Value::Set(values(items)?),
        Reply::Map(pairs) | Reply::Attribute(pairs) => Value::Map(
            pairs.into_iter().map(|(key, item)| Ok((value(key)?, value(item)?))).collect::<RedisResult<_>>()?,
        ),
        Reply::Double(x) | Reply::Decimal(x) => Value::Double(x),
        Reply::Boolean(b) => Value::Boolean(b),
        Reply::Verbatim(format, text) => Value::VerbatimString {
            format: match &format {
                b"txt" => redis::VerbatimFormat::Text,
                b"mkd" => redis::VerbatimFormat::Markdown,
                other => redis::VerbatimFormat::Unknown(lossy(other)),
            },
            text: lossy(&text),
        },
        Reply::Push(items) => {
            let PushInfo { kind, data } = push(Reply::Push(items))?;
            Value::Push { kind, data }
        }
    })
}

/// A message as redis-rs' parser would give it.
fn push(message: Reply) -> RedisResult<PushInfo> {
    let (Reply::Push(items) | Reply::Array(items)) = message else { return nothing() };
    let mut items = items.into_iter();
    let word = match items.next() {
        Some(Reply::Bulk(word) | Reply::Status(word)) => lossy(&word),
        Some(Reply::Simple(word)) => word.to_owned(),
        _ => return nothing(),
    };
    let kind = match word.as_str() {
        "message" => PushKind::Message,
        "pmessage" => PushKind::PMessage,
        "smessage" => PushKind::SMessage,
        "invalidate" => PushKind::Invalidate,
        "subscribe" => PushKind::Subscribe,
        "psubscribe" => PushKind::PSubscribe,
        "ssubscribe" => PushKind::SSubscribe,
        "unsubscribe" => PushKind::Unsubscribe,
        "punsubscribe" => PushKind::PUnsubscribe,
        "sunsubscribe" => PushKind::SUnsubscribe,
        _ => PushKind::Other(word),
    };
    Ok(PushInfo { kind, data: items.map(value).collect::<RedisResult<_>>()? })
}

/// A server that answers with no message where one was due.
fn nothing<T>() -> RedisResult<T> {
    Err(RedisError::from((ErrorKind::Parse, "a message was expected here")))
}

fn values(items: Vec<Reply>) -> RedisResult<Vec<Value>> {
    items.into_iter().map(value).collect()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// redis-rs classifies an error by its code, and only its parser may do so.
fn server_error(text: &[u8]) -> RedisResult<Value> {
    let mut line = Vec::with_capacity(text.len() + 3);
    line.push(b'-');
    line.extend(text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }));
    line.extend_from_slice(b"\r\n");
    redis::parse_redis_value(&line)
}
