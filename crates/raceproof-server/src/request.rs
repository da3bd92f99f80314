//! The bytes of requests, cut into commands: arrays of bulk strings, and inline commands.
//!
//! Input comes in pieces of any size. What a piece lacks is asked for ([`Step::More`]) and what has been understood so
//! far is kept, so that a command of a thousand arguments is not read a thousand times. Arguments are copied out of the
//! input: the engine keeps what it stores, and a slice of the input would keep all of the input alive. Small arguments of
//! one command share memory, at most [`SHARED`] bytes of it, so that what the engine keeps of them keeps little else; mostly
//! that is the one allocation that a command costs. An argument of [`LARGE`] bytes or more is collected in memory of
//! its own as it arrives, and handed on without another copy.

use bytes::Bytes;

/// From this size on an argument gets memory of its own while it arrives.
const LARGE: usize = 32 * 1024;
/// Up to this size an argument shares memory with its neighbours.
const SMALL: usize = 64;
/// How much memory neighbours share at most, so that it fits into 512 bytes with the count of those who share it.
const SHARED: usize = 496;
/// How many digits of a count or a length are read the quick way, which is for less than 2^31.
const DIGITS: usize = 9;
/// How long a line may be that has not ended: an inline command, or a count.
const LONGEST_LINE: usize = 64 * 1024;
/// How much memory is reserved at once for an argument of which only the length has arrived.
const RESERVED: usize = 1024 * 1024;
/// What a client that has not authenticated may send.
const STRANGER_ARGS: i64 = 10;
const STRANGER_BULK: i64 = 16 * 1024;

/// What the next bytes were.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A command, whose arguments are in [`Parser::args`].
    Command,
    /// A command of nothing: an empty line, or an array of no elements.
    Nothing,
    /// Not yet a whole command.
    More,
    /// Nothing that can be understood. The text goes to the client, and nothing after it is read.
    Broken(Vec<u8>),
}

/// What a request may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// `proto-max-bulk-len`
    pub(crate) longest_bulk: i64,
    /// Whether the client has authenticated, or need not.
    pub(crate) authenticated: bool,
}

/// The state of one connection's input between two pieces of it.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    /// The arguments of the command, as far as they have arrived.
    pub(crate) args: Vec<Bytes>,
    /// How many arguments are yet to come.
    left: usize,
    /// The length of the argument that comes next, once it is known.
    bulk: Option<usize>,
    /// A large argument, as far as it has arrived.
    large: Vec<u8>,
    /// Where in the input the arguments are that are about to be copied out of it.
    found: Vec<(usize, usize)>,
}

/// Writes a command as clients send it, and as it is propagated.
pub(crate) fn write(to: &mut Vec<u8>, args: &[Bytes]) {
    to.extend_from_slice(format!("*{}\r\n", args.len()).as_bytes());
    for arg in args {
        to.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        to.extend_from_slice(arg);
        to.extend_from_slice(b"\r\n");
    }
}

impl Parser {
    /// How many bytes Redis makes room for when a large argument begins.
    pub(crate) fn expected(&self) -> usize {
        self.bulk.filter(|bytes| *bytes >= LARGE).map_or(0, |bytes| bytes + 2)
    }

    /// How many bytes are kept for an argument that is not complete.
    pub(crate) const fn kept(&self) -> usize {
        self.large.len()
    }

    /// Reads on at `at`, which moves past what was understood. The arguments of the command before are cleared by the
    /// caller.
    pub(crate) fn step(&mut self, input: &[u8], at: &mut usize, allowed: Allowed) -> Step {
        loop {
            if self.left > 0 {
                match self.arguments(input, at, allowed) {
                    // An array may end with its last argument only.
                    Ok(true) => return Step::Command,
                    Ok(false) => return Step::More,
                    Err(text) => return Step::Broken(text),
                }
            }
            let Some(first) = input.get(*at) else { return Step::More };
            if let Some((count, len)) = quick(&input[*at..], b'*')
                && (count as i64 <= STRANGER_ARGS || allowed.authenticated)
            {
                *at += len;
                if count == 0 {
                    return Step::Nothing;
                }
                self.left = count;
                continue;
            }
            let begun = if *first == b'*' { self.count(input, at, allowed) } else { inline(input, at, &mut self.args) };
            match begun {
                Ok(true) if !self.args.is_empty() => return Step::Command,
                Ok(true) if self.left == 0 => return Step::Nothing,
                Ok(true) => {}
                Ok(false) => return Step::More,
                Err(text) => return Step::Broken(text),
            }
        }
    }

    /// `*n`: how many arguments come. None, or fewer, is a command of nothing.
    fn count(&mut self, input: &[u8], at: &mut usize, allowed: Allowed) -> Result<bool, Vec<u8>> {
        let Some(line) = line(&input[*at..], "too big mbulk count string")? else { return Ok(false) };
        let count = integer(&line[1..]).filter(|count| *count <= i64::from(i32::MAX));
        let Some(count) = count else { return Err("invalid multibulk length".into()) };
        if count > STRANGER_ARGS && !allowed.authenticated {
            return Err("unauthenticated multibulk length".into());
        }
        *at += line.len() + 2;
        self.left = usize::try_from(count).unwrap_or(0);
        Ok(true)
    }

