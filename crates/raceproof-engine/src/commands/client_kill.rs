//! `CLIENT KILL`: closing connections.

use bytes::Bytes;

use crate::{
    Access, Object, Reply, SessionId, Version,
    context::Context,
    failure::{Answer, Failure, SYNTAX},
    number::parse_integer,
    session::Session,
};

/// Whom it is about. What is not said is no condition.
#[derive(Debug, Default)]
struct Meant {
    id: Option<i64>,
    peer: Option<Bytes>,
    local: Option<Bytes>,
    user: Option<Bytes>,
    kind: Option<Kind>,
    /// Connected for at least so long (7.4).
    min_age_s: Option<i64>,
    /// Whether the session itself is spared.
    spares_itself: bool,
}

/// The classes of clients. There are no masters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Normal,
    Subscriber,
    Replica,
    Master,
}

impl Kind {
    fn parse(word: &[u8]) -> Result<Self, Failure> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"pubsub" => Ok(Self::Subscriber),
            b"replica" | b"slave" => Ok(Self::Replica),
            b"master" => Ok(Self::Master),
            _ => Err(Failure::quoting("ERR Unknown client type '", word, "'")),
        }
    }

    fn of(session: &Session) -> Self {
        match session.fed {
            true => Self::Replica,
            false if session.subscriptions.any() => Self::Subscriber,
            false => Self::Normal,
        }
    }
}

impl Meant {
    fn parse(context: &Context<'_>, options: &[Bytes]) -> Result<Self, Failure> {
        let mut meant = Self { spares_itself: true, ..Self::default() };
        for pair in options.chunks(2) {
            let [option, value] = pair else { return Err(SYNTAX) };
            match option.to_ascii_lowercase().as_slice() {
                b"id" => {
                    let id = parse_integer(value).filter(|id| *id > 0);
                    meant.id = Some(id.ok_or(Failure::Constant("ERR client-id should be greater than 0"))?);
                }
                b"type" => meant.kind = Some(Kind::parse(value)?),
                b"addr" => meant.peer = Some(value.clone()),
                b"laddr" => meant.local = Some(value.clone()),
                b"user" if context.engine.acl.user(value).is_some() => meant.user = Some(value.clone()),
                b"user" => return Err(Failure::quoting("ERR No such user '", value, "'")),
                b"maxage" if context.engine.options.version >= Version::V7_4 => {
                    let age_s = parse_integer(value);
                    let age_s = age_s.ok_or(Failure::Constant("ERR maxage is not an integer or out of range"))?;
                    if age_s <= 0 {
                        return Err(Failure::Constant("ERR maxage should be greater than 0"));
                    }
                    meant.min_age_s = Some(age_s);
                }
                b"skipme" => match value.to_ascii_lowercase().as_slice() {
                    b"yes" => meant.spares_itself = true,
                    b"no" => meant.spares_itself = false,
                    _ => return Err(SYNTAX),
                },
                _ => return Err(SYNTAX),
            }
        }
        Ok(meant)
    }

    fn is(&self, session: &Session, now_s: i64) -> bool {
        // When a client came is kept where `CLIENT LIST` says so; elsewhere nobody has an age.
        let connected = session.activity.as_ref().and_then(|activity| activity.connected);
        let age_s = connected.map_or(0, |connected| now_s - connected.ms().div_euclid(1000));
        self.id.is_none_or(|id| session.id == id)
            && self.peer.as_ref().is_none_or(|peer| session.peer() == peer)
            && self.local.as_ref().is_none_or(|local| session.local() == local)
            && self.user.as_ref().is_none_or(|user| session.user == user)
            && self.min_age_s.is_none_or(|least| age_s >= least)
            && self.kind.is_none_or(|kind| Kind::of(session) == kind)
    }
}

pub(super) fn kill(context: &mut Context<'_>, args: &[Bytes]) -> Answer {
    let by_address = args.len() == 3;
    let meant = if by_address {
        Meant { peer: Some(args[2].clone()), ..Meant::default() }
    } else {
        Meant::parse(context, &args[2..])?
    };
    context.touch(Object::Server, Access::Read);
    context.touch(Object::Users, Access::Read);
    if meant.min_age_s.is_some() {
        context.read_clock();
    }
    let now_s = context.now_ms().div_euclid(1000);
    let mut killed = 0;
    for index in 0..context.engine.sessions.len() {
        let session = &context.engine.sessions[index];
        let spared = meant.spares_itself && index == context.session;
        if !session.open || spared || !meant.is(session, now_s) {
            continue;
        }
        killed += 1;
        if index == context.session {
            context.close = true;
            continue;
        }
        context.engine.touch_everything(context.footprint);
        context.touch(Object::Inbox(SessionId(index as u32)), Access::Write);
        context.engine.kill(index, context.footprint, context.deliveries);
    }
    match (by_address, killed) {
        (true, 0) => Err(Failure::Constant("ERR No such client")),
        (true, _) => Ok(Reply::Simple("OK")),
        (false, _) => Ok(Reply::Integer(killed)),
    }
}
