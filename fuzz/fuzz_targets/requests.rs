#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raceproof_server::fuzz::requests(data));
