//! What the two sides of a connection do and see, in words that each implementation understands.

use std::fmt;

use serde_json::{Value, json};
use ws_stack::{Message, extensions::Compress};

/// A message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Data {
    Text(&'static str),
    Binary(&'static [u8]),
    /// Text of so many bytes, with characters of one to four bytes; a multiple of 16.
    LongText(usize),
    /// So many bytes.
    LongBinary(usize),
    /// So many bytes that compression does not make fewer.
    Noise(usize),
}

/// A step that a side takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    /// Sends a message in one frame.
    Send(Data),
    /// The same with a hint, whether to compress it.
    Hinted(Data, Compress),
    /// Sends a message in fragments of so many bytes.
    Fragments(Data, usize),
    /// Sends a fragment and leaves the message open.
    Part(Data),
    /// Sends a fragment that ends the message.
    LastPart(Data),
    Ping(&'static str),
    Pong(&'static str),
    /// Waits for one more of a kind.
    Await(Kind),
    /// Receives a message part by part, as it arrives.
    AwaitParts,
    /// Sends so many messages back.
    Echo(usize),
    /// Sends so many messages, and receives as many at the same time.
    Exchange(Data, usize),
    Close(u16, &'static str),
    /// Closes without a code.
    CloseEmpty,
    /// Ends the transport without a Close.
    Terminate,
    /// Sends a frame as it should not be: its first byte and its payload. For peers only.
    Raw(u8, &'static [u8]),
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Message,
    Ping,
    Pong,
}

/// What a side has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sight {
    Message(Data),
    Ping(&'static str),
    Pong(&'static str),
    /// The end: the code and the reason that came, or 1005 or 1006.
    Closed(u16, &'static str),
    /// The end with one of two codes: what answers a Close is not always its code.
    ClosedWithEither([u16; 2]),
    /// The end by a violation with this code: whoever found it failed the connection, and whoever committed it was told.
    Violation(u16),
}

/// The unit that long texts repeat: characters of one to four bytes, 16 bytes in all.
const TEXT_UNIT: &str = "aß水𝄞é水b";

/// From this length on a message is shown by its length, and whether it is what it should be.
const LONG: usize = 1024;

impl Data {
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into(),
            Self::Binary(bytes) => bytes.into(),
            Self::LongText(len) => long(false, len),
            Self::LongBinary(len) => long(true, len),
            Self::Noise(len) => noise(len),
        }
    }

    pub(crate) fn is_binary(self) -> bool {
        matches!(self, Self::Binary(_) | Self::LongBinary(_) | Self::Noise(_))
    }

    /// The message itself.
    pub(crate) fn message(self) -> Result<Message, super::Failure> {
        let bytes = self.bytes();
        Ok(if self.is_binary() { bytes.into() } else { String::from_utf8(bytes)?.into() })
    }

    fn json(self) -> Value {
        match self {
            Self::Text(text) => json!({ "text": text }),
            Self::Binary(bytes) => json!({ "binary": hex(bytes) }),
            Self::LongText(len) => json!({ "long text": len }),
            Self::LongBinary(len) => json!({ "long binary": len }),
            Self::Noise(len) => json!({ "noise": len }),
        }
    }
}

impl Step {
    /// As the peers are told.
    pub(crate) fn json(self) -> Value {
        match self {
            Self::Send(data) => json!(["send", data.json()]),
            Self::Hinted(data, compress) => json!(["send", data.json(), compress != Compress::No]),
            Self::Fragments(data, size) => json!(["fragments", data.json(), size]),
            Self::Part(data) => json!(["part", data.json(), false]),
            Self::LastPart(data) => json!(["part", data.json(), true]),
            Self::Ping(payload) => json!(["ping", payload]),
            Self::Pong(payload) => json!(["pong", payload]),
            Self::Await(Kind::Message) | Self::AwaitParts => json!(["await", "message"]),
            Self::Await(Kind::Ping) => json!(["await", "ping"]),
            Self::Await(Kind::Pong) => json!(["await", "pong"]),
            Self::Echo(count) => json!(["echo", count]),
            Self::Exchange(data, count) => json!(["exchange", data.json(), count]),
            Self::Close(code, reason) => json!(["close", code, reason]),
            Self::CloseEmpty => json!(["close"]),
            Self::Terminate => json!(["terminate"]),
            Self::Raw(first, payload) => json!(["raw", first, hex(payload)]),
        }
    }
}

impl Sight {
    /// Whether this is what one of the sides has noted.
    pub(crate) fn is(self, noted: &str) -> bool {
        match self {
            Self::ClosedWithEither(codes) => codes.into_iter().any(|code| Self::Violation(code).is(noted)),
            // The reason is for people to read.
            Self::Violation(_) => noted.starts_with(&self.to_string()),
            _ => noted == self.to_string(),
        }
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Message(data) => f.write_str(&describe(&data.bytes(), data.is_binary())),
            Self::Ping(payload) => write!(f, "ping {payload}"),
            Self::Pong(payload) => write!(f, "pong {payload}"),
            Self::Closed(code, reason) => write!(f, "closed {code} {reason}"),
            Self::ClosedWithEither([one, other]) => write!(f, "closed {one} or {other}"),
            Self::Violation(code) => write!(f, "closed {code} "),
        }
    }
}

/// A message as both sides note it.
pub(crate) fn describe(bytes: &[u8], is_binary: bool) -> String {
    let kind = if is_binary { "binary" } else { "text" };
    if bytes.len() >= LONG {
        let form = if bytes == long(is_binary, bytes.len()) {
            "long"
        } else if is_binary && bytes == noise(bytes.len()) {
            "noisy"
        } else {
            "broken"
        };
        format!("{form} {kind} {}", bytes.len())
    } else if is_binary {
        format!("binary {}", hex(bytes))
    } else {
        format!("text {}", String::from_utf8_lossy(bytes))
    }
}

/// Repeats a unit; the one for bytes has a length without a factor in common with any buffer's.
fn long(is_binary: bool, len: usize) -> Vec<u8> {
    let unit = if is_binary { (0..251).collect() } else { TEXT_UNIT.as_bytes().to_vec() };
    let mut bytes = unit.repeat(len / unit.len() + 1);
    bytes.truncate(len);
    bytes
}

/// The high bytes of a linear congruential generator.
fn noise(len: usize) -> Vec<u8> {
    let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(1), step).map(|state| state.to_be_bytes()[0]).take(len).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
