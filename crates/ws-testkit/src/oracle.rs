//! What a stream of bytes means, found out slowly.

use ws_driver::Role;

use crate::{End, Seen};

/// What a receiver may be made to hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The longest message.
    pub message: u64,
    /// The longest frame.
    pub frame: u64,
    /// The most fragments of one message.
    pub fragments: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { message: 64 << 20, frame: u64::MAX, fragments: 131_072 }
    }
}

/// A receiver that takes one byte at a time, and asks after each what RFC 6455 says of all bytes of this frame.
///
/// It shares no code with the codec under test, knows no extension, and is slow. What it finds stands in its fields.
#[derive(Debug)]
pub struct Oracle {
    role: Role,
    bounds: Bounds,
    /// What was delivered.
    pub seen: Vec<Seen>,
    /// How the stream has ended.
    pub end: End,
    /// How many bytes were taken until the end was known.
    pub consumed: usize,
    header: Vec<u8>,
    payload: Vec<u8>,
    /// The message in progress: whether it is text, its bytes, its fragments.
    message: Option<(bool, Vec<u8>, usize)>,
}

impl Oracle {
    /// A receiver at the start of a stream.
    #[must_use]
    pub fn new(role: Role, bounds: Bounds) -> Self {
        Self {
            role,
            bounds,
            seen: Vec::new(),
            end: End::Open,
            consumed: 0,
            header: Vec::new(),
            payload: Vec::new(),
            message: None,
        }
    }

    /// What it makes of a whole stream.
    #[must_use]
    pub fn judge(role: Role, bounds: Bounds, stream: &[u8]) -> Self {
        let mut oracle = Self::new(role, bounds);
        for &byte in stream {
            oracle.byte(byte);
        }
        oracle
    }

    /// The code of the Close that the receiver must send; `Some(None)` for an empty one.
    #[must_use]
    pub fn answer(&self) -> Option<Option<u16>> {
        match &self.end {
            End::Close(close) => Some(close.as_ref().map(|(code, _)| *code)),
            End::Failed(code) => Some(Some(*code)),
            _ => None,
        }
    }

    /// Says that the stream has ended.
    pub fn end_of_stream(&mut self) {
        if self.end == End::Open {
            self.end = End::Lost;
        }
    }

    /// Takes the next byte; behind the end it is ignored.
    pub fn byte(&mut self, byte: u8) {
        if self.end != End::Open {
            return;
        }
        self.consumed += 1;
        let in_payload = self.header_is_whole();
        if in_payload {
            let key = self.key();
            self.payload.push(byte ^ key[self.payload.len() % 4]);
        } else {
            self.header.push(byte);
        }
        let verdict = if in_payload { self.judge_payload() } else { self.judge_header() };
        if let Err(code) = verdict {
            self.end = End::Failed(code);
            return;
        }
        if self.header_is_whole() && self.payload.len() as u64 == self.len() {
            if let Err(code) = self.frame() {
                self.end = End::Failed(code);
            }
            self.header.clear();
            self.payload.clear();
        }
    }

    fn bit(&self, byte: usize, bit: u8) -> bool {
        self.header.get(byte).is_some_and(|byte| byte & bit != 0)
    }

    fn opcode(&self) -> u8 {
        self.header.first().map_or(0, |byte| byte & 0x0F)
    }

    fn short_len(&self) -> u8 {
        self.header.get(1).map_or(0, |byte| byte & 0x7F)
    }

    /// How many bytes the extended length has.
    fn extended(&self) -> usize {
        match self.short_len() {
            126 => 2,
            127 => 8,
            _ => 0,
        }
    }

    fn header_is_whole(&self) -> bool {
        let key = if self.bit(1, 0x80) { 4 } else { 0 };
        self.header.len() >= 2 && self.header.len() == 2 + self.extended() + key
    }

    fn len(&self) -> u64 {
        match self.extended() {
            0 => u64::from(self.short_len()),
            n => self.header[2..2 + n].iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        }
    }

    fn key(&self) -> [u8; 4] {
        let mut key = [0; 4];
        if self.bit(1, 0x80) {
            key.copy_from_slice(&self.header[self.header.len() - 4..]);
        }
        key
    }

