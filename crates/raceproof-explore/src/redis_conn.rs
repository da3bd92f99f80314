//! A Redis connection for redis-rs whose every command stops at the gate.

use std::io;

use bytes::Bytes;
use raceproof_engine::Reply;
use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, ErrorKind, Pipeline, RedisError, RedisFuture, RedisResult, Value};
use smallvec::{SmallVec, smallvec};

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
}

impl RedisConnection {
    pub(crate) fn new(port: &Port) -> Self {
        let mut mailbox = port.lock();
        let session = mailbox.sessions;
        mailbox.sessions += 1;
        drop(mailbox);
        Self { port: port.clone(), session }
    }

    /// Sends one command as it stands and gives the reply in the engine's own type. A reply that is lost is an error
    /// reply that begins with `LOST` (nobody knows whether the command took effect) or `UNREACHABLE` (it was not sent).
    pub async fn command(&self, args: Vec<Bytes>) -> Reply {
        match self.send(smallvec![args]).await {
            Ok(mut replies) => replies.pop().unwrap_or(Reply::Null),
            Err(lost) => Reply::Error(Bytes::from_static(lost.text().as_bytes())),
        }
    }

    /// Sends commands that are delivered together, in one step.
    pub(crate) async fn send(&self, commands: SmallVec<[Vec<Bytes>; 1]>) -> Result<SmallVec<[Reply; 1]>, Lost> {
        match self.port.ask(Op::Redis { session: self.session, commands }).await {
            Answer::Redis(replies) => Ok(replies),
            Answer::Lost(lost) => Err(lost),
            Answer::Sql(_) | Answer::Cell | Answer::Panic(_) => Ok(SmallVec::new()),
        }
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        let args = arguments(cmd);
        Box::pin(async move {
            let mut replies = self.send(smallvec![args?]).await.map_err(unanswered)?;
            value(replies.pop().unwrap_or(Reply::Null))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let commands: Vec<Vec<Bytes>> = pipeline.cmd_iter().map(arguments).collect::<RedisResult<_>>()?;
            let replies = if pipeline.is_transaction() {
                let mut together: SmallVec<[Vec<Bytes>; 1]> = smallvec![vec![Bytes::from_static(b"MULTI")]];
                together.extend(commands);
                together.push(vec![Bytes::from_static(b"EXEC")]);
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
    async fn send_each(&self, commands: Vec<Vec<Bytes>>) -> Result<SmallVec<[Reply; 1]>, Lost> {
        let posted: Vec<u64> = commands
            .into_iter()
            .map(|args| self.port.post(Op::Redis { session: self.session, commands: smallvec![args] }))
            .collect();
        let mut replies = SmallVec::with_capacity(posted.len());
        for id in posted {
            let answer = std::future::poll_fn(|_| {
                self.port.take_answer(id).map_or(std::task::Poll::Pending, std::task::Poll::Ready)
            })
            .await;
            match answer {
                Answer::Redis(reply) => replies.extend(reply),
                Answer::Lost(lost) => return Err(lost),
                Answer::Sql(_) | Answer::Cell | Answer::Panic(_) => {}
            }
        }
        Ok(replies)
    }
}

/// The arguments, in one allocation: a search makes millions of commands.
fn arguments(cmd: &Cmd) -> RedisResult<Vec<Bytes>> {
    let args = || {
        cmd.args_iter().map(|arg| match arg {
            Arg::Simple(bytes) => Ok(bytes),
            Arg::Cursor => Ok(&b"0"[..]),
            _ => Err(RedisError::from((
                ErrorKind::Client,
                "an argument of a kind this version of raceproof does not know",
            ))),
        })
    };
    let mut lengths = SmallVec::<[usize; 8]>::new();
    for arg in args() {
        lengths.push(arg?.len());
    }
    let mut joined = Vec::with_capacity(lengths.iter().sum());
    for arg in args() {
        joined.extend_from_slice(arg?);
    }
    let mut rest = Bytes::from(joined);
    Ok(lengths.iter().map(|length| rest.split_to(*length)).collect())
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
        Reply::Null | Reply::NullArray => Value::Nil,
        Reply::Array(items) => Value::Array(values(items)?),
        Reply::Set(items) => Value::Set(values(items)?),
        Reply::Map(pairs) => Value::Map(
            pairs.into_iter().map(|(key, item)| Ok((value(key)?, value(item)?))).collect::<RedisResult<_>>()?,
        ),
        Reply::Double(x) => Value::Double(x),
        Reply::Boolean(b) => Value::Boolean(b),
        Reply::Verbatim(format, text) => Value::VerbatimString {
            format: match &format {
                b"txt" => redis::VerbatimFormat::Text,
                b"mkd" => redis::VerbatimFormat::Markdown,
                other => redis::VerbatimFormat::Unknown(lossy(other)),
            },
            text: lossy(&text),
        },
        Reply::Push(items) => Value::Push { kind: redis::PushKind::Message, data: values(items)? },
    })
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