    /// Takes as many arguments as have arrived, and tells whether those are all.
    fn arguments(&mut self, input: &[u8], at: &mut usize, allowed: Allowed) -> Result<bool, Vec<u8>> {
        let outcome = self.find(input, at, allowed);
        self.copy_found(input);
        outcome
    }

    fn find(&mut self, input: &[u8], at: &mut usize, allowed: Allowed) -> Result<bool, Vec<u8>> {
        while self.left > 0 {
            let len = match self.bulk.take() {
                Some(len) => len,
                None => match length(input, at, allowed)? {
                    Some(len) => len,
                    None => return Ok(false),
                },
            };
            let rest = &input[*at..];
            if len >= LARGE {
                if !self.collect(rest, at, len) {
                    self.bulk = Some(len);
                    return Ok(false);
                }
                self.copy_found(input);
                self.args.push(Bytes::from(std::mem::take(&mut self.large)));
            } else {
                // The two bytes after it are a line's end by agreement only: nobody looks.
                if rest.len() < len + 2 {
                    self.bulk = Some(len);
                    return Ok(false);
                }
                self.found.push((*at, len));
                *at += len + 2;
            }
            self.left -= 1;
        }
        Ok(true)
    }

    /// Copies the arguments that were found out of the input.
    fn copy_found(&mut self, input: &[u8]) {
        let (mut from, mut small) = (0, 0);
        for at in 0..self.found.len() {
            let (_, len) = self.found[at];
            if len > SMALL {
                continue;
            }
            if small + len > SHARED {
                share_in(small, input, &self.found[from..at], &mut self.args);
                (from, small) = (at, 0);
            }
            small += len;
        }
        share_in(small, input, &self.found[from..], &mut self.args);
        self.found.clear();
    }

    /// Takes what has arrived of a large argument, and tells whether that is all, its line's end included.
    fn collect(&mut self, rest: &[u8], at: &mut usize, len: usize) -> bool {
        let missing = len - self.large.len();
        let taken = missing.min(rest.len());
        if self.large.capacity() < len && self.large.capacity() - self.large.len() < taken {
            let wanted = (self.large.capacity() * 2).max(RESERVED).max(self.large.len() + taken).min(len);
            self.large.reserve_exact(wanted - self.large.len());
        }
        self.large.extend_from_slice(&rest[..taken]);
        *at += taken;
        if taken < missing || rest.len() < taken + 2 {
            return false;
        }
        *at += 2;
        true
    }
}

/// Copies arguments, of which the small ones take so many bytes together and share memory that is little more.
fn share_in(small: usize, input: &[u8], found: &[(usize, usize)], args: &mut Vec<Bytes>) {
    // With the count of those who share it, each is as large as what an allocator gives in any case.
    match small {
        0..=48 => share::<48>(small, input, found, args),
        49..=112 => share::<112>(small, input, found, args),
        113..=240 => share::<240>(small, input, found, args),
        _ => share::<SHARED>(small, input, found, args),
    }
}

/// Memory that small arguments share, in one piece with the count of those who do.
struct Shared<const N: usize>([u8; N]);

