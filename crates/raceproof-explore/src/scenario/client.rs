//! A coroutine of a scenario as a future: it performs at the gate what the coroutine asks for.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use bytes::Bytes;
use mlua::{MultiValue, Table, Value};
use raceproof_engine::Reply;
use raceproof_env::Files as _;
use smallvec::SmallVec;

use super::convert;
use super::language::{Answer, Body, Language, Progress, Refusal, Request};
use crate::command::Command;
use crate::history::{Mark, OperationKind};
use crate::mailbox::Lost;
use crate::recording::Record;
use crate::{Ctx, Database, DiskLock, Failure, Place, RedisConnection, SqlError, SqlReply};

/// The steps that a body may make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) steps: u32,
    /// Whether the file states it: the search then cuts the client off by itself, and says so.
    pub(super) stated: bool,
    /// The client is to end, as if its function had returned, after so many steps.
    pub(super) ends_after: Option<u32>,
}

/// Runs a body of the scenario to its end.
pub(super) async fn run(
    language: Rc<Language>,
    number: usize,
    body: Body,
    limit: Limit,
    ctx: Ctx,
) -> Result<(), Failure> {
    let mut client =
        Client { language: &language, ctx, redis: Vec::new(), replica: None, database: None, files: HashMap::new() };
    let (id, mut progress) = language.start(number, &body);
    let mut steps = 0_u32;
    loop {
        let (request, args) = match progress {
            Progress::Asks(request, args) => (request, args),
            Progress::Ended => return Ok(()),
            Progress::Failed { message, line } => return Err(failure(&language, &body, message, line)),
            Progress::Mistake(mut error) => {
                error.line = error.line.or(body.line);
                let message = error.what.clone();
                language.mistake.borrow_mut().get_or_insert(error);
                return Err(Failure { message, place: None });
            }
        };
        steps += u32::from(is_step(request));
        if limit.ends_after.is_some_and(|last| steps > last) {
            return Ok(());
        }
        let answer = if steps > allowed(limit) {
            Answer::Limit(steps - 1)
        } else {
            client.perform(request, args).await.unwrap_or_else(|error| Answer::Error(error.to_string().into(), None))
        };
        progress = language.resume(id, &body, answer);
    }
}

const fn is_step(request: Request) -> bool {
    use Request::{
        Connection, Effect, Ended, Fenced, Inside, Note, Now, Observed, Operation, Read, Returned, UnlockFile, Write,
    };
    let marks = matches!(request, Note | Write | Read | Operation | Inside | Ended | Fenced | Effect | Observed);
    !marks && !matches!(request, Connection | Now | Returned | UnlockFile)
}

/// Where the file states a bound the search keeps it; here only a loop that never makes a step must be stopped.
const fn allowed(limit: Limit) -> u32 {
    if limit.stated { limit.steps.saturating_mul(10).saturating_add(1000) } else { limit.steps }
}

fn failure(language: &Language, body: &Body, message: String, line: Option<u32>) -> Failure {
    let place = line.or(body.line).map(|line| Place { file: language.file().to_owned(), line });
    Failure { message, place }
}

struct Client<'a> {
    language: &'a Language,
    ctx: Ctx,
    /// Its connections; the first is opened when it is first used.
    redis: Vec<RedisConnection>,
    replica: Option<RedisConnection>,
    database: Option<Database>,
    /// The locked files. A lock ends with its client, however that ends.
    files: HashMap<String, DiskLock>,
}

/// What was asked for, or the text of an error that the scenario may catch.
type Answered = mlua::Result<Answer>;

fn refuse(text: String) -> Answered {
    Ok(Answer::Error(text.into(), None))
}

