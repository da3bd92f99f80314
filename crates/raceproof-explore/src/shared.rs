//! State that clients share within one process.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use raceproof_engine::Access;

use crate::ctx::Ctx;
use crate::mailbox::{CellId, CellOp, Op};

/// A value that several clients hold, as tasks of one process hold an `Arc<Mutex<T>>`. Each access is one step of the
/// client that makes it, so the explorer tries the orders that matter; state shared in any other way is hidden from it.
pub struct Shared<T> {
    name: Arc<str>,
    cell: CellId,
    value: Arc<Mutex<T>>,
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), cell: self.cell, value: self.value.clone() }
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("name", &self.name).finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Shared<T> {
    pub(crate) fn new(name: &str, cell: CellId, value: T) -> Self {
        Self { name: name.into(), cell, value: Arc::new(Mutex::new(value)) }
    }

    /// Looks at the value, in one step.
    pub async fn read<R: Clone + Send + fmt::Debug + 'static>(
        &self,
        ctx: &Ctx,
        look: impl FnOnce(&T) -> R + Send + 'static,
    ) -> R {
        self.step(ctx, Access::Read, format!("read {}", self.name), |value| look(value)).await
    }

    /// Changes the value, in one step that no other client can come between.
    pub async fn update<R: Clone + Send + fmt::Debug + 'static>(
        &self,
        ctx: &Ctx,
        change: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> R {
        self.step(ctx, Access::Write, format!("update {}", self.name), change).await
    }

    async fn step<R: Clone + Send + fmt::Debug + 'static>(
        &self,
        ctx: &Ctx,
        access: Access,
        text: String,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> R {
        let result: Arc<Mutex<Option<R>>> = Arc::default();
        let (value, out) = (self.value.clone(), result.clone());
        let run = move || {
            let done = work(&mut value.lock().unwrap_or_else(PoisonError::into_inner));
            let shown = format!("{done:?}");
            *out.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            shown
        };
        ctx.port().ask(Op::Cell(CellOp { cell: self.cell, access, text, ready: None, run: Box::new(run) })).await;
        let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.expect("the step has run before it is answered")
    }
}
