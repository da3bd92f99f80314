//! What the README shows is what is printed: its Rust test fails as quoted there, its scenario too.

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Check, World};
use redis::AsyncCommands;

const README: &str = include_str!("../../../README.md");

fn two_devices(world: &mut World) {
    world.setup(|ctx| async move { ctx.redis().set::<_, _, ()>("user:123", "1,2").await });
    for me in ["web", "mobile"] {
        world.client(me, move |ctx| async move {
            let mut redis = ctx.redis();
            let memories: String = redis.get("user:123").await?;
            redis.set::<_, _, ()>("user:123", format!("{memories},{me}")).await
        });
    }
    world.finally(|ctx| async move {
        let memories: String = ctx.redis().get("user:123").await.unwrap();
        for me in ["web", "mobile"] {
            assert!(memories.contains(me), "memory of {me} lost");
        }
    });
}

/// The lines of a text without the place of the assertion, which is another one in the README than here.
fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.trim_start().starts_with("finally:"))
        .collect()
}

#[test]
fn two_devices_merge() {
    let failure = std::panic::catch_unwind(|| Check::new("two devices merge a session").verify(two_devices));
    let message = *failure.expect_err("GET, append, SET loses a memory").downcast::<String>().expect("text");
    let quoted = README.split("```").find(|block| block.contains("RACEPROOF_REPLAY=")).expect("the README quotes it");
    assert_eq!(lines(quoted.trim_start_matches("text")), lines(&message), "printed:\n{message}");
}

#[test]
fn the_test_of_the_readme_is_this_one() {
    let code = README.split("```rust").nth(1).and_then(|rest| rest.split("```").next()).expect("the README has a test");
    let source = include_str!("readme.rs");
    let body = |text: &str| {
        let from = text.find("world.setup").expect("it sets up");
        let to = text.find("lost\");").expect("it checks");
        text[from..to].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(body(code), body(source));
}

#[test]
fn the_scenario_of_the_readme_is_violated() {
    let source = README.split("```lua").nth(1).and_then(|rest| rest.split("```").next()).expect("the README has one");
    let scenario = Scenario::parse("my-design.lua", source).expect("it is sound");
    let report = scenario.run(&scenario.check()).expect("it runs");
    assert_eq!(report.violation.expect("it is violated").message, "memory of mobile lost");
}
