//! Streams of frames, and where in one of them a byte stands. Neither knows the codec under test.

use ws_driver::Role;
use ws_fuzz::Input;

/// The masking key of all frames: no zero, and no byte twice.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// First bytes of frames that may come one after the other; the opcode is in the lower half, FIN in front.
const STARTS: [u8; 14] = [0x81, 0x81, 0x82, 0x01, 0x01, 0x02, 0x00, 0x00, 0x80, 0x80, 0x80, 0x88, 0x89, 0x8A];

/// Codes at which the judgement of a Close changes.
const CODES: [u16; 12] = [999, 1000, 1003, 1004, 1007, 1011, 1014, 1015, 1016, 2999, 3000, 5000];

/// A stream as `sender` sends it: most of it well formed, so that what comes behind is looked at as well.
pub fn stream(sender: Role, input: &mut Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    while !input.is_empty() {
        let kind = input.byte();
        match usize::from(kind % 16) {
            14 => frame(&mut stream, input.byte(), sender, Oddity::read(input), input.data()),
            15 => stream.extend_from_slice(input.data()),
            start => {
                let start = STARTS[start];
                let payload = match start {
                    0x88 => close(kind >> 4, input),
                    _ if kind >> 4 == 15 => input.data().repeat(usize::from(input.byte())),
                    _ => input.data().to_vec(),
                };
                frame(&mut stream, start, sender, Oddity::None, &payload);
            }
        }
    }
    stream
}

/// The payload of a Close: nothing, a code of interest and a reason, or anything.
fn close(kind: u8, input: &mut Input<'_>) -> Vec<u8> {
    match kind {
        0 => Vec::new(),
        1..=11 => [&input.one_of(&CODES).to_be_bytes(), input.data()].concat(),
        _ => input.data().to_vec(),
    }
}

/// What is wrong with a header, beside its first byte.
#[derive(Clone, Copy, PartialEq)]
enum Oddity {
    None,
    /// Masked where it must not be, or not masked.
    Mask,
    /// A length in more bytes than it needs.
    TwoBytes,
    EightBytes,
    /// Another length than that of the payload.
    Announced(u64),
}

impl Oddity {
    fn read(input: &mut Input<'_>) -> Self {
        match input.below(8) {
            0 => Self::Mask,
            1 => Self::TwoBytes,
            2 => Self::EightBytes,
            3 => Self::Announced(input.number()),
            4 => Self::Announced(input.number() & 0xFFFF),
            _ => Self::None,
        }
    }
}

fn frame(stream: &mut Vec<u8>, start: u8, sender: Role, oddity: Oddity, payload: &[u8]) {
    let masks = sender.masks() != (oddity == Oddity::Mask);
    let mask = if masks { 0x80 } else { 0 };
    let len = if let Oddity::Announced(len) = oddity { len } else { payload.len() as u64 };
    stream.push(start);
    match len {
        0..=125 if oddity != Oddity::TwoBytes && oddity != Oddity::EightBytes => {
            stream.push(mask | len as u8);
        }
        0..=0xFFFF if oddity != Oddity::EightBytes => {
            stream.push(mask | 126);
            stream.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            stream.push(mask | 127);
            stream.extend_from_slice(&len.to_be_bytes());
        }
    }
    let key = if masks { KEY } else { [0; 4] };
    if masks {
        stream.extend_from_slice(&key);
    }
    stream.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
}

/// The frame in which some byte of a stream stands, with whatever of it is there.
#[derive(Debug)]
pub struct FrameAt {
    /// Where it begins.
    pub start: usize,
    /// Whether it is text or continues text.
    pub is_text: bool,
}

impl FrameAt {
    /// The frame in which the byte at `at` stands. All frames in front of it are well formed.
    pub fn new(stream: &[u8], at: usize) -> Self {
        let (mut start, mut continues_text) = (0, false);
        loop {
            let header = Header::read(&stream[start..]);
            let is_text = match header.opcode() {
                0 => continues_text,
                opcode => opcode == 1,
            };
            let end = header.whole_len().and_then(|len| start.checked_add(len));
            match end {
                Some(end) if end <= at => {
                    if header.opcode() < 8 {
                        continues_text = is_text;
                    }
                    start = end;
                }
                _ => return Self { start, is_text },
            }
        }
    }

    /// Its header as it stands in the stream.
    pub fn header<'a>(&self, stream: &'a [u8]) -> Header<'a> {
        Header::read(&stream[self.start..])
    }

    /// Appends what is missing of it, of the payload only where it is within the limit.
    pub fn complete(&self, stream: &mut Vec<u8>, limit: usize) {
        while self.header(stream).lacks(limit) {
            stream.push(0);
        }
    }
}

/// A header that need be neither whole nor right, with the payload behind it.
#[derive(Debug, Clone, Copy)]
pub struct Header<'a>(&'a [u8]);

impl<'a> Header<'a> {
    fn read(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_fin(self) -> bool {
        self.0.first().is_some_and(|byte| byte & 0x80 != 0)
    }

    pub fn opcode(self) -> u8 {
        self.0.first().map_or(0, |byte| byte & 0x0F)
    }

    /// How many bytes the extended length has.
    pub fn extended(self) -> usize {
        match self.0.get(1).map(|byte| byte & 0x7F) {
            Some(126) => 2,
            Some(127) => 8,
            _ => 0,
        }
    }

    fn is_masked(self) -> bool {
        self.0.get(1).is_some_and(|byte| byte & 0x80 != 0)
    }

    fn header_len(self) -> usize {
        2 + self.extended() + if self.is_masked() { 4 } else { 0 }
    }

    /// The length of the payload, when that much of the header is there.
    pub fn announced(self) -> Option<u64> {
        let there = self.0.get(..2 + self.extended())?;
        Some(match self.extended() {
            0 => u64::from(there[1] & 0x7F),
            _ => there[2..].iter().fold(0, |len, byte| len << 8 | u64::from(*byte)),
        })
    }

    /// The length of the payload, when all of the header is there.
    pub fn len(self) -> Option<u64> {
        self.announced().filter(|_| self.0.len() >= self.header_len())
    }

    /// The length of the frame, when all of the header is there.
    fn whole_len(self) -> Option<usize> {
        usize::try_from(self.len()?).ok()?.checked_add(self.header_len())
    }

    /// Whether something of the frame is missing, other than a payload beyond the limit.
    fn lacks(self, limit: usize) -> bool {
        match (self.len(), self.whole_len()) {
            (Some(len), Some(whole)) => len <= limit as u64 && self.0.len() < whole,
            (len, _) => len.is_none(),
        }
    }

    /// The payload, unmasked, as far as it is there.
    pub fn payload(self) -> Vec<u8> {
        let header_len = self.header_len();
        let Some(len) = self.len().map(|len| usize::try_from(len).unwrap_or(usize::MAX)) else {
            return Vec::new();
        };
        let payload = &self.0[header_len..];
        let mut key = [0; 4];
        if self.is_masked() {
            key.copy_from_slice(&self.0[header_len - 4..header_len]);
        }
        payload.iter().take(len).zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect()
    }
}
