//! State that clients share within one process.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use raceproof_engine::Access;

use crate::ctx::Ctx;
use crate::mailbox::CellId;

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
    pub async fn read<R: Send + fmt::Debug + 'static>(
        &self,
        ctx: &Ctx,
        look: impl FnOnce(&T) -> R + Send + 'static,
    ) -> R {
        self.step(ctx, Access::Read, format!("read {}", self.name), |value| look(value)).await
    }

    /// Changes the value, in one step that no other client can come between.
    pub async fn update<R: Send + fmt::Debug + 'static>(
        &self,
        ctx: &Ctx,
        change: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> R {
        self.step(ctx, Access::Write, format!("update {}", self.name), change).await
    }

    async fn step<R: Send + fmt::Debug + 'static>(
        &self,
        ctx: &Ctx,
        access: Access,
        text: String,
        work: impl FnOnce(&mut T) -> R + Send + 'static,
    ) -> R {
        let value = self.value.clone();
        let run = move || {
            let done = work(&mut value.lock().unwrap_or_else(PoisonError::into_inner));
            let shown = format!("{done:?}");
            (done, shown)
        };
        ctx.port().step_on(self.cell, access, text, run).await
    }
}
