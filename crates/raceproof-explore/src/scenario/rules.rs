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
        other => return Err(mlua::Error::runtime(format!("unknown check {other}"))),
    })
}
