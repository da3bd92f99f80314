//! Client libraries and tools as they are: redis-rs in both forms, redis-cli, redis-benchmark.

mod support;

use std::process::Command;

use redis::{AsyncCommands, Commands, RedisResult, Value};
use support::{START_MS, start};

#[test]
fn redis_rs_works() -> RedisResult<()> {
    let server = start();
    for protocol in ["", "?protocol=resp3"] {
        let client = redis::Client::open(format!("{}/3{protocol}", server.url("sync")))?;
        let mut redis = client.get_connection()?;
        let _: () = redis.set("k", "v")?;
        assert_eq!(redis.get::<_, String>("k")?, "v");
        let (a, b): (i64, Vec<String>) = redis::pipe()
            .atomic()
            .incr("n", 2)
            .lpush("l", &["a", "b"])
            .ignore()
            .lrange("l", 0, -1)
            .query(&mut redis)?;
        assert_eq!((a, b), (2, vec!["b".to_owned(), "a".to_owned()]));
        let script = redis::Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1]) + 1");
        assert_eq!(script.key("n").arg(5).invoke::<i64>(&mut redis)?, 8);
        let keys: Vec<String> = redis.scan()?.collect::<RedisResult<_>>()?;
        assert_eq!(keys.len(), 3);
        let big: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        let _: () = redis.set("big", &big)?;
        assert!(redis.get::<_, Vec<u8>>("big")? == big);
        let now: i64 = redis::cmd("RACEPROOF").arg("CLOCK").arg("NOW").query(&mut redis)?;
        assert_eq!(now, START_MS);
        let _: () = redis::cmd("FLUSHALL").query(&mut redis)?;
    }
    Ok(())
}

#[test]
fn asynchronous_redis_rs_works() -> RedisResult<()> {
    let server = start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = redis::Client::open(server.url("async"))?;
        let redis = client.get_multiplexed_async_connection().await?;
        // All at once through one connection: a pipeline of many callers.
        let mut calls = Vec::new();
        for _ in 0..200 {
            let mut redis = redis.clone();
            calls.push(async move { redis.incr::<_, _, i64>("n", 1).await });
        }
        for (index, call) in calls.into_iter().enumerate() {
            assert_eq!(call.await?, index as i64 + 1);
        }
        let (mut waits, mut gives) = (client.get_multiplexed_async_connection().await?, redis);
        let popped = async move { waits.blpop::<_, (String, i64)>("l", 5.0).await };
        let pushed = async {
            tokio::task::yield_now().await;
            gives.rpush::<_, _, i64>("l", 7).await
        };
        let (popped, pushed) = tokio::join!(popped, pushed);
        assert_eq!((popped?, pushed?), (("l".to_owned(), 7), 1));
        Ok(())
    })
}

#[test]
fn redis_cli_works() {
    let server = start();
    let cli = |args: &[&str]| {
        let port = server.address.port().to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(args).output().expect("redis-cli is installed");
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    };
    assert_eq!(cli(&["set", "k", "a b"]), "OK");
    assert_eq!(cli(&["--no-raw", "get", "k"]), "\"a b\"");
    assert_eq!(cli(&["-3", "--no-raw", "hgetall", "none"]), "(empty hash)");
    assert_eq!(cli(&["raceproof", "clock", "now"]), START_MS.to_string());
    assert_eq!(cli(&["--user", "u", "--pass", "x", "--no-auth-warning", "exists", "k"]), "0", "another universe");
    assert!(cli(&["raceproof", "help"]).contains("CLOCK ADVANCE"));
    assert!(cli(&["--bigkeys"]).contains("Biggest string found"));
}

#[test]
fn redis_benchmark_works() {
    let server = start();
    let port = server.address.port().to_string();
    let tests = "ping_inline,ping_mbulk,set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset";
    for pipeline in ["1", "16"] {
        let args = ["-p", &port, "--csv", "-n", "2000", "-c", "50", "-P", pipeline, "-t", tests];
        let output = Command::new("redis-benchmark").args(args).output().expect("redis-benchmark is installed");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}");
        // The names of the columns, 16 tests, and the list that LRANGE reads.
        assert_eq!(printed.lines().count(), 18, "{printed}");
    }
}
