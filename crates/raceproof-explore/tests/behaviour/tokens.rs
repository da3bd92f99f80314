//! Replay tokens: what they can express, and that nothing else is taken for one.

use proptest::prelude::*;
use raceproof_explore::{Check, Error, Fault, Strategy, Verdict, World};
use redis::{AsyncCommands, RedisResult};

use crate::{explore, lines, violated};

/// Two clients that read, then write.
fn lost_update(world: &mut World) {
    for me in ["web", "mobile"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            let old: Option<String> = redis.get("k").await?;
            redis.set::<_, _, ()>("k", format!("{}{me},", old.unwrap_or_default())).await
        });
    }
    world.finally(|ctx| async move {
        let all: String = ctx.redis().get("k").await.unwrap();
        assert!(all.contains("web") && all.contains("mobile"), "one is lost");
    });
}

fn replay(token: &str, body: impl Fn(&mut World) + Sync) -> Result<raceproof_explore::Report, Error> {
    Check::new("replay").strategy(Strategy::Replay { token: token.to_owned() }).run(body)
}

fn refusal(token: &str, body: impl Fn(&mut World) + Sync) -> String {
    match replay(token, body) {
        Err(error @ Error::Token { .. }) => error.to_string(),
        other => panic!("{token}: {other:?}"),
    }
}

#[test]
fn a_token_of_four_steps() {
    let found = violated(&Check::new("lost update"), lost_update);
    let choices: Vec<&str> = found.token.split('.').collect();
    assert_eq!((choices[0], choices[1].len(), choices[2].len()), ("rp1", 4, 8), "{}", found.token);
}

#[test]
fn a_token_of_other_code_is_refused() {
    let token = violated(&Check::new("lost update"), lost_update).token;
    let other_key = |world: &mut World| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let old: Option<String> = redis.get("other").await?;
                redis.set::<_, _, ()>("other", format!("{old:?}{me}")).await
            });
        }
    };
    let text = refusal(&token, other_key);
    assert!(text.contains(&token) && text.contains("other code") && text.contains("run the check again"), "{text}");
    let fewer = |world: &mut World| {
        world.client("web", |ctx| async move { ctx.redis().get::<_, Option<String>>("k").await });
    };
    assert!(refusal(&token, fewer).contains("other code"));
    let renamed = |world: &mut World| {
        for me in ["web", "phone"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let old: Option<String> = redis.get("k").await?;
                redis.set::<_, _, ()>("k", format!("{}{me},", old.unwrap_or_default())).await
            });
        }
    };
    assert!(refusal(&token, renamed).contains("other code"));
}

#[test]
fn a_token_whose_violation_was_mended_is_not_violated() {
    let token = violated(&Check::new("lost update"), lost_update).token;
    let without_check = |world: &mut World| {
        for me in ["web", "mobile"] {
            world.client(me, move |ctx| async move {
                let mut redis = ctx.redis();
                let old: Option<String> = redis.get("k").await?;
                redis.set::<_, _, ()>("k", format!("{}{me},", old.unwrap_or_default())).await
            });
        }
    };
    let report = replay(&token, without_check).expect("the steps are the same");
    assert_eq!((report.verdict, report.violation), (Verdict::NoViolationFound, None));
}

#[test]
fn a_damaged_token_is_refused_with_the_reason() {
    let token = violated(&Check::new("lost update"), lost_update).token;
    for (damaged, reason) in [
        (String::new(), "a token looks like"),
        ("rubbish".to_owned(), "a token looks like"),
        (token.replace("rp1", "rp9"), "another version"),
        (token[..token.len() - 1].to_owned(), "8 hexadecimal digits"),
        (token.replace("rp1.", "rp1.."), "three parts"),
        (token.rsplit_once('.').unwrap().0.to_owned(), "three parts"),
        (token.replace("rp1.", "rp1.?"), "letters for clients"),
        (token.replace("rp1.", "rp1.X"), "letters for clients"),
        (token.replace("rp1.", "rp1.zz"), "other code"),
        (token.replace("rp1.", "rp1.T"), "other code"),
        (token.replace("rp1.", "rp1.Na"), "other code"),
        ("rp1..00000000".to_owned(), "other code"),
    ] {
        let text = refusal(&damaged, lost_update);
        assert!(text.contains(reason), "{damaged:?}: {text}");
    }
    assert_eq!(replay(&format!(" {token}\n"), lost_update).map(|report| report.verdict), Ok(Verdict::Violated));
}

#[test]
fn a_token_that_leaves_clients_out() {
    let found = violated(&Check::new("absent"), |world| {
        for me in ["idle", "web", "busy", "mobile"] {
            world.client(me, move |ctx| async move { ctx.redis().set::<_, _, ()>(me, 1).await });
        }
        world.quiet(|ctx| async move {
            let (web, mobile): (bool, bool) =
                redis::pipe().exists("web").exists("mobile").query_async(&mut ctx.redis()).await?;
            if web && mobile { Err(redis::RedisError::from((redis::ErrorKind::Client, "both"))) } else { Ok(()) }
        });
    });
    assert_eq!(found.clients, ["web", "mobile"]);
    assert!(found.token.contains("NaNc"), "{}", found.token);
    assert_eq!(found.steps.len(), 2);
}

