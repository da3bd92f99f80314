//! The checks over the history that a scenario file declares.

use mlua::{LuaString, Table};

use crate::{HistoryCheck, Model};

/// The check that the prelude has noted; what it was given the prelude has looked at.
pub(super) fn check(item: &Table) -> mlua::Result<HistoryCheck> {
    let name = String::from_utf8_lossy(&item.get::<LuaString>("name")?.as_bytes()).into_owned();
    let kind = item.get::<String>("kind")?;
    Ok(match kind.as_str() {
        "fresh" if item.get::<Option<String>>("extra")?.is_some() => HistoryCheck::fresh_since_commit(name),
        "fresh" => HistoryCheck::fresh(name),
        "exclusive" => HistoryCheck::exclusion(name),
        "linearizable" => {
            let model = item.get::<String>("extra")?;
            let unknown = || mlua::Error::runtime(format!("unknown model {model}"));
            HistoryCheck::linearizable(name, Model::named(&model).ok_or_else(unknown)?)
        }
        "no_lost_update" => HistoryCheck::no_lost_update(name),
        "monotonic_reads" => HistoryCheck::monotonic_reads(name),
        "read_your_writes" => HistoryCheck::read_your_writes(name),
        "fencing" => HistoryCheck::fencing(name),
        "at_most_once" => HistoryCheck::at_most_once(name),
        "staleness" => match limits(item)? {
            (ms, true) => HistoryCheck::staleness_since_commit(name, ms.unwrap_or(0)),
            (ms, false) => HistoryCheck::staleness(name, ms.unwrap_or(0)),
        },
        "survives" => match limits(item)?.0 {
            Some(ms) => HistoryCheck::survival_but_for(name, ms),
            None => HistoryCheck::survival(name),
        },
        other => return Err(mlua::Error::runtime(format!("unknown check {other}"))),
    })
}

/// A number of ms, if one was given, and whether a write counts from its commit on.
fn limits(item: &Table) -> mlua::Result<(Option<u64>, bool)> {
    let extra = item.get::<Table>("extra")?;
    // In range, as the prelude has seen to it.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let ms = extra.get::<Option<f64>>("ms")?.map(|ms| ms as u64);
    Ok((ms, extra.get("commit")?))
}
