//! A client that blocks its thread (a lock, a socket, a loop without end) would stop the search for ever, and nothing on
//! that thread can end it. Another thread watches: it names the client and ends the process.
//!
//! A poll counts a beat on its way in and one on its way out, so an odd count that does not change is a poll that does
//! not return.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

/// After how many seconds a poll that has not returned ends the process; `RACEPROOF_STUCK_SECONDS` sets another number,
/// and 0 lets it run, as one wants under a debugger.
const STUCK_SECONDS: u64 = 10;

#[derive(Debug, Default)]
struct Pulse {
    beats: AtomicU64,
    /// Who is polled, by the place in `names`.
    client: AtomicUsize,
    names: Mutex<Vec<String>>,
}

/// The watched thread's side.
#[derive(Debug)]
pub(crate) struct Watching {
    pulse: Arc<Pulse>,
    /// What stands in the pulse's names: a search polls the same few clients over and over.
    names: RefCell<Vec<String>>,
}

/// What the watching thread knows of one thread that it watches.
#[derive(Debug)]
struct Watched {
    pulse: Arc<Pulse>,
    limit: u64,
    /// The count at the last look, and for how many seconds it has been the same in the midst of a poll.
    last: u64,
    seconds: u64,
}

/// All that is watched. One thread watches for the whole process, and stays for a while when there is nothing to watch:
/// starting it takes longer than many a search.
#[derive(Debug, Default)]
struct Ward {
    watched: Vec<Watched>,
    has_watcher: bool,
}

static WARD: Mutex<Ward> = Mutex::new(Ward { watched: Vec::new(), has_watcher: false });

/// How many names the watching thread knows for good.
const MOST_NAMES: usize = 64;

thread_local! {
    static WATCHING: RefCell<Option<Rc<Watching>>> = const { RefCell::new(None) };
}

/// Watches the thread that made it until it is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    pulse: Arc<Pulse>,
    outer: Option<Rc<Watching>>,
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl Watchdog {
    pub(crate) fn start() -> Self {
        let pulse = Arc::new(Pulse::default());
        let outer = WATCHING.replace(Some(Rc::new(Watching { pulse: pulse.clone(), names: RefCell::default() })));
        let limit = std::env::var("RACEPROOF_STUCK_SECONDS").ok().and_then(|text| text.parse().ok());
        let limit = limit.unwrap_or(STUCK_SECONDS);
        if limit > 0 {
            let mut ward = ward();
            ward.watched.push(Watched { pulse: pulse.clone(), limit, last: 0, seconds: 0 });
            ward.has_watcher = ward.has_watcher || Builder::new().spawn(watch).is_ok();
        }
        Self { pulse, outer, _thread: PhantomData }
    }
}

fn ward() -> MutexGuard<'static, Ward> {
    WARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watching thread. It ends when it has found nothing to watch for some seconds.
fn watch() {
    const STAYS_SECONDS: u32 = 10;
    let mut idle = 0;
    loop {
        thread::sleep(Duration::from_secs(1));
        let mut ward = ward();
        idle = if ward.watched.is_empty() { idle + 1 } else { 0 };
        if idle >= STAYS_SECONDS {
            ward.has_watcher = false;
            return;
        }
        for watched in &mut ward.watched {
            let beats = watched.pulse.beats.load(Ordering::Relaxed);
            let stuck = beats == watched.last && beats % 2 == 1;
            watched.seconds = if stuck { watched.seconds + 1 } else { 0 };
            watched.last = beats;
            if watched.seconds >= watched.limit {
                give_up(&watched.pulse, watched.limit);
            }
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        ward().watched.retain(|watched| !Arc::ptr_eq(&watched.pulse, &self.pulse));
        WATCHING.set(self.outer.take());
    }
}

fn give_up(pulse: &Pulse, seconds: u64) -> ! {
    let names = pulse.names.lock().unwrap_or_else(PoisonError::into_inner);
    let client = names.get(pulse.client.load(Ordering::Relaxed)).map_or("a client", String::as_str);
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

impl Watching {
    /// Who watches this thread.
    pub(crate) fn current() -> Option<Rc<Self>> {
        WATCHING.with_borrow(Clone::clone)
    }

    /// The place of a name among those that the watching thread knows, for as long as the search lasts; `None` if it
    /// knows too many already. `likely` is where it was the last time, as far as anybody knows.
    pub(crate) fn place(&self, client: &str, likely: usize) -> Option<usize> {
        let mut names = self.names.borrow_mut();
        if names.get(likely).is_some_and(|name| name == client) {
            return Some(likely);
        }
        if let Some(place) = names.iter().position(|name| name == client) {
            return Some(place);
        }
        if names.len() >= MOST_NAMES {
            return None;
        }
        names.push(client.to_owned());
        self.pulse.names.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&names);
        Some(names.len() - 1)
    }

    /// Has the watching thread know a name until the next one that it did not know.
    fn tell(&self, client: &str) -> usize {
        let mut names = self.pulse.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.truncate(MOST_NAMES);
        names.resize(MOST_NAMES, String::new());
        names.push(client.to_owned());
        MOST_NAMES
    }
}

/// Runs one poll of a client under the eyes of the watchdog, which knows its name by a place, if it does.
#[inline]
pub(crate) fn watched<T>(by: Option<&Watching>, (client, place): (&str, Option<usize>), poll: impl FnOnce() -> T) -> T {
    let Some(watching) = by else { return poll() };
    let place = place.unwrap_or_else(|| watching.tell(client));
    watching.pulse.client.store(place, Ordering::Relaxed);
    watching.pulse.beat();
    let result = poll();
    watching.pulse.beat();
    result
}
