//! How a client's futures reach their mailbox.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{CURRENT, ELSEWHERE, Mailbox};

/// A client's handle to its mailbox. Mailboxes stay with the thread on which their clients run, so that reaching one takes
/// no lock, and are used again by later executions; a port is a number, which finds its own mailbox or none. One whose
/// execution is over reaches an empty mailbox that nobody looks into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    place: usize,
    /// Never given twice, by any thread.
    pub(super) key: u64,
}

/// The mailboxes of a thread.
struct Mailboxes {
    /// Those in use, and those that wait to be used again, each with the key of its last port.
    places: Vec<(u64, Place)>,
    free: Vec<usize>,
    next_key: u64,
}

/// Where a mailbox is while nobody looks into it.
type Place = Rc<Cell<Option<Box<Mailbox>>>>;

thread_local! {
    static MAILBOXES: RefCell<Mailboxes> = RefCell::new(Mailboxes::new());
}

impl Mailboxes {
    fn new() -> Self {
        const KEYS_OF_A_THREAD: u64 = 1 << 40;
        static THREADS: AtomicU64 = AtomicU64::new(0);
        let next_key = THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(KEYS_OF_A_THREAD);
        Self { places: Vec::new(), free: Vec::new(), next_key }
    }

    fn open(&mut self) -> Port {
        self.next_key += 1;
        let key = self.next_key;
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push((key, Rc::new(Cell::new(Some(Box::default())))));
            self.places.len() - 1
        });
        self.places[place].0 = key;
        Port { place, key }
    }

    /// Takes a mailbox from its port, which reaches it no longer.
    fn close(&mut self, port: &Port) -> Option<Place> {
        let (key, place) = self.places.get_mut(port.place).filter(|(key, _)| *key == port.key)?;
        *key = 0;
        self.free.push(port.place);
        Some(place.clone())
    }
}

/// A mailbox that is looked into, until this is dropped.
pub(crate) struct Opened {
    mailbox: Option<Box<Mailbox>>,
    place: Option<Place>,
}

impl Deref for Opened {
    type Target = Mailbox;

    fn deref(&self) -> &Mailbox {
        self.mailbox.as_ref().expect("it goes back to its place when this is dropped")
    }
}

impl DerefMut for Opened {
    fn deref_mut(&mut self) -> &mut Mailbox {
        self.mailbox.as_mut().expect("it goes back to its place when this is dropped")
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            place.set(self.mailbox.take());
        }
    }
}

/// A port that closes with its owner.
#[derive(Debug)]
pub(crate) struct OwnedPort(Port);

impl OwnedPort {
    /// The mailbox of a client at a time.
    pub(crate) fn new(origin: u64, now_ms: i64) -> Self {
        let port = MAILBOXES.with_borrow_mut(Mailboxes::open);
        port.with(|mailbox| (mailbox.key, mailbox.origin, mailbox.now_ms) = (port.key, origin, now_ms));
        Self(port)
    }
}

impl Deref for OwnedPort {
    type Target = Port;

    fn deref(&self) -> &Port {
        &self.0
    }
}

impl Drop for OwnedPort {
    fn drop(&mut self) {
        if !self.0.with(Mailbox::retire) {
            // What is left in it may belong to clients, and its end may reach for other ports: not while it is open.
            let left = std::mem::take(&mut *self.0.lock());
            drop(left);
        }
        // When the thread ends its mailboxes may be gone before its ports.
        let _ = MAILBOXES.try_with(|mailboxes| mailboxes.borrow_mut().close(&self.0));
    }
}

/// A mailbox's place, for the scheduler: it knows that the mailbox is in use as long as its client is on the stage.
pub(crate) struct Inbox(Place);

impl Inbox {
    /// Looks into the mailbox.
    #[inline(always)]
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Mailbox) -> R) -> R {
        match Held::at(&self.0) {
            Some(mut held) => look(&mut held),
            None => look(&mut Mailbox::default()),
        }
    }

    /// Takes the mailbox away; [`Self::put_back`] ends that.
    #[inline]
    pub(crate) fn take(&self) -> Option<Box<Mailbox>> {
        self.0.take()
    }

    #[inline]
    pub(crate) fn put_back(&self, mailbox: Box<Mailbox>) {
        self.0.set(Some(mailbox));
    }
}

/// A mailbox that is looked into without leaving its place for long.
struct Held<'a> {
    mailbox: Option<Box<Mailbox>>,
    place: &'a Cell<Option<Box<Mailbox>>>,
}

impl<'a> Held<'a> {
    #[inline]
    fn at(place: &'a Cell<Option<Box<Mailbox>>>) -> Option<Self> {
        place.take().map(|mailbox| Self { mailbox: Some(mailbox), place })
    }
}

impl Deref for Held<'_> {
    type Target = Mailbox;

    fn deref(&self) -> &Mailbox {
        self.mailbox.as_ref().expect("it goes back to its place when this is dropped")
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Mailbox {
        self.mailbox.as_mut().expect("it goes back to its place when this is dropped")
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.place.set(self.mailbox.take());
    }
}

impl Port {
    /// A small number, which the same client mostly has in the next execution.
    pub(crate) const fn place(&self) -> usize {
        self.place
    }

    /// Looks into the mailbox, at less cost than [`Self::lock`]. Ports must be neither opened nor closed meanwhile.
    #[inline(always)]
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Mailbox) -> R) -> R {
        let mut look = Some(look);
        let looked = MAILBOXES.try_with(|mailboxes| {
            let mailboxes = mailboxes.borrow();
            let (key, place) = mailboxes.places.get(self.place)?;
            let mut held = if *key == self.key { Held::at(place) } else { None }?;
            look.take().map(|look| look(&mut held))
        });
        match (looked, look) {
            (Ok(Some(done)), _) => done,
            (_, Some(look)) => look(&mut Mailbox::default()),
            (_, None) => unreachable!("a look that was not taken"),
        }
    }

    /// Its mailbox, for as long as the port is open.
    pub(crate) fn inbox(&self) -> Inbox {
        let place = MAILBOXES.with_borrow(|mailboxes| {
            let (key, place) = mailboxes.places.get(self.place)?;
            (*key == self.key).then(|| place.clone())
        });
        Inbox(place.unwrap_or_default())
    }

    /// The mailbox.
    pub(crate) fn lock(&self) -> Opened {
        let place = MAILBOXES.try_with(|mailboxes| {
            let mailboxes = mailboxes.borrow();
            let (key, place) = mailboxes.places.get(self.place)?;
            (*key == self.key).then(|| place.clone())
        });
        let place = place.ok().flatten();
        match place.as_ref().and_then(|place| place.take()) {
            Some(mailbox) => Opened { mailbox: Some(mailbox), place },
            None => Opened { mailbox: Some(Box::default()), place: None },
        }
    }

    /// Polls or drops what belongs to the client.
    #[inline]
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let outer = CURRENT.replace(Some(*self));
        let done = work();
        CURRENT.set(outer);
        // Within a client's poll there was a search of its own.
        if outer.is_some() {
            ELSEWHERE.set(true);
        }
        done
    }

    /// Whether something was put into a mailbox since the last call by anyone but its client.
    #[inline]
    pub(crate) fn take_elsewhere() -> bool {
        ELSEWHERE.replace(false)
    }

    /// The client that is being polled, or `self` if none is.
    pub(crate) fn current(&self) -> Self {
        CURRENT.get().unwrap_or(*self)
    }
}