#[test]
fn a_token_with_deaths_and_the_clock() {
    let found = violated(&Check::new("all kinds").crashes(2).pauses(1), |world| {
        world.client("early", |ctx| async move {
            let mut redis = ctx.redis();
            redis.pset_ex::<_, _, ()>("lease", 1, 100).await?;
            redis.set::<_, _, ()>("early", 1).await?;
            redis.set::<_, _, ()>("end", 1).await
        });
        world.client("late", |ctx| async move {
            let mut redis = ctx.redis();
            redis.set::<_, _, ()>("late", 1).await?;
            redis.set::<_, _, ()>("end", 1).await
        });
        world.quiet(|ctx| async move {
            let mut redis = ctx.redis();
            let (lease, early, late, end): (bool, bool, bool, bool) = redis::pipe()
                .exists("lease")
                .exists("early")
                .exists("late")
                .exists("end")
                .query_async(&mut redis)
                .await?;
            let strange = !lease && early && late && !end;
            if strange { Err(redis::RedisError::from((redis::ErrorKind::Client, "both died"))) } else { Ok(()) }
        });
    });
    let middle = found.token.split('.').nth(1).unwrap();
    assert!(middle.contains('P') && middle.contains(['X', 'Y']), "{}", found.token);
}

#[test]
fn a_token_with_several_sessions() {
    let found = violated(&Check::new("sessions"), |world| {
        world.client("web", |ctx| async move {
            let (mut first, mut second) = (ctx.redis(), ctx.redis());
            first.set::<_, _, ()>("k", 1).await?;
            let left = second.set::<_, _, ()>("k", 2);
            let right = first.set::<_, _, ()>("k", 3);
            both(left, right).await;
            RedisResult::Ok(())
        });
        world.finally(|ctx| async move {
            let last: u32 = ctx.redis().get("k").await.unwrap();
            assert_eq!(last, 3, "the second session came last");
        });
    });
    assert_eq!(lines(&found), ["web: SET k 1 → OK", "web: SET k 3 → OK", "web: SET k 2 → OK"]);
    assert!(found.token.contains("aaa1"), "{}", found.token);
}

/// Polls both to their ends.
async fn both<A: Future, B: Future>(a: A, b: B) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut one, mut two) = (false, false);
    std::future::poll_fn(|context| {
        one = one || a.as_mut().poll(context).is_ready();
        two = two || b.as_mut().poll(context).is_ready();
        if one && two { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Which connection a client uses first depends on what it reads: the token must mean what happened in its own
/// execution, not in those that the search ran before.
#[test]
fn a_token_whose_sessions_are_opened_in_another_order_than_at_first() {
    let found = violated(&Check::new("sessions by reply"), |world| {
        world.client("reader", |ctx| async move {
            let (mut look, mut left, mut right) = (ctx.redis(), ctx.redis(), ctx.redis());
            let set: bool = look.exists("k").await?;
            if set {
                right.set::<_, _, ()>("r", 1).await?;
                left.set::<_, _, ()>("l", 1).await?;
                return Err(redis::RedisError::from((redis::ErrorKind::Client, "seen")));
            }
            left.set::<_, _, ()>("l", 0).await?;
            right.set::<_, _, ()>("r", 0).await
        });
        world.client("writer", |ctx| async move { ctx.redis().set::<_, _, ()>("k", 1).await });
    });
    let expected = ["writer: SET k 1 → OK", "reader: EXISTS k → 1", "reader: SET r 1 → OK", "reader: SET l 1 → OK"];
    assert_eq!(lines(&found), expected);
}

#[test]
fn a_token_with_more_clients_than_letters() {
    let names: Vec<String> = (0..30).map(|number| format!("client-{number:02}")).collect();
    let body = |world: &mut World| {
        for me in names.clone() {
            world.client(me.clone(), |ctx| async move { ctx.redis().set::<_, _, ()>(&me, 1).await });
        }
        world.always(|ctx| async move {
            let last: bool = ctx.redis().exists("client-29").await.unwrap();
            assert!(!last, "the last is there");
        });
    };
    let found = violated(&Check::new("thirty").max_executions(50), body);
    assert!(found.token.contains("_29_"), "{}", found.token);
    assert_eq!(found.message, "the last is there");
}

#[test]
fn a_token_keeps_its_meaning_under_other_bounds() {
    let body = |world: &mut World| {
        world.client("web", |ctx| async move { ctx.redis().set::<_, _, ()>("k", 1).await });
        world.finally(|ctx| async move { assert!(ctx.redis().exists::<_, bool>("k").await.unwrap(), "never set") });
    };
    let found = violated(&Check::new("crash").crashes(1), body);
    let report = replay(&found.token, body).expect("crashes are widened to what the token needs");
    assert_eq!(report.bounds.faults.get(Fault::Crash), 1);
    assert_eq!(explore(&Check::new("no crash"), body).verdict, Verdict::Verified);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_replay_panic(text in "(rp1\\.)?[abNTPXY_0-9.?é]{0,12}(\\.[0-9a-f]{8})?") {
        if let Err(error) = replay(&text, lost_update) {
            prop_assert!(matches!(error, Error::Token { .. }), "{text:?}: {error}");
        }
    }
}
