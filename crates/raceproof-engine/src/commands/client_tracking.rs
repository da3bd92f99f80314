//! `CLIENT TRACKING`: being told of keys that were changed, and how.

use bytes::Bytes;

use super::text;
use crate::{
    Reply,
    context::Context,
    failure::{Answer, Failure, NOT_AN_INTEGER, SYNTAX},
    number::parse_integer,
    tracking::Mode,
};

/// What follows `ON` or `OFF`.
#[derive(Debug, Default)]
struct Options {
    redirect: i64,
    broadcasts: bool,
    opt_in: bool,
    opt_out: bool,
    noloop: bool,
    prefixes: Vec<Bytes>,
}

impl Options {
    fn parse(context: &Context<'_>, args: &[Bytes]) -> Result<Self, Failure> {
        let mut options = Self::default();
        let mut rest = args;
        while let [option, after @ ..] = rest {
            rest = after;
            match (option.to_ascii_lowercase().as_slice(), after) {
                (b"redirect", [id, after @ ..]) => {
                    rest = after;
                    options.redirect = options.redirected_once(context, id)?;
                }
                (b"prefix", [prefix, after @ ..]) => {
                    rest = after;
                    options.prefixes.push(prefix.clone());
                }
                (b"bcast", _) => options.broadcasts = true,
                (b"optin", _) => options.opt_in = true,
                (b"optout", _) => options.opt_out = true,
                (b"noloop", _) => options.noloop = true,
                _ => return Err(SYNTAX),
            }
        }
        Ok(options)
    }

    fn redirected_once(&self, context: &Context<'_>, id: &[u8]) -> Result<i64, Failure> {
        if self.redirect != 0 {
            return Err(Failure::Constant("ERR A client can only redirect to a single other client"));
        }
        let id = parse_integer(id).ok_or(NOT_AN_INTEGER)?;
        if !context.engine.sessions.iter().any(|session| session.open && session.id == id) {
            return Err(Failure::Constant("ERR The client ID you want redirect to does not exist"));
        }
        Ok(id)
    }

    /// The mode that they ask for, if it can be had, also after the one that the session is in.
    fn mode(&self, context: &Context<'_>) -> Result<Mode, Failure> {
        if !self.broadcasts && !self.prefixes.is_empty() {
            return Err(Failure::Constant("ERR PREFIX option requires BCAST mode to be enabled"));
        }
        let old = context.session().tracking.as_ref().map(|tracking| tracking.mode);
        if old.is_some_and(|old| (old == Mode::Broadcast) != self.broadcasts) {
            return Err(Failure::Constant(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling \
                 it with a different mode.",
            ));
        }
        if self.broadcasts && (self.opt_in || self.opt_out) {
            return Err(Failure::Constant("ERR OPTIN and OPTOUT are not compatible with BCAST"));
        }
        if self.opt_in && self.opt_out {
            return Err(Failure::Constant("ERR You can't specify both OPTIN mode and OPTOUT mode"));
        }
        if (self.opt_in && old == Some(Mode::OptOut)) || (self.opt_out && old == Some(Mode::OptIn)) {
            return Err(Failure::Constant(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling \
                 it with a different mode.",
            ));
        }
        Ok(match self {
            _ if self.broadcasts => Mode::Broadcast,
            _ if self.opt_in => Mode::OptIn,
            _ if self.opt_out => Mode::OptOut,
            _ => Mode::Read,
        })
    }

