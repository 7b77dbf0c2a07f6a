//! Receiving: a stream of messages through a connection, 64 KiB at a time, and what of that cannot be avoided.

use std::hint::black_box;
use std::time::Instant;

use ws_endpoint::driver::{Config, Connection, Event, Negotiated, Progress, Scratch};
use ws_endpoint::frame::{DataKind, Masker, Role};

use crate::case::{Case, Run};
use crate::material::{binary, frame, text};

/// What a read brings at most.
const READ: usize = 64 << 10;

/// The lengths of the messages.
pub const LENGTHS: [usize; 5] = [16, 125, 1 << 10, 16 << 10, 1 << 20];

/// What the messages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// No text.
    Binary,
    /// Text of ASCII alone.
    Ascii,
    /// Text with characters of up to four bytes.
    Mixed,
}

impl Payload {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Binary, Self::Ascii, Self::Mixed];

    /// Its name among the cases.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ascii",
            Self::Mixed => "mixed",
        }
    }
}

/// Receives the next bytes of a stream, and gives the number of messages that ended in them.
pub type Receive = Box<dyn FnMut(&[u8]) -> usize>;

/// A frame that is a whole message of this length, as the end with this role receives it.
#[must_use]
pub fn message(role: Role, payload: Payload, len: usize) -> Vec<u8> {
    match payload {
        Payload::Binary => frame(role, DataKind::Binary, &binary(len)),
        Payload::Ascii => frame(role, DataKind::Text, &text(len, false)),
        Payload::Mixed => frame(role, DataKind::Text, &text(len, true)),
    }
}

/// Receives by a connection, each rule checked, each message looked at.
#[must_use]
pub fn by_connection(role: Role) -> Receive {
    let mut connection = Connection::new(Config::new(role), Negotiated::default(), Instant::now());
    let mut scratch = Scratch::default();
    Box::new(move |mut rest| {
        let mut messages = 0;
        while !rest.is_empty() {
            connection.attach(&mut scratch);
            let buffer = connection.receiver().buffer();
            let room = buffer.capacity() - buffer.len();
            let (read, behind) = rest.split_at(rest.len().min(room).min(READ));
            buffer.extend_from_slice(read);
            rest = behind;
            while let Progress::Ready = connection.advance() {
                if let Event::Message(message) = connection.event() {
                    black_box(message.as_bytes());
                    messages += 1;
                }
            }
            connection.detach(&mut scratch);
        }
        messages
    })
}

/// Reads the header and unmasks in place, and checks no rule: the floor, under the same reads.
#[must_use]
pub fn by_floor() -> Receive {
    let mut buf: Vec<u8> = Vec::with_capacity(2 * READ);
    Box::new(move |stream| {
        let mut messages = 0;
        for read in stream.chunks(READ) {
            buf.extend_from_slice(read);
            let mut at = 0;
            while let Some((header_len, len)) = bare_header(&buf[at..]) {
                let Some(frame) = buf[at..].get_mut(..header_len + len) else { break };
                let (header, payload) = frame.split_at_mut(header_len);
                if header[1] & 0x80 != 0
                    && let Some(key) = header.last_chunk()
                {
                    unmask(*key, payload);
                }
                black_box(&*payload);
                messages += 1;
                at += header_len + len;
            }
            if at == buf.len() {
                buf.clear();
            } else {
                buf.drain(..at);
            }
        }
        messages
    })
}

/// The lengths of a header and of the payload behind it.
#[inline]
fn bare_header(buf: &[u8]) -> Option<(usize, usize)> {
    let &[_, second, ref rest @ ..] = buf else { return None };
    let key_len = if second & 0x80 == 0 { 0 } else { 4 };
    let (header_len, len) = match second & 0x7F {
        126 => (4, u64::from(u16::from_be_bytes(*rest.first_chunk()?))),
        127 => (10, u64::from_be_bytes(*rest.first_chunk()?)),
        len => (2, u64::from(len)),
    };
    Some((header_len + key_len, usize::try_from(len).ok()?))
}

#[inline]
fn unmask(key: [u8; 4], payload: &mut [u8]) {
    if payload.len() >= 256 {
        return Masker::new(key).apply(payload); // aligned: as quick as masking gets
    }
    let narrow = u32::from_le_bytes(key);
    let wide = u64::from(narrow) << 32 | u64::from(narrow);
    let (chunks, tail) = payload.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_le_bytes(*chunk) ^ wide).to_le_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

pub(crate) fn cases(bytes: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for len in LENGTHS {
        for (name, role) in [("server", Role::Server), ("client", Role::Client)] {
            for payload in Payload::ALL {
                cases.push(Case::new(format!("parse/{name}/{}/{len}", payload.name()), move || {
                    Ok(stream(&message(role, payload, len), bytes, by_connection(role)))
                }));
            }
        }
        cases.push(Case::new(format!("parse/floor/{len}"), move || {
            Ok(stream(&message(Role::Server, Payload::Binary, len), bytes, by_floor()))
        }));
    }
    cases
}

/// About `bytes` bytes of messages, and at least four of them.
fn stream(frame: &[u8], bytes: usize, mut receive: Receive) -> Run {
    let stream = frame.repeat((bytes / frame.len()).max(4));
    Box::new(move || receive(&stream))
}