    /// Whether the header, as far as it is there, can be the start of a legal one.
    fn judge_header(&self) -> Result<(), u16> {
        let (opcode, open) = (self.opcode(), self.message.is_some());
        let bad_start = match opcode {
            0 => !open,
            1 | 2 => open,
            8..=10 => !self.bit(0, 0x80),
            _ => true,
        };
        if self.bit(0, 0x70) || bad_start {
            return Err(1002);
        }
        if self.header.len() == 1 {
            return Ok(());
        }
        let wants_mask = self.role == Role::Server;
        let long_control = opcode >= 8 && self.short_len() > 125;
        let half_a_code = opcode == 8 && self.short_len() == 1;
        if self.bit(1, 0x80) != wants_mask || long_control || half_a_code {
            return Err(1002);
        }
        // Whatever bytes follow, is the length the shortest form, and below 2^63?
        let there: Vec<u8> = self.header[2..].iter().copied().take(self.extended()).collect();
        let mut most = there.clone();
        most.resize(self.extended(), 0xFF);
        let most = most.iter().fold(0u64, |len, byte| len << 8 | u64::from(*byte));
        let too_short = match self.extended() {
            2 => most < 126,
            8 => most < 65_536,
            _ => false,
        };
        if too_short || self.extended() == 8 && there.first().is_some_and(|byte| *byte > 0x7F) {
            return Err(1002);
        }
        if self.header_is_whole() && opcode < 8 { self.judge_len() } else { Ok(()) }
    }

    fn judge_len(&self) -> Result<(), u16> {
        let (before, fragments) =
            self.message.as_ref().map_or((0, 0), |(_, data, fragments)| (data.len(), *fragments));
        if self.len() > self.bounds.frame {
            return Err(1009);
        }
        if fragments > 0 && fragments + 1 > self.bounds.fragments {
            return Err(1008);
        }
        if before as u64 + self.len() > self.bounds.message { Err(1009) } else { Ok(()) }
    }

    /// Whether the payload, as far as it is there, can be the start of a legal one.
    fn judge_payload(&self) -> Result<(), u16> {
        match (self.opcode(), &self.message) {
            (8, _) => {
                if self.payload.len() == 2 {
                    let code = u16::from_be_bytes([self.payload[0], self.payload[1]]);
                    let legal =
                        [1000..1004, 1007..1015, 3000..5000].iter().any(|codes| codes.contains(&code));
                    return if legal { Ok(()) } else { Err(1002) };
                }
                may_begin_text(&[], self.payload.get(2..).unwrap_or_default())
            }
            (1, _) => may_begin_text(&[], &self.payload),
            (0, Some((true, before, _))) => may_begin_text(before, &self.payload),
            _ => Ok(()),
        }
    }

    /// A whole frame is there.
    fn frame(&mut self) -> Result<(), u16> {
        let payload = std::mem::take(&mut self.payload);
        match self.opcode() {
            9 => self.seen.push(Seen::Ping(payload)),
            10 => self.seen.push(Seen::Pong(payload)),
            8 if payload.is_empty() => self.end = End::Close(None),
            8 => {
                let code = u16::from_be_bytes([payload[0], payload[1]]);
                let reason = String::from_utf8(payload[2..].to_vec()).map_err(|_| 1007u16)?;
                self.end = End::close(code, reason);
            }
            opcode => {
                let (text, data, fragments) = self.message.get_or_insert((opcode == 1, Vec::new(), 0));
                data.extend_from_slice(&payload);
                *fragments += 1;
                if self.header[0] & 0x80 != 0 {
                    if *text && std::str::from_utf8(data).is_err() {
                        return Err(1007);
                    }
                    let data = std::mem::take(data);
                    self.seen.push(if *text { Seen::Text(data) } else { Seen::Binary(data) });
                    self.message = None;
                }
            }
        }
        Ok(())
    }
}

/// Whether some text begins with these bytes. All but the last were asked for before, so the end decides.
fn may_begin_text(before: &[u8], payload: &[u8]) -> Result<(), u16> {
    // The character in which the last byte stands begins at most three bytes before it.
    let recent = payload.iter().rev().chain(before.iter().rev()).take(8).copied();
    let mut recent: Vec<u8> = recent.collect();
    recent.reverse();
    // What is cut off in front may have begun a character: skip what continues it.
    let start = if recent.len() < 8 {
        0
    } else {
        recent.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count()
    };
    match std::str::from_utf8(&recent[start..]) {
        Err(error) if error.error_len().is_some() => Err(1007),
        _ => Ok(()),
    }
}
