//! Frames as plain data, written and read without the codec under test.

use ws_driver::Role;

/// A frame, which need not be a legal one (RFC 6455 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The last of its message.
    pub fin: bool,
    /// The three reserved bits, RSV1 being `0b100`.
    pub rsv: u8,
    /// Four bits.
    pub opcode: u8,
    /// Unmasked.
    pub payload: Vec<u8>,
}

/// The masking key of frames for which it does not matter.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

impl Frame {
    /// A frame with FIN and without reserved bits.
    pub fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self { fin: true, rsv: 0, opcode, payload: payload.as_ref().to_vec() }
    }

    /// A text frame; the payload need not be UTF-8.
    pub fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(1, payload)
    }

    /// A binary frame.
    pub fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(2, payload)
    }

    /// A continuation.
    pub fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0, payload)
    }

    /// A ping.
    pub fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(9, payload)
    }

    /// A pong.
    pub fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(10, payload)
    }

    /// A Close with a code and a reason.
    pub fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(8, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    /// A Close without a payload.
    #[must_use]
    pub fn empty_close() -> Self {
        Self::new(8, b"")
    }

    /// The same without FIN.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    /// The same with these reserved bits.
    #[must_use]
    pub fn with_rsv(mut self, rsv: u8) -> Self {
        self.rsv = rsv;
        self
    }

    /// The code of a Close, if it has one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.payload.first_chunk().map(|code| u16::from_be_bytes(*code))
    }

    /// The bytes that `sender` sends: masked by a client, with a fixed key.
    #[must_use]
    pub fn by(&self, sender: Role) -> Vec<u8> {
        self.bytes(sender.masks().then_some(KEY))
    }

    /// The bytes with or without a mask.
    #[must_use]
    pub fn bytes(&self, key: Option<[u8; 4]>) -> Vec<u8> {
        let mut bytes = Self::header(self.fin, self.rsv, self.opcode, key, self.payload.len() as u64);
        let key = key.unwrap_or_default();
        bytes.extend(self.payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        bytes
    }

    /// A header alone, for payloads that are announced and do not come.
    #[must_use]
    pub fn header(fin: bool, rsv: u8, opcode: u8, key: Option<[u8; 4]>, len: u64) -> Vec<u8> {
        let mask = if key.is_some() { 0x80 } else { 0 };
        let mut bytes = vec![if fin { 0x80 } else { 0 } | rsv << 4 | opcode];
        if len < 126 {
            bytes.push(mask | len.to_be_bytes()[7]);
        } else if len < 65_536 {
            bytes.push(mask | 126);
            bytes.extend_from_slice(&len.to_be_bytes()[6..]);
        } else {
            bytes.push(mask | 127);
            bytes.extend_from_slice(&len.to_be_bytes());
        }
        bytes.extend(key.iter().flatten());
        bytes
    }
}

/// The frames in `bytes`, as `sender` sends them.
///
/// # Panics
/// When they are not whole frames, masked as the sender's role wants it.
#[must_use]
pub fn read_frames(sender: Role, mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (first, second) = (bytes[0], bytes[1]);
        assert_eq!(second & 0x80 != 0, sender.masks(), "a client masks, a server does not");
        let (len, mut at) = match second & 0x7F {
            126 => (usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), 4),
            127 => {
                let len = u64::from_be_bytes(*bytes[2..].first_chunk().expect("eight bytes of length"));
                (usize::try_from(len).expect("fits memory"), 10)
            }
            len => (usize::from(len), 2),
        };
        let mut key = [0; 4];
        if sender.masks() {
            key.copy_from_slice(&bytes[at..at + 4]);
            at += 4;
        }
        let payload =
            bytes[at..at + len].iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
        frames.push(Frame { fin: first & 0x80 != 0, rsv: first >> 4 & 7, opcode: first & 15, payload });
        bytes = &bytes[at + len..];
    }
    frames
}
