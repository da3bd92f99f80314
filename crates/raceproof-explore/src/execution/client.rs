//! One client, and what executions leave to each other.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};

use raceproof_engine::SessionId;
use smallvec::SmallVec;

use super::Run;
use super::clients::{Enabled, Pending};
use super::messages::Messages;
use crate::ctx::{ClientFuture, NewClient, Stage};
use crate::event::{ClientId, Event, ProcessId};
use crate::mailbox::{Inbox, Lane, Port};

/// One client in one execution.
pub(crate) struct Client {
    pub(crate) name: String,
    /// Its name to the watchdog.
    pub(super) place: Option<usize>,
    pub(crate) port: Port,
    /// What the port leads to.
    pub(crate) inbox: Inbox,
    /// The lane that was posted to last, with its process and the place of that in the execution.
    pub(super) lane: Option<(Lane, ProcessId, usize)>,
    pub(crate) future: Option<ClientFuture>,
    pub(super) woken: Arc<Woken>,
    /// Sets `woken`.
    pub(super) waker: Waker,
    pub(crate) pending: Vec<Pending>,
    pub(crate) sessions: SmallVec<[Option<SessionId>; 2]>,
    /// How often each was opened.
    pub(super) opened: SmallVec<[u32; 2]>,
    /// What they were sent beside replies, by the same numbers; those that were never sent anything may be missing.
    pub(super) sent: Vec<Messages>,
    /// Connections that broke with the server, and whose client has not learnt of it.
    pub(crate) broken: SmallVec<[u32; 2]>,
    /// The client does not reach Redis any more.
    pub(crate) unreachable: bool,
    /// How many of its commands were left on their way.
    pub(super) late: u32,
    /// The client was told of a fault: it may give up because of it.
    pub(crate) struck: bool,
    pub(crate) connections: SmallVec<[Option<usize>; 1]>,
    pub(crate) steps: u32,
    pub(super) children: usize,
    /// Operations that have begun and not ended: the client's number, and the place in the history.
    pub(crate) open: SmallVec<[(u32, usize); 1]>,
}

impl Client {
    /// `anyone` is told whenever it is woken.
    pub(super) fn new(
        name: String,
        place: Option<usize>,
        port: Port,
        future: ClientFuture,
        anyone: Arc<AtomicBool>,
    ) -> Self {
        let woken = Arc::new(Woken { own: AtomicBool::new(false), anyone });
        Self {
            name,
            place,
            port,
            inbox: port.inbox(),
            lane: None,
            future: Some(future),
            waker: Waker::from(woken.clone()),
            woken,
            pending: Vec::new(),
            sessions: SmallVec::new(),
            opened: SmallVec::new(),
            sent: Vec::new(),
            broken: SmallVec::new(),
            unreachable: false,
            late: 0,
            struck: false,
            connections: SmallVec::new(),
            steps: 0,
            children: 0,
            open: SmallVec::new(),
        }
    }

    /// Forgets the execution, and keeps the memory for the next one.
    fn retire(&mut self) {
        let Self {
            name: _,
            place: _,
            port: _,
            inbox: _,
            waker: _,
            woken: _,
            lane,
            future,
            pending,
            sessions,
            opened,
            sent,
            broken,
            unreachable,
            late,
            struck,
            connections,
            steps,
            children,
            open,
        } = self;
        (*lane, *future) = (None, None);
        (*unreachable, *late, *struck, *steps, *children) = (false, 0, false, 0, 0);
        pending.clear();
        sessions.clear();
        opened.clear();
        sent.clear();
        broken.clear();
        connections.clear();
        open.clear();
    }

    pub(crate) fn is_done(&self) -> bool {
        self.future.is_none() && self.pending.is_empty()
    }

    /// Has the client polled again.
    pub(super) fn wake(&self) {
        self.woken.notify();
    }

    pub(super) fn wake_not(&self) {
        self.woken.set(false);
    }

    pub(super) fn is_woken(&self) -> bool {
        self.woken.get()
    }
}

/// Whether a client was woken.
#[derive(Debug)]
pub(super) struct Woken {
    own: AtomicBool,
    /// Whether any of the clients was, which is asked after every step.
    anyone: Arc<AtomicBool>,
}

impl Woken {
    fn notify(&self) {
        self.own.store(true, Ordering::Relaxed);
        self.anyone.store(true, Ordering::Relaxed);
    }

    pub(super) fn set(&self, woken: bool) {
        self.own.store(woken, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> bool {
        self.own.load(Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.notify();
    }
}

/// What one execution leaves to the next, which so need not allocate it.
#[derive(Default)]
pub(super) struct Spare {
    pub(super) clients: Vec<Option<Box<Client>>>,
    pub(super) newcomers: Vec<NewClient>,
    pub(super) stage: Option<Rc<Stage>>,
    #[expect(clippy::vec_box, reason = "they go from list to list")]
    pub(super) idle: Vec<Box<Client>>,
    pub(super) enabled: Vec<Enabled>,
    pub(super) events: Vec<Event>,
    pub(super) order: Vec<ClientId>,
    pub(super) lanes: Vec<ProcessId>,
    /// Whether a client was woken since somebody looked for those who were.
    pub(super) woken: Arc<AtomicBool>,
    pub(super) cast: Vec<(ClientId, String)>,
    /// All of it is written anew.
    pub(super) run: Option<Box<Run>>,
}

thread_local! {
    /// What the last search on this thread left to the next one.
    static LEFT: Cell<Option<Spare>> = const { Cell::new(None) };
}

impl Spare {
    /// What is left of the search before.
    pub(super) fn left() -> Self {
        LEFT.take().unwrap_or_default()
    }

    /// Leaves to the next search what a small one would use.
    pub(super) fn leave(self) {
        const MOST: usize = 256;
        if self.idle.len() <= MOST && self.events.capacity() <= MOST && self.newcomers.capacity() <= MOST {
            // A thread that ends has no next search.
            let _ = LEFT.try_with(|left| left.set(Some(self)));
        }
    }

    /// Takes what nobody needs any more of an execution.
    pub(super) fn take_run(&mut self, mut run: Box<Run>) {
        (self.events, self.lanes, self.cast) =
            (std::mem::take(&mut run.events), std::mem::take(&mut run.lanes), std::mem::take(&mut run.cast));
        self.events.clear();
        self.lanes.clear();
        self.cast.clear();
        self.run = Some(run);
    }

    /// Takes the stage of an execution that is over, if nobody holds on to it.
    pub(super) fn take_stage(&mut self, mut stage: Rc<Stage>) {
        if let Some(own) = Rc::get_mut(&mut stage) {
            own.clear();
            self.stage = Some(stage);
        }
    }

    /// Takes the clients of an execution that is over.
    pub(super) fn take_back(&mut self, mut clients: Vec<Option<Box<Client>>>) {
        for mut client in clients.drain(..).flatten() {
            client.retire();
            // Somebody may have kept a waker: it shall not wake a client of another execution.
            if Arc::strong_count(&client.woken) == 2 {
                client.wake_not();
                self.idle.push(client);
            }
        }
        self.clients = clients;
    }
}