impl Client<'_> {
    async fn perform(&mut self, request: Request, mut args: MultiValue) -> Answered {
        match request {
            Request::Redis => self.command(1, args).await,
            Request::Replica => {
                let replica = self.replica().clone();
                self.command_on(&replica, args).await
            }
            Request::RedisOn => {
                let number = args.pop_front();
                self.command(numbered(number), args).await
            }
            Request::Connection => {
                self.connection(1);
                self.redis.push(self.ctx.redis());
                Ok(Answer::Value(Value::Integer(i64::try_from(self.redis.len()).unwrap_or(i64::MAX))))
            }
            Request::Receive => {
                let number = numbered(args.pop_front());
                let until = args.pop_front().filter(|ms| !ms.is_nil());
                let (ctx, connection) = (self.ctx.clone(), self.connection(number));
                let message = connection.next_message(true);
                let message = match until {
                    Some(ms) => ctx.timeout(milliseconds(Some(ms)), message).await.unwrap_or(Ok(None)),
                    None => message.await,
                };
                self.message(message)
            }
            Request::Received => {
                let number = numbered(args.pop_front());
                let message = self.connection(number).next_message(false).await;
                self.message(message)
            }
            Request::Multi => self.multi(args.pop_front()).await,
            Request::Sql => self.sql(args).await,
            Request::Begin => {
                let deferred = args.pop_front() == Some(Value::Boolean(true));
                let database = self.database();
                let result = if deferred { database.begin_deferred().await } else { database.begin().await };
                self.ended(result)
            }
            Request::Commit => {
                let result = self.database().commit().await;
                self.ended(result)
            }
            Request::Rollback => {
                let result = self.database().rollback().await;
                self.ended(result)
            }
            Request::Sleep => {
                self.ctx.sleep(milliseconds(args.pop_front())).await;
                Ok(Answer::Value(Value::Nil))
            }
            Request::Now => Ok(Answer::Value(Value::Integer(self.ctx.now()))),
            Request::Returned => Ok(Answer::Value(Value::Boolean(self.ctx.returned(&text(args.pop_front()))))),
            Request::Note => {
                self.ctx.note(text(args.pop_front()));
                Ok(Answer::Value(Value::Nil))
            }
            Request::Write | Request::Read | Request::Operation | Request::Inside => {
                self.begin_operation(request, args)
            }
            Request::Ended => self.end_operation(args),
            Request::Fenced => {
                let (resource, token) = (text(args.pop_front()), args.pop_front());
                match token {
                    Some(Value::Integer(token)) => self.ctx.fenced(&resource, token),
                    token => {
                        let found = token.map_or_else(|| "nothing".to_owned(), |token| convert::kind(&token));
                        return refuse(format!("a fencing token is a whole number, not {found}"));
                    }
                }
                Ok(Answer::Value(Value::Nil))
            }
            Request::Effect => {
                let (effect, key) = (text(args.pop_front()), text(args.pop_front()));
                self.ctx.effect(&effect, key);
                Ok(Answer::Value(Value::Nil))
            }
            Request::Observed => match convert::datum(args.pop_front()) {
                Ok(value) => self.told(Mark::Observed(value)),
                Err(text) => refuse(text),
            },
            Request::LockFile => self.lock_file(text(args.pop_front())).await,
            Request::UnlockFile => {
                let held = self.files.remove(&text(args.pop_front())).is_some();
                Ok(Answer::Value(Value::Boolean(held)))
            }
        }
    }

    fn redis(&mut self) -> &RedisConnection {
        self.connection(1)
    }

    /// A connection by its number, from 1.
    fn connection(&mut self, number: usize) -> &RedisConnection {
        if self.redis.is_empty() {
            self.redis.push(self.ctx.redis());
        }
        let last = self.redis.len() - 1;
        &self.redis[number.saturating_sub(1).min(last)]
    }

    async fn command(&mut self, number: usize, args: MultiValue) -> Answered {
        let connection = self.connection(number).clone();
        self.command_on(&connection, args).await
    }

    async fn command_on(&self, connection: &RedisConnection, args: MultiValue) -> Answered {
        match convert::command(args.into_iter()) {
            Ok(command) => {
                let name = command[0].clone();
                let reply = connection.command(command).await;
                self.reply(reply, &name)
            }
            Err(text) => refuse(text),
        }
    }

    fn message(&self, message: Result<Option<Reply>, Lost>) -> Answered {
        match message {
            Ok(message) => self.reply(message.unwrap_or(Reply::Null), b""),
            Err(lost) => refuse(lost.text().to_owned()),
        }
    }

    fn replica(&mut self) -> &RedisConnection {
        let ctx = &self.ctx;
        self.replica.get_or_insert_with(|| ctx.replica())
    }

    fn database(&mut self) -> &Database {
        let ctx = &self.ctx;
        self.database.get_or_insert_with(|| ctx.db())
    }

    fn reply(&self, reply: Reply, command: &[u8]) -> Answered {
        Ok(match convert::reply(self.language.lua(), reply)? {
            Ok(value) => Answer::Value(value),
            Err(text) => Answer::Error(text.to_vec(), refused_by_redis(&text, command)),
        })
    }

    /// `MULTI`, the collected commands and `EXEC`, in one step.
    async fn multi(&mut self, collected: Option<Value>) -> Answered {
        let Some(Value::Table(collected)) = collected else { return refuse("multi() collected nothing".to_owned()) };
        let mut commands: SmallVec<[Command; 1]> = SmallVec::new();
        commands.push(vec![Bytes::from_static(b"MULTI")].into());
        for call in collected.sequence_values::<Table>() {
            let call = call?;
            let count: usize = call.raw_get("n")?;
            let values = (1..=count).map(|at| call.raw_get(at)).collect::<mlua::Result<Vec<Value>>>()?;
            match convert::command(values.into_iter()) {
                Ok(command) => commands.push(command.into()),
                Err(text) => return refuse(text),
            }
        }
        commands.push(vec![Bytes::from_static(b"EXEC")].into());
        let names: Vec<Bytes> = commands.iter().map(|command| command[0].clone()).collect();
        let mut replies = match self.redis().send(commands).await {
            Ok(replies) => replies,
            Err(lost) => return refuse(lost.text().to_owned()),
        };
        let last = replies.pop().unwrap_or(Reply::Null);
        // A command that was refused when it was queued, or one that failed when it was run.
        let failed = |replies: &[Reply]| replies.iter().position(|reply| matches!(reply, Reply::Error(_)));
        match last {
            Reply::Error(text) => match failed(&replies) {
                Some(at) => self.reply(replies.swap_remove(at), &names[at]),
                None => self.reply(Reply::Error(text), b"EXEC"),
            },
            Reply::Array(mut items) => match failed(&items) {
                Some(at) => self.reply(items.swap_remove(at), &names[at + 1]),
                None => self.reply(Reply::Array(items), b"EXEC"),
            },
            other => self.reply(other, b"EXEC"),
        }
    }

    async fn sql(&mut self, mut args: MultiValue) -> Answered {
        let statement = text(args.pop_front());
        let params = args.iter().map(convert::parameter).collect::<Result<Vec<_>, _>>();
        let result = match params {
            Ok(params) => self.database().run(&statement, params).await,
            Err(text) => return refuse(text),
        };
        self.rows(result)
    }

    fn rows(&self, result: Result<SqlReply, SqlError>) -> Answered {
        Ok(match result {
            Ok(reply) => Answer::Value(convert::rows(self.language.lua(), reply)?),
            Err(error) => sql_error(&error),
        })
    }

    fn ended(&self, result: Result<(), SqlError>) -> Answered {
        Ok(result.map_or_else(|error| sql_error(&error), |()| Answer::Value(Value::Nil)))
    }

    async fn lock_file(&mut self, path: String) -> Answered {
        match self.ctx.try_lock(Path::new(&path)).await {
            Ok(Some(lock)) => {
                self.files.insert(path, lock);
                Ok(Answer::Value(Value::Boolean(true)))
            }
            Ok(None) => Ok(Answer::Value(Value::Boolean(false))),
            Err(error) => refuse(error.to_string()),
        }
    }

    fn begin_operation(&self, request: Request, mut args: MultiValue) -> Answered {
        let object = text(args.pop_front());
        let kind = match request {
            Request::Write => match convert::history_value(&args.pop_front().unwrap_or(Value::Nil)) {
                Ok(value) => OperationKind::Write(value.unwrap_or_default()),
                Err(text) => return refuse(text),
            },
            Request::Read => OperationKind::Read,
            Request::Operation => {
                let name = text(args.pop_front());
                // The last argument is the function.
                drop(args.pop_back());
                let given = args.iter().map(|arg| convert::history_value(arg).map(Option::unwrap_or_default));
                match given.collect() {
                    Ok(args) => OperationKind::Call { name, args },
                    Err(text) => return refuse(text),
                }
            }
            _ => OperationKind::Inside,
        };
        Ok(Answer::Value(Value::Integer(i64::from(self.ctx.begin(&object, kind)))))
    }

    fn end_operation(&self, mut args: MultiValue) -> Answered {
        let Some(Value::Integer(number)) = args.pop_front() else { return refuse("no operation".to_owned()) };
        let number = u32::try_from(number).unwrap_or_default();
        if args.pop_front() != Some(Value::Boolean(true)) {
            return self.told(Mark::End { number, record: Record::Failed });
        }
        match convert::datum(args.pop_front()) {
            Ok(value) => self.told(Mark::End { number, record: Record::Done(value) }),
            Err(text) => refuse(text),
        }
    }

    fn told(&self, mark: Mark) -> Answered {
        self.ctx.mark(mark);
        Ok(Answer::Value(Value::Nil))
    }
}

