//! A client that blocks its thread (a lock, a socket, a loop without end) would stop the search for ever, and nothing on
//! that thread can end it. A second thread watches: it names the client and ends the process.
//!
//! A poll counts a beat on its way in and one on its way out, so an odd count that does not change is a poll that does
//! not return.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// After how many seconds a poll that has not returned ends the process; `RACEPROOF_STUCK_SECONDS` sets another number,
/// and 0 lets it run, as one wants under a debugger.
const STUCK_SECONDS: u64 = 10;

#[derive(Debug, Default)]
struct Pulse {
    beats: AtomicU64,
    client: Mutex<String>,
}

thread_local! {
    static PULSE: RefCell<Option<Arc<Pulse>>> = const { RefCell::new(None) };
}

/// Watches the thread that made it until it is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Gone, it ends the watching thread.
    _stop: Sender<()>,
    outer: Option<Arc<Pulse>>,
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl Watchdog {
    pub(crate) fn start() -> Self {
        let pulse = Arc::new(Pulse::default());
        let outer = PULSE.replace(Some(pulse.clone()));
        let (stop, stopped) = mpsc::channel();
        let limit = std::env::var("RACEPROOF_STUCK_SECONDS").ok().and_then(|text| text.parse().ok());
        let limit = limit.unwrap_or(STUCK_SECONDS);
        if limit > 0 {
            std::thread::spawn(move || {
                let (mut last, mut seconds) = (0, 0);
                while stopped.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                    let beats = pulse.beats.load(Ordering::Relaxed);
                    seconds = if beats == last && beats % 2 == 1 { seconds + 1 } else { 0 };
                    last = beats;
                    if seconds >= limit {
                        give_up(&pulse, limit);
                    }
                }
            });
        }
        Self { _stop: stop, outer, _thread: PhantomData }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        PULSE.set(self.outer.take());
    }
}

fn give_up(pulse: &Pulse, seconds: u64) -> ! {
    let client = pulse.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
    eprintln!(
        "error: {client} has blocked its thread for {seconds} s without reaching a gate: a client, a check or a setup \
         may wait only for what its context gives (ctx.redis, ctx.db, ctx.sleep, ctx.shared); \
         RACEPROOF_STUCK_SECONDS=0 waits for ever"
    );
    std::process::exit(2);
}

impl Pulse {
    /// Only the watched thread counts, so it needs no atomic addition.
    fn beat(&self) {
        self.beats.store(self.beats.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// Runs one poll of `client` under the eyes of the watchdog of this thread.
pub(crate) fn watched<T>(client: &str, poll: impl FnOnce() -> T) -> T {
    PULSE.with_borrow(|pulse| {
        if let Some(pulse) = pulse {
            client.clone_into(&mut pulse.client.lock().unwrap_or_else(PoisonError::into_inner));
            pulse.beat();
        }
    });
    // The pulse is not borrowed meanwhile: a poll may start a search of its own.
    let result = poll();
    PULSE.with_borrow(|pulse| pulse.as_ref().map(|pulse| pulse.beat()));
    result
}
