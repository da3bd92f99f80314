//! How clients record what they do: operations on named objects, for the checks over the history.

use std::future::Future;

use crate::ctx::Ctx;
use crate::history::{Datum, Mark, OperationKind};
use crate::mailbox::Local;
use crate::sql::{SqlReply, SqlValue};

/// What the history keeps of what an operation returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// It is over, with this value; `None` where there is none.
    Done(Option<Datum>),
    /// It returned an error: whether it took effect is not known.
    Failed,
}

impl Record {
    fn text(text: impl ToString) -> Self {
        Self::Done(Some(Datum::Text(text.to_string())))
    }
}

/// What an operation may return. An `Err` leaves it open whether the operation took effect: it is not acknowledged,
/// and a read that fails has read nothing.
pub trait Recorded {
    /// What the history keeps of it.
    fn record(&self) -> Record;
}

impl Recorded for () {
    fn record(&self) -> Record {
        Record::Done(None)
    }
}

impl<T: Recorded, E> Recorded for Result<T, E> {
    fn record(&self) -> Record {
        self.as_ref().map_or(Record::Failed, Recorded::record)
    }
}

impl<T: ToString> Recorded for Option<T> {
    fn record(&self) -> Record {
        self.as_ref().map_or(Record::Done(None), |value| Record::text(value.to_string()))
    }
}

impl<T: ToString> Recorded for Vec<T> {
    fn record(&self) -> Record {
        Record::Done(Some(Datum::List(self.iter().map(ToString::to_string).collect())))
    }
}

impl Recorded for Datum {
    fn record(&self) -> Record {
        Record::Done(Some(self.clone()))
    }
}

impl Recorded for SqlValue {
    fn record(&self) -> Record {
        match self {
            Self::Null => Record::Done(None),
            value => Record::text(value),
        }
    }
}

impl Recorded for SqlReply {
    /// Rows are not one value: nothing is kept.
    fn record(&self) -> Record {
        Record::Done(None)
    }
}

impl Recorded for redis::Value {
    fn record(&self) -> Record {
        match self {
            Self::Int(n) => Record::text(n),
            Self::BulkString(bytes) => Record::text(String::from_utf8_lossy(bytes)),
            Self::SimpleString(text) => Record::text(text),
            Self::Okay => Record::text("OK"),
            Self::ServerError(_) => Record::Failed,
            _ => Record::Done(None),
        }
    }
}

macro_rules! recorded_as_text {
    ($($kind:ty)+) => { $(
        impl Recorded for $kind {
            fn record(&self) -> Record {
                Record::text(self)
            }
        }
    )+ };
}

recorded_as_text!(String &str bool i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl Ctx {
    /// Runs `work` as a write of `value` to `object`: acknowledged when `work` has returned. `false` says that the
    /// write was refused and had no effect; an `Err`, that nobody knows.
    pub async fn write<T: Recorded>(&self, object: &str, value: impl ToString, work: impl Future<Output = T>) -> T {
        self.record(object, OperationKind::Write(value.to_string()), work).await
    }

    /// Runs `work` as a read of `object`; what it returns is the value read (`None`: there is none).
    pub async fn read<T: Recorded>(&self, object: &str, work: impl Future<Output = T>) -> T {
        self.record(object, OperationKind::Read, work).await
    }

    /// Runs `work` as the operation `name` of the data type that `object` is, with its arguments; what it returns is
    /// the operation's result. [`crate::Model`] lists the operations.
    pub async fn operation<T: Recorded>(
        &self,
        object: &str,
        name: &str,
        args: &[&str],
        work: impl Future<Output = T>,
    ) -> T {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.record(object, OperationKind::Call { name: name.to_owned(), args }, work).await
    }

    /// Runs `work` as a stay in the critical section `section`: it begins now, with whatever lock was just taken.
    pub async fn inside<T>(&self, section: &str, work: impl Future<Output = T>) -> T {
        let number = self.begin(section, OperationKind::Inside);
        let done = work.await;
        self.mark(Mark::End { number, record: Record::Done(None) });
        done
    }

    /// Says that the step just made was accepted by `resource`, which was given the fencing token `token`.
    pub fn fenced(&self, resource: &str, token: i64) {
        self.mark(Mark::Point { object: resource.to_owned(), kind: OperationKind::Fenced(token) });
    }

    /// Says that the step just made had the effect `key` of the kind `effect`, as in `("charge", "order-42")`.
    pub fn effect(&self, effect: &str, key: impl ToString) {
        self.mark(Mark::Point { object: effect.to_owned(), kind: OperationKind::Effect(key.to_string()) });
    }

    async fn record<T: Recorded>(&self, object: &str, kind: OperationKind, work: impl Future<Output = T>) -> T {
        let number = self.begin(object, kind);
        let done = work.await;
        self.mark(Mark::End { number, record: done.record() });
        done
    }

    pub(crate) fn begin(&self, object: &str, kind: OperationKind) -> u32 {
        let number = {
            let mut mailbox = self.port().lock();
            mailbox.operations += 1;
            mailbox.operations
        };
        self.mark(Mark::Begin { number, object: object.to_owned(), kind });
        number
    }

    pub(crate) fn mark(&self, mark: Mark) {
        self.port().lock().note(Local::Mark(mark));
    }
}
