//! What a process can tell of itself and its machine, for `INFO`.

use std::fs;
use std::sync::OnceLock;

use raceproof_engine::Machine;

/// A clock tick of `/proc` (µs): 100 a second on every Linux that runs Redis.
const TICK_US: i64 = 10_000;
const PAGE: usize = 4096;

/// What stays as it is while the process runs.
fn fixed() -> &'static (String, String, usize) {
    static FIXED: OnceLock<(String, String, usize)> = OnceLock::new();
    FIXED.get_or_init(|| {
        let read = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
        let system = format!("{} {} {}", read("ostype").trim(), read("osrelease").trim(), std::env::consts::ARCH);
        let program = std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default();
        let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total = info.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = total.and_then(|rest| rest.split_ascii_whitespace().next()?.parse::<usize>().ok());
        (system.trim().to_owned(), program, kib.unwrap_or(0) * 1024)
    })
}

/// What the process knows without its connections. What the system does not tell is 0.
pub(crate) fn of_this_process() -> Machine {
    let (system, executable, memory) = fixed();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in parentheses, may have blanks in it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<i64>().ok()).unwrap_or(0);
    let pages = fields.get(21).and_then(|field| field.parse::<usize>().ok()).unwrap_or(0);
    Machine {
        id: std::process::id(),
        executable: executable.clone(),
        system: system.clone(),
        user_us: ticks(11) * TICK_US,
        system_us: ticks(12) * TICK_US,
        resident: pages * PAGE,
        memory: *memory,
        ..Machine::default()
    }
}