impl<const N: usize> AsRef<[u8]> for Shared<N> {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn share<const N: usize>(small: usize, input: &[u8], found: &[(usize, usize)], args: &mut Vec<Bytes>) {
    let (mut texts, mut end) = ([0; N], 0);
    for (start, len) in found.iter().copied().filter(|(_, len)| *len <= SMALL) {
        texts[end..end + len].copy_from_slice(&input[start..start + len]);
        end += len;
    }
    let mut shared = if small > 0 { Bytes::from_owner(Shared(texts)) } else { Bytes::new() };
    shared.truncate(small);
    args.extend(found.iter().map(|(start, len)| match len {
        // The last one takes over what is left.
        ..=SMALL => shared.split_to(*len),
        _ => Bytes::copy_from_slice(&input[*start..start + len]),
    }));
}

/// A count or a length with its line's end, as nearly all of them are: what it is, and how many bytes it takes. Whatever is not
/// like that, or not all there, is for those who know what to say of it.
fn quick(input: &[u8], mark: u8) -> Option<(usize, usize)> {
    let digit = |byte: u8| usize::from(byte.wrapping_sub(b'0'));
    match input {
        [first, ..] if *first != mark => None,
        [_, one @ b'0'..=b'9', b'\r', _, ..] => Some((digit(*one), 4)),
        [_, ten @ b'1'..=b'9', one @ b'0'..=b'9', b'\r', _, ..] => Some((digit(*ten) * 10 + digit(*one), 5)),
        [_, b'1'..=b'9', rest @ ..] => {
            let count = 1 + rest.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
            if count > DIGITS || input.get(1 + count) != Some(&b'\r') || input.len() < count + 3 {
                return None;
            }
            Some((input[1..=count].iter().fold(0, |value, byte| value * 10 + digit(*byte)), count + 3))
        }
        _ => None,
    }
}

/// `$n`: the length of the argument that comes.
fn length(input: &[u8], at: &mut usize, allowed: Allowed) -> Result<Option<usize>, Vec<u8>> {
    if let Some((length, len)) = quick(&input[*at..], b'$')
        && length as i64 <= allowed.longest_bulk
        && (length as i64 <= STRANGER_BULK || allowed.authenticated)
    {
        *at += len;
        return Ok(Some(length));
    }
    slow_length(input, at, allowed)
}

#[cold]
fn slow_length(input: &[u8], at: &mut usize, allowed: Allowed) -> Result<Option<usize>, Vec<u8>> {
    let Some(line) = line(&input[*at..], "too big bulk count string")? else { return Ok(None) };
    match line.first() {
        Some(b'$') => {}
        // Redis looks at the first byte whatever the line holds: for an empty one that is the line's end.
        other => {
            let mut text = b"expected '$', got '".to_vec();
            match other.copied().unwrap_or(b'\r') {
                // As text of C it ends here.
                0 => {}
                b'\r' | b'\n' => text.extend_from_slice(b" '"),
                seen => text.extend_from_slice(&[seen, b'\'']),
            }
            return Err(text);
        }
    }
    let length = integer(&line[1..]).filter(|length| (0..=allowed.longest_bulk).contains(length));
    let Some(length) = length else { return Err("invalid bulk length".into()) };
    if length > STRANGER_BULK && !allowed.authenticated {
        return Err("unauthenticated bulk length".into());
    }
    *at += line.len() + 2;
    Ok(Some(length as usize))
}

/// A line up to its carriage return, if the byte after that has arrived too.
fn line<'a>(input: &'a [u8], too_long: &str) -> Result<Option<&'a [u8]>, Vec<u8>> {
    match found(input, b'\r') {
        Some(end) if end + 2 <= input.len() => Ok(Some(&input[..end])),
        Some(_) => Ok(None),
        None if input.len() > LONGEST_LINE => Err(too_long.into()),
        None => Ok(None),
    }
}

/// Where a line ends. Redis looks for that as in text of C, which ends at the first zero: after one it waits for ever.
fn found(input: &[u8], end: u8) -> Option<usize> {
    let at = input.iter().position(|byte| *byte == end || *byte == 0)?;
    (input[at] == end).then_some(at)
}

/// A number in the one form that Redis writes it in: no sign but a minus, no zeros in front.
fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'0'] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) || digits.len() > 19 {
        return None;
    }
    let mut value: i128 = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i128::from(digit - b'0');
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

/// A command as people type it: words between spaces, in quotes where need be.
fn inline(input: &[u8], at: &mut usize, args: &mut Vec<Bytes>) -> Result<bool, Vec<u8>> {
    let rest = &input[*at..];
    let Some(end) = found(rest, b'\n') else {
        if rest.len() > LONGEST_LINE {
            return Err("too big inline request".into());
        }
        return Ok(false);
    };
    let text = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
    words(text, args).ok_or(b"unbalanced quotes in request")?;
    *at += end + 1;
    Ok(true)
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Cuts a line into words; nothing if a quote is not closed, or is followed by something else than a space.
fn words(text: &[u8], words: &mut Vec<Bytes>) -> Option<()> {
    let mut rest = text;
    loop {
        let start = rest.iter().position(|byte| !is_space(*byte));
        let Some(start) = start else { return Some(()) };
        let (word, after) = word(&rest[start..])?;
        words.push(Bytes::from(word));
        rest = after;
    }
}

/// One word and what follows it. A quote may stand within a word too.
fn word(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            byte if is_space(byte) => break,
            b'"' | b'\'' => {
                at = quoted(text, at, byte, &mut word)?;
                return text.get(at).is_none_or(|byte| is_space(*byte)).then(|| (word, &text[at..]));
            }
            byte => word.push(byte),
        }
    }
    Some((word, &text[at..]))
}

/// What stands in quotes; gives the place after the closing one.
fn quoted(text: &[u8], mut at: usize, quote: u8, word: &mut Vec<u8>) -> Option<usize> {
    loop {
        let rest = &text[at..];
        let (byte, len) = match rest {
            [] => return None,
            [byte, ..] if *byte == quote => return Some(at + 1),
            [b'\\', b'x', high, low, ..] if quote == b'"' && hex(*high).is_some() && hex(*low).is_some() => {
                (hex(*high)? << 4 | hex(*low)?, 4)
            }
            [b'\\', escaped, ..] if quote == b'"' => (unescaped(*escaped), 2),
            [b'\\', b'\'', ..] if quote == b'\'' => (b'\'', 2),
            [byte, ..] => (*byte, 1),
        };
        word.push(byte);
        at += len;
    }
}

const fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}
