//! Replies as bytes.

use crate::{
    Protocol, Reply,
    number::{MAX_DECIMAL_LEN, decimal_text, float_text, shortest_text, write_integer},
};

impl Reply {
    /// Appends the reply as the protocol writes it.
    pub fn encode(&self, protocol: Protocol, out: &mut Vec<u8>) {
        let resp3 = protocol == Protocol::Resp3;
        match self {
            Self::Simple(text) => line(out, b'+', text.as_bytes()),
            Self::Status(text) => line(out, b'+', text),
            Self::Error(text) => line(out, b'-', text),
            Self::Integer(value) => line(out, b':', write_integer(*value, &mut [0; MAX_DECIMAL_LEN])),
            Self::Bulk(text) => bulk(out, text),
            Self::NullOf(protocol) => Self::Null.encode(*protocol, out),
            Self::Null | Self::NullArray if resp3 => out.extend_from_slice(b"_\r\n"),
            Self::Null => out.extend_from_slice(b"$-1\r\n"),
            Self::NullArray => out.extend_from_slice(b"*-1\r\n"),
            Self::Array(elements) => sequence(out, b'*', elements, protocol),
            Self::Set(elements) => sequence(out, if resp3 { b'~' } else { b'*' }, elements, protocol),
            Self::Push(elements) => sequence(out, if resp3 { b'>' } else { b'*' }, elements, protocol),
            Self::Inline(values) => values.iter().for_each(|value| value.encode(protocol, out)),
            Self::Attribute(_) if !resp3 => {}
            Self::Attribute(pairs) => {
                header(out, b'|', pairs.len());
                for (key, value) in pairs {
                    key.encode(protocol, out);
                    value.encode(protocol, out);
                }
            }
            Self::Map(pairs) => {
                let (mark, len) = if resp3 { (b'%', pairs.len()) } else { (b'*', pairs.len() * 2) };
                header(out, mark, len);
                for (key, value) in pairs {
                    key.encode(protocol, out);
                    value.encode(protocol, out);
                }
            }
            Self::Double(value) => {
                let text = double_text(*value);
                if resp3 { line(out, b',', text.as_bytes()) } else { bulk(out, text.as_bytes()) }
            }
            Self::Shortest(value) => {
                let text = if value.is_finite() { shortest_text(*value) } else { double_text(*value) };
                if resp3 { line(out, b',', text.as_bytes()) } else { bulk(out, text.as_bytes()) }
            }
            Self::Decimal(value) => {
                let text = decimal_text(*value);
                if resp3 { line(out, b',', text.as_bytes()) } else { bulk(out, text.as_bytes()) }
            }
            Self::Boolean(value) if resp3 => line(out, b'#', if *value { b"t" } else { b"f" }),
            Self::Boolean(value) => line(out, b':', if *value { b"1" } else { b"0" }),
            Self::Verbatim(format, text) if resp3 => {
                header(out, b'=', text.len() + 4);
                out.extend_from_slice(format);
                out.push(b':');
                out.extend_from_slice(text);
                out.extend_from_slice(b"\r\n");
            }
            Self::Verbatim(_, text) => bulk(out, text),
            Self::BigNumber(text) if resp3 => line(out, b'(', text),
            Self::BigNumber(text) => bulk(out, text),
        }
    }
}

fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.into();
    }
    float_text(value)
}

fn line(out: &mut Vec<u8>, mark: u8, text: &[u8]) {
    out.reserve(text.len() + 3);
    out.push(mark);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn header(out: &mut Vec<u8>, mark: u8, len: usize) {
    if len < 10 {
        // As most are.
        out.extend_from_slice(&[mark, b'0' + len as u8, b'\r', b'\n']);
    } else {
        line(out, mark, write_integer(len as i64, &mut [0; MAX_DECIMAL_LEN]));
    }
}

fn bulk(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + MAX_DECIMAL_LEN);
    header(out, b'$', text.len());
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn sequence(out: &mut Vec<u8>, mark: u8, elements: &[Reply], protocol: Protocol) {
    header(out, mark, elements.len());
    for element in elements {
        element.encode(protocol, out);
    }
}