/// The number of a connection, which the prelude gives.
fn numbered(value: Option<Value>) -> usize {
    match value {
        Some(Value::Integer(number)) => usize::try_from(number).unwrap_or(1),
        _ => 1,
    }
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::String(text)) => String::from_utf8_lossy(&text.as_bytes()).into_owned(),
        _ => String::new(),
    }
}

/// The prelude lets only numbers from 0 to 1e15 through; a fraction of a millisecond is a whole one.
fn milliseconds(value: Option<Value>) -> u64 {
    match value {
        Some(Value::Integer(n)) => u64::try_from(n).unwrap_or_default(),
        // In range, as the prelude has seen to it.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(Value::Number(x)) => x.ceil() as u64,
        _ => 0,
    }
}

/// Errors that no schedule brings about: the command is not one, or not with these arguments.
fn refused_by_redis(text: &[u8], command: &[u8]) -> Option<Refusal> {
    const CAUSES: [&[u8]; 6] = [
        b"ERR unknown command",
        b"ERR unknown subcommand",
        b"ERR wrong number of arguments",
        b"ERR syntax error",
        b"ERR Error compiling script",
        b"ERR Unknown Redis command called from script",
    ];
    let refused = CAUSES.iter().any(|cause| text.starts_with(cause));
    refused.then(|| Refusal::Redis(String::from_utf8_lossy(command).into_owned()))
}

fn sql_error(error: &SqlError) -> Answer {
    const CAUSES: [&str; 8] = [
        "syntax error",
        "incomplete input",
        "unrecognized token",
        "no such table",
        "no such column",
        "no such function",
        "has no column named",
        "would reach outside",
    ];
    let refused = CAUSES.iter().any(|cause| error.message.contains(cause)).then_some(Refusal::Sql);
    Answer::Error(error.to_string().into(), refused)
}
