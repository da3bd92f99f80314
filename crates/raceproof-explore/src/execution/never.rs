//! Steps that an execution could have made and did not.

use std::sync::Arc;

use super::Execution;
use crate::event::{CLOCK, Choice, ClientId, Event, FAULTS, Footprint, Outcome, Reach, Touched};

impl Execution<'_> {
    /// Steps that could have happened in another order although they never did in this one: they take part in the
    /// detection of races only. A pause could have come anywhere before time passed by itself, and before the end.
    pub(super) fn never(&mut self) -> Vec<(usize, Event)> {
        let mut never = Vec::new();
        let mut pauses_left = self.bounds.pauses;
        let places = if pauses_left > 0 { self.events.len() + 1 } else { 0 };
        for at in 0..places {
            let clock = match self.events.get(at) {
                None => true,
                Some(event) if event.footprint.barrier => true,
                Some(event) => {
                    pauses_left -= u32::from(event.footprint.choice.process == CLOCK);
                    false
                }
            };
            if clock && pauses_left > 0 {
                let mut touched = Touched::default();
                self.clock_footprint(&mut touched);
                self.touch_listeners(&mut touched);
                for outcome in [Outcome::PastDeadline, Outcome::ToDeadline] {
                    let choice = Choice { process: CLOCK, outcome };
                    never.push((at, virtual_event(choice, None, touched.clone(), None)));
                }
            }
        }
        let end = self.events.len();
        if self.bounds.faults.may_strike() {
            let spared = self.spared();
            never.extend(spared.into_iter().map(|(choice, touched)| (end, virtual_event(choice, None, touched, None))));
        }
        for id in &self.order {
            let id = *id;
            let requests = self.clients[usize::from(id.0)].as_ref().map_or(&[][..], |client| &client.pending);
            for pending in requests {
                let mut touched = Touched::default();
                pending.waits_for(&mut self.worker.things, &mut touched);
                let choice = Choice { process: pending.process, outcome: Outcome::Done };
                let mut event = virtual_event(choice, Some(id), touched, pending.posted_after);
                event.waited.clone_from(&pending.waited);
                event.needs_lock = matches!(pending.op, crate::mailbox::Op::Sql { .. });
                never.push((self.events.len(), event));
            }
        }
        never
    }
}

fn virtual_event(choice: Choice, client: Option<ClientId>, touched: Touched, posted_after: Option<usize>) -> Event {
    let footprint = Footprint { choice, client, touched, reach: Reach::Anything, barrier: false };
    let optional = matches!(choice.process, CLOCK | FAULTS);
    Event { footprint: Arc::new(footprint), posted_after, optional, ..Event::new(choice, Touched::default(), false) }
}
