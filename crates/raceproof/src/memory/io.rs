//! The thin part that talks to the server.

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};

use super::request::Keys;
use super::scripts::Script;

/// Runs a script by its SHA1, and by its text if the server does not know it (it was started, or its script cache was
/// flushed, since): `EVAL` also puts it into the cache. A server that does not know the script has run nothing.
pub(crate) async fn run(
    connection: &mut impl ConnectionLike,
    script: &Script,
    keys: &Keys,
    arguments: &[Vec<u8>],
) -> RedisResult<Value> {
    let by_sha1 = command("EVALSHA", &script.sha1, keys, arguments);
    match by_sha1.query_async(connection).await {
        Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
            command("EVAL", &script.source, keys, arguments).query_async(connection).await
        }
        reply => reply,
    }
}

fn command(name: &str, script: &str, keys: &Keys, arguments: &[Vec<u8>]) -> Cmd {
    let mut command = redis::cmd(name);
    command.arg(script).arg(2).arg(&keys.hash).arg(&keys.ring);
    for argument in arguments {
        command.arg(argument.as_slice());
    }
    command
}
