//! `WATCH`: whose next `EXEC` gives null since a key was changed.

use crate::{Engine, key::Key, session::Watched};

impl Engine {
    /// Adds a key to those whose change makes the session's next `EXEC` give null.
    pub(crate) fn watch(&mut self, session: usize, db: u32, key: Key, expired: bool) {
        let watched = &mut self.sessions[session].watched;
        if watched.iter().any(|known| known.db == db && known.key == key) {
            return;
        }
        watched.push(Watched { db, key: key.clone(), expired });
        self.watchers.entry((db, key)).or_default().push(session as u32);
    }

    /// Forgets the watched keys of a session, and that one of them was changed.
    pub(crate) fn unwatch(&mut self, session: usize) {
        self.sessions[session].dirty = false;
        for watched in std::mem::take(&mut self.sessions[session].watched) {
            let place = (watched.db, watched.key);
            if let Some(sessions) = self.watchers.get_mut(&place) {
                sessions.retain(|other| *other as usize != session);
                if sessions.is_empty() {
                    self.watchers.remove(&place);
                }
            }
        }
    }

    /// Marks the sessions that watch a key, which was just changed. The removal of a key that had expired before it
    /// was watched is no change.
    pub(crate) fn touch_watched(&mut self, db: u32, key: &Key) {
        let Some(sessions) = self.watchers.get(&(db, key.clone())) else { return };
        let exists = self.databases.entry(db, key).is_some();
        for &session in sessions {
            let session = &mut self.sessions[session as usize];
            let Some(watched) = session.watched.iter_mut().find(|known| known.db == db && known.key == *key) else {
                continue;
            };
            if watched.expired && !exists {
                watched.expired = false;
            } else {
                session.dirty = true;
            }
        }
    }

    /// Marks the sessions that watch a key of a database which is about to be emptied, or replaced by another one.
    pub(crate) fn touch_watched_in(&mut self, emptied: u32, replacement: Option<u32>, now_ms: i64) {
        let (databases, sessions) = (&self.databases, &mut self.sessions);
        for ((_, key), watching) in self.watchers.iter().filter(|((db, _), _)| *db == emptied) {
            let before = databases.entry(emptied, key).is_some();
            let after = replacement.and_then(|db| databases.entry(db, key));
            if !before && after.is_none() {
                continue;
            }
            let after_expired = after.is_some_and(|entry| entry.deadline().is_some_and(|deadline| now_ms > deadline));
            for &session in watching {
                let session = &mut sessions[session as usize];
                let Some(watched) = session.watched.iter_mut().find(|known| known.db == emptied && known.key == *key)
                else {
                    continue;
                };
                if watched.expired && after.is_none() {
                    watched.expired = false;
                } else if watched.expired && after_expired {
                    // It was expired when it was watched, and what comes in its place is expired as well.
                } else if !watched.expired && !before && after_expired {
                    watched.expired = true;
                } else {
                    session.dirty = true;
                }
            }
        }
    }
}