    /// The first prefix that would tell of a key twice, as an error; and whether the command goes on all the same: Redis says
    /// so of two prefixes that come together, unless one of them is the first.
    fn collision(&self, context: &Context<'_>) -> Option<(Failure, bool)> {
        let overlap = |one: &Bytes, other: &Bytes| one.starts_with(other) || other.starts_with(one);
        let says = |one: &Bytes, which: &[u8], other: &Bytes| {
            let parts: [&[u8]; 6] = [
                b"ERR Prefix '",
                shown(one),
                b"' overlaps with ",
                which,
                shown(other),
                b"'. Prefixes for a single client must not overlap.",
            ];
            Failure::Bytes(parts.concat().into())
        };
        let known = context.session().tracking.as_ref();
        for (at, prefix) in self.prefixes.iter().enumerate() {
            let mut older = known.into_iter().flat_map(|tracking| &tracking.prefixes);
            if let Some(other) = older.find(|other| overlap(other, prefix)) {
                return Some((says(prefix, b"an existing prefix '", other), false));
            }
            if let Some(other) = self.prefixes[at + 1..].iter().find(|other| overlap(other, prefix)) {
                return Some((says(prefix, b"another provided prefix '", other), at > 0));
            }
        }
        None
    }
}

/// As much of a prefix as an error shows of it.
fn shown(prefix: &Bytes) -> &[u8] {
    crate::failure::quoted(prefix, prefix.len())
}

pub(super) fn tracking(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let options = Options::parse(context, &args[3..])?;
    let session = context.session;
    match args[2].to_ascii_lowercase().as_slice() {
        b"on" => {}
        b"off" => {
            if context.session().tracking.is_some() {
                context.engine.touch_tracking(session, 0, Mode::Read, context.footprint);
                context.engine.stop_tracking(session);
            }
            return Ok(Reply::Simple("OK"));
        }
        _ => return Err(SYNTAX),
    }
    let mode = options.mode(context)?;
    let collision = if options.broadcasts { options.collision(context) } else { None };
    let warning = match collision {
        Some((failure, false)) => return Err(failure),
        Some((failure, true)) => Some(failure.into_reply()),
        None => None,
    };
    context.engine.touch_tracking(session, options.redirect, mode, context.footprint);
    context.engine.start_tracking(session, options.redirect, mode, options.noloop, &options.prefixes);
    let done = Reply::Simple("OK");
    Ok(warning.map_or_else(|| done.clone(), |warning| Reply::Inline(vec![warning, done.clone()])))
}

pub(super) fn caching(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let Some(tracking) = &mut context.session_mut().tracking else {
        return Err(Failure::Constant(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ));
    };
    match (args[2].to_ascii_lowercase().as_slice(), tracking.mode) {
        (b"yes", Mode::OptIn) | (b"no", Mode::OptOut) => tracking.caching = true,
        (b"yes", _) => {
            return Err(Failure::Constant(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
        (b"no", _) => {
            return Err(Failure::Constant(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
        _ => return Err(SYNTAX),
    }
    Ok(Reply::Simple("OK"))
}

/// The number of the client that is told in place of the session; 0 for none, -1 if it does not track.
fn redirect(context: &Context<'_>) -> Reply {
    let session = context.session();
    Reply::Integer(if session.tracking.is_some() { session.redirect } else { -1 })
}

pub(super) fn getredir(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    Ok(redirect(context))
}

pub(super) fn trackinginfo(context: &mut Context<'_>, _: &[Bytes]) -> Answer {
    let tracking = context.session().tracking.as_deref();
    let flags = match tracking {
        None => vec!["off"],
        Some(tracking) => {
            let is = |mode| tracking.mode == mode;
            let marks = [
                (true, "on"),
                (is(Mode::Broadcast), "bcast"),
                (is(Mode::OptIn), "optin"),
                (is(Mode::OptIn) && tracking.caching, "caching-yes"),
                (is(Mode::OptOut), "optout"),
                (is(Mode::OptOut) && tracking.caching, "caching-no"),
                (tracking.noloop, "noloop"),
                (tracking.broken, "broken_redirect"),
            ];
            marks.into_iter().filter(|(set, _)| *set).map(|(_, mark)| mark).collect()
        }
    };
    let prefixes = tracking.into_iter().flat_map(|tracking| &tracking.prefixes);
    Ok(Reply::Map(vec![
        (text("flags"), Reply::Set(flags.into_iter().map(text).collect())),
        (text("redirect"), redirect(context)),
        (text("prefixes"), Reply::Array(prefixes.map(super::bulk).collect())),
    ]))
}
