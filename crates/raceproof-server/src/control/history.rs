//! `RACEPROOF HISTORY`

use bytes::Bytes;
use raceproof_engine::Reply;

use super::{Answer, Asker, is};
use crate::history::Entry;
use crate::server::Server;

impl Server {
    pub(super) fn control_history(&mut self, asker: Asker, args: &[Bytes]) -> Answer {
        let history = &mut self.universes[asker.universe].history;
        match args {
            [] => Ok(Reply::Array(history.iter().map(listed).collect())),
            [word, name] if is(word, "client") => {
                Ok(Reply::Array(history.iter().filter(|entry| entry.client == name).map(listed).collect()))
            }
            [word] if is(word, "on") || is(word, "off") => {
                history.switch(is(word, "on"));
                Ok(Reply::Simple("OK"))
            }
            [word] if is(word, "clear") => {
                history.clear();
                Ok(Reply::Simple("OK"))
            }
            _ => Err("HISTORY takes nothing, CLIENT <name>, ON, OFF or CLEAR".into()),
        }
    }
}

/// Time (Unix ms), client, command, reply.
fn listed(entry: &Entry) -> Reply {
    Reply::Array(vec![
        Reply::Integer(entry.at.ms()),
        Reply::Bulk(entry.client.clone()),
        Reply::Bulk(entry.command.clone().into()),
        Reply::Bulk(entry.reply.clone().into()),
    ])
}
