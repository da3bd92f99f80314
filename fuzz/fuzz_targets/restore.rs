#![no_main]

#[path = "../../crates/raceproof-engine/tests/fuzz/restore.rs"]
mod restore;

libfuzzer_sys::fuzz_target!(|data: &[u8]| restore::check(data));
