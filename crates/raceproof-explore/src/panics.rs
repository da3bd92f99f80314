//! Panics of clients and checks are findings: caught, with their place, and not printed for every execution.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{PanicHookInfo, UnwindSafe};
use std::sync::Once;

use crate::report::Place;
use crate::world::Failure;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Place>> = const { RefCell::new(None) };
}

static HOOK: Once = Once::new();

/// A caught panic.
pub(crate) struct Caught {
    message: String,
    place: Option<Place>,
}

impl Caught {
    /// tokio says so when its timers or sockets are used outside its runtime.
    pub(crate) fn is_foreign_runtime(&self) -> bool {
        self.message.contains("no reactor running")
    }

    pub(crate) fn into_failure(self) -> Failure {
        Failure { message: self.message, place: self.place }
    }
}

/// Raises a panic that was caught elsewhere.
pub(crate) fn again(failure: Failure) -> ! {
    LAST.set(failure.place);
    std::panic::resume_unwind(Box::new(failure.message))
}

/// Runs `work`; a panic inside becomes a value.
#[inline]
pub(crate) fn catch<T>(work: impl FnOnce() -> T + UnwindSafe) -> Result<T, Caught> {
    HOOK.call_once(install);
    let outer = CATCHING.replace(true);
    let result = std::panic::catch_unwind(work);
    CATCHING.set(outer);
    result.map_err(|payload| Caught { message: message(payload.as_ref()), place: LAST.take() })
}

/// Runs `work`; a panic inside is held back, to be resumed where [`catch`] finds it, with its place.
pub(crate) fn hold<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    HOOK.call_once(install);
    let outer = CATCHING.replace(true);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    CATCHING.set(outer);
    result
}

fn install() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        if CATCHING.get() {
            let place = info.location().map(|at| Place { file: at.file().to_owned(), line: at.line() });
            LAST.set(place);
        } else {
            previous(info);
        }
    }));
}

fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
