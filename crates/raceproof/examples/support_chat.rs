//! Two services share the memory of one chat: the web front end keeps what the customer says, a worker what it learns.
//!
//! `cargo run -p raceproof --example support_chat -- redis://127.0.0.1/`

use raceproof::env::{Sleep, Tokens, TokioEnv};
use raceproof::memory::{Change, Error, Memory, Merged, OpId, Options, Version};
use redis::aio::MultiplexedConnection;

type Chats = Memory<MultiplexedConnection, TokioEnv>;

/// How long to wait before an answer is asked for again.
const WAITS_MS: [u64; 4] = [10, 50, 250, 1000];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1/".to_owned());
    let connection = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let options = Options {
        sliding_ttl_ms: 30 * 60 * 1000,
        max_age_ms: 8 * 3600 * 1000,
        key_prefix: "chat:".to_owned(),
        driver_may_resend: false,
        ..Options::default()
    };
    let chats = Memory::new(connection, TokioEnv::current()?, options)?;
    let session = &*format!("customer:{}", chats.env().token());

    // The front end: the id of the incoming message is the operation's id, so a redelivered message is kept once.
    for (id, text) in [("msg-1", "My order is late"), ("msg-2", "It is number 77"), ("msg-2", "It is number 77")] {
        let change = Change::new(OpId::new(id)).append("said", text, 100).incr("messages", 1);
        let merged = merge(&chats, session, &change).await?;
        println!("{id}: revision {}, duplicate: {}", merged.version.rev(), merged.duplicate);
    }

    // The worker: what it finds out belongs to the chat that it read, not to a later one under the same id.
    let Some(chat) = chats.read(session).await? else { return Ok(()) };
    let said = chat.get("said").and_then(|field| field.items()).unwrap_or_default();
    println!(
        "the worker read {} messages, the last: {:?}",
        said.len(),
        said.last().map(|m| String::from_utf8_lossy(m))
    );
    learn(&chats, session, &chat.version, "77").await?;

    // The customer asks for it to be erased while the worker still learns: the late result does not bring it back.
    println!("forgotten, existed: {}", chats.forget(session).await?.existed);
    learn(&chats, session, &chat.version, "78").await?;
    println!("the memory now: {:?}", chats.read(session).await?);
    Ok(())
}

async fn learn(chats: &Chats, session: &str, seen: &Version, order: &str) -> Result<(), Error> {
    let change = chats.change().set("order", order).after(seen);
    match merge(chats, session, &change).await {
        Ok(merged) => println!("learnt order {order} at revision {}", merged.version.rev()),
        Err(Error::SessionGone { cause, .. }) => println!("not learnt, the chat is gone: {cause:?}"),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Merges; asks again while nobody knows whether the change was applied, or the server cannot be reached. The change
/// keeps its operation id, so however often it is sent it is applied once.
async fn merge(chats: &Chats, session: &str, change: &Change) -> Result<Merged, Error> {
    let mut wait_ms = WAITS_MS.into_iter();
    loop {
        match (chats.merge(session, change).await, wait_ms.next()) {
            (Err(Error::Uncertain { .. } | Error::Unavailable { .. }), Some(ms)) => chats.env().sleep(ms).await,
            (answer, _) => return answer,
        }
    }
}
