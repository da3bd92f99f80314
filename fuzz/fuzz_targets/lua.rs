#![no_main]

#[path = "../../crates/raceproof-engine/tests/fuzz/lua.rs"]
mod lua;

libfuzzer_sys::fuzz_target!(|data: &[u8]| lua::check(data));
