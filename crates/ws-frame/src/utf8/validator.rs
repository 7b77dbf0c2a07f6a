//! Text that arrives in parts.

use super::{Fault, Utf8Error, check, is_short_ascii};

/// Checks a text as it arrives, in parts of any length, each byte once.
///
/// A bad byte is found in the call that brings it, also inside a character that was cut: what has been accepted can
/// always be completed to a valid text. So a text message fails as early as it can (RFC 6455 section 8.1).
///
/// ```
/// use ws_frame::{Utf8Error, Utf8Validator};
///
/// let mut text = Utf8Validator::default();
/// text.push(b"price: \xe2\x82").unwrap();
/// assert_eq!(text.pending(), 2);
/// text.push(b"\xac").unwrap();
/// text.finish().unwrap();
///
/// text.reset();
/// text.push(b"\xed").unwrap();
/// assert_eq!(text.push(b"\xa0"), Err(Utf8Error { offset: 1 })); // a surrogate, whatever came next
/// ```
#[derive(Debug, Clone, Default)]
pub struct Utf8Validator {
    /// How many bytes have been accepted; when `failed`, where the first bad byte is.
    position: u64,
    character: Character,
    failed: bool,
}

impl Utf8Validator {
    /// Checks the next part of the text.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] with the offset of the first bad byte. It sticks: all later calls give the same, until
    /// [`reset`](Self::reset).
    #[inline]
    pub fn push(&mut self, part: &[u8]) -> Result<(), Utf8Error> {
        let part = if self.failed || self.character.seen != 0 { self.complete(part)? } else { part };
        if !is_short_ascii(part)
            && let Err(fault) = check(part)
        {
            return self.stop(part, fault);
        }
        self.position += part.len() as u64;
        Ok(())
    }

    /// Checks that the text may end here.
    ///
    /// # Errors
    ///
    /// [`Utf8Error`] when it ends inside a character, with the length of the text as its offset, or when it was bad
    /// before.
    #[inline]
    pub fn finish(&self) -> Result<(), Utf8Error> {
        if self.failed || self.character.seen != 0 { Err(self.error()) } else { Ok(()) }
    }

    /// How many bytes of an incomplete character the text ends with, 0 to 3.
    #[inline]
    #[must_use]
    pub fn pending(&self) -> usize {
        usize::from(self.character.seen)
    }

    /// Begins a new text.
    #[inline]
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Goes on with the character that was cut, and gives what is behind it.
    fn complete<'a>(&mut self, part: &'a [u8]) -> Result<&'a [u8], Utf8Error> {
        if self.failed {
            return Err(self.error());
        }
        let mut rest = part;
        while self.character.seen != 0 {
            let Some((&byte, behind)) = rest.split_first() else { break };
            if !self.character.continues(byte) {
                return Err(self.fail());
            }
            self.position += 1;
            rest = behind;
        }
        Ok(rest)
    }

    /// Ends a part that is no whole text by itself: either bad, or with a character that goes on behind it.
    #[cold]
    fn stop(&mut self, part: &[u8], fault: Fault) -> Result<(), Utf8Error> {
        match fault {
            Fault::Bad { at } => {
                self.position += at as u64;
                Err(self.fail())
            }
            Fault::Incomplete { start } => {
                self.position += part.len() as u64;
                self.character = Character::started(part.get(start..).unwrap_or_default());
                Ok(())
            }
        }
    }

    /// The byte at `position` is bad.
    fn fail(&mut self) -> Utf8Error {
        self.character = Character::default();
        self.failed = true;
        self.error()
    }

    fn error(&self) -> Utf8Error {
        Utf8Error { offset: self.position }
    }
}

/// The incomplete character at the end of what has come, when `seen` is not 0.
#[derive(Debug, Clone, Copy, Default)]
struct Character {
    /// Its bytes so far.
    seen: u8,
    /// Its bytes that are missing.
    missing: u8,
    /// What the next of them may be, from and to.
    next: (u8, u8),
}

impl Character {
    /// The character that starts with these bytes, which are good so far.
    fn started(bytes: &[u8]) -> Self {
        let Some((&lead, others)) = bytes.split_first() else { return Self::default() };
        // The table of well-formed sequences in RFC 3629 section 4: no overlong forms, no surrogates, nothing above
        // U+10FFFF.
        let (len, next) = match lead {
            0xC2..=0xDF => (2, (0x80, 0xBF)),
            0xE0 => (3, (0xA0, 0xBF)),
            0xED => (3, (0x80, 0x9F)),
            0xE1..=0xEF => (3, (0x80, 0xBF)),
            0xF0 => (4, (0x90, 0xBF)),
            0xF1..=0xF3 => (4, (0x80, 0xBF)),
            _ => (4, (0x80, 0x8F)),
        };
        let mut character = Self { seen: 1, missing: len - 1, next };
        for &byte in others {
            character.continues(byte);
        }
        character
    }

    /// Takes the next byte; `false` when it cannot follow.
    fn continues(&mut self, byte: u8) -> bool {
        if byte < self.next.0 || byte > self.next.1 {
            return false;
        }
        self.missing -= 1;
        self.seen = if self.missing == 0 { 0 } else { self.seen + 1 };
        self.next = (0x80, 0xBF);
        true
    }
}
