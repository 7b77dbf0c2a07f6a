//! A transport's calls, one of which fails: to let each fail in turn.

use std::io::ErrorKind;

use ws_driver::Role;

/// A call of a transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Bytes in.
    Read,
    /// Bytes out.
    Write,
    /// Bytes that wait somewhere, out.
    Flush,
    /// The end of what is written.
    Shutdown,
}

/// What becomes of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It gives an error; those behind it are as if nothing had been.
    Error,
    /// It gives an error, and so does every call behind it, whichever it is.
    Broken,
    /// Nothing comes, or is taken: for a read the end of the stream, which stays at its end.
    Nothing,
    /// A single byte is taken: no fault at all, and nothing may come of it.
    Short,
}

/// Which calls fail, and how: what each test of this kind goes through.
pub const FAULTS: [(Call, Fault); 10] = [
    (Call::Read, Fault::Error),
    (Call::Read, Fault::Broken),
    (Call::Read, Fault::Nothing),
    (Call::Write, Fault::Error),
    (Call::Write, Fault::Broken),
    (Call::Write, Fault::Nothing),
    (Call::Write, Fault::Short),
    (Call::Flush, Fault::Error),
    (Call::Flush, Fault::Broken),
    (Call::Shutdown, Fault::Error),
];

/// The calls of one transport, of which one may fail.
///
/// ```
/// use ws_testkit::{Call, Fault, Faults};
///
/// let mut faults = Faults::new(Call::Read, Fault::Error, 1);
/// assert_eq!(faults.strike(Call::Read), None);
/// assert_eq!(faults.strike(Call::Write), None);
/// assert_eq!(faults.strike(Call::Read), Some(Fault::Error));
/// assert_eq!(faults.strike(Call::Read), None);
/// assert!(faults.has_struck());
/// ```
#[derive(Debug, Clone)]
pub struct Faults {
    plan: Option<(Call, Fault)>,
    /// How many calls of its kind come before it.
    before: usize,
    has_struck: bool,
}

impl Faults {
    /// The kind of the errors.
    pub const KIND: ErrorKind = ErrorKind::ConnectionReset;

    /// No call fails.
    #[must_use]
    pub fn none() -> Self {
        Self { plan: None, before: 0, has_struck: false }
    }

    /// No call fails here, but somewhere else: see [`are_planned`](Self::are_planned).
    #[must_use]
    pub fn elsewhere() -> Self {
        Self { before: usize::MAX, ..Self::none() }
    }

    /// Whether a call is to fail, here or at the other side.
    #[must_use]
    pub fn are_planned(&self) -> bool {
        self.plan.is_some() || self.before > 0
    }

    /// Of the calls of this kind, the one with so many before it fails.
    #[must_use]
    pub fn new(call: Call, fault: Fault, before: usize) -> Self {
        Self { plan: Some((call, fault)), before, has_struck: false }
    }

    /// What becomes of this call; `None` when it is made as it is.
    pub fn strike(&mut self, call: Call) -> Option<Fault> {
        let (planned, fault) = self.plan?;
        if self.has_struck {
            let is_at_its_end = (planned, fault) == (Call::Read, Fault::Nothing) && call == planned;
            return (fault == Fault::Broken || is_at_its_end).then_some(fault);
        }
        if planned != call {
            return None;
        }
        if self.before > 0 {
            self.before -= 1;
            return None;
        }
        self.has_struck = true;
        Some(fault)
    }

    /// Whether a call has failed: without it the story went as if there were no faults.
    #[must_use]
    pub fn has_struck(&self) -> bool {
        self.has_struck
    }
}

/// How many whole data messages stand in bytes that `sender` has sent, which may end anywhere. No more than headers is looked
/// at, so that it does not matter how the messages are compressed.
#[must_use]
pub fn whole_messages(sender: Role, mut bytes: &[u8]) -> usize {
    let mut whole = 0;
    while let Some((is_last, len)) = frame(sender, bytes)
        && let Some(behind) = bytes.get(len..)
    {
        whole += usize::from(is_last);
        bytes = behind;
    }
    whole
}

/// Whether the frame ends a data message, and its length with its header.
fn frame(sender: Role, bytes: &[u8]) -> Option<(bool, usize)> {
    let &[first, second] = bytes.first_chunk()?;
    let rest = &bytes[2..];
    let (len, header) = match second & 0x7F {
        126 => (usize::from(u16::from_be_bytes(*rest.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*rest.first_chunk()?)).ok()?, 10),
        len => (usize::from(len), 2),
    };
    let mask = if sender.masks() { 4 } else { 0 };
    Some((first & 0x88 == 0x80, header + mask + len))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;

    #[test]
    fn a_fault_strikes_once_or_stays() {
        use Call::{Flush, Read, Write};
        let strikes = |call, fault| {
            let mut faults = Faults::new(call, fault, 1);
            [Read, Write, Read, Write, Flush, Read].map(|call| faults.strike(call).is_some())
        };
        assert_eq!(strikes(Read, Fault::Error), [false, false, true, false, false, false]);
        assert_eq!(strikes(Read, Fault::Nothing), [false, false, true, false, false, true]);
        assert_eq!(strikes(Read, Fault::Broken), [false, false, true, true, true, true]);
        assert_eq!(strikes(Write, Fault::Nothing), [false, false, false, true, false, false]);
        assert_eq!(strikes(Call::Shutdown, Fault::Error), [false; 6]);
    }

    #[test]
    fn only_messages_that_are_whole_are_counted_wherever_the_bytes_end() {
        let frames = [
            Frame::text("a"),
            Frame::binary(vec![0; 300]).unfinished(),
            Frame::ping("?"),
            Frame::continuation("b"),
        ];
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for frame in &frames {
            bytes.extend(frame.by(Role::Client));
            ends.push(bytes.len());
        }
        for len in 0..=bytes.len() {
            let expected = usize::from(len >= ends[0]) + usize::from(len >= ends[3]);
            assert_eq!(whole_messages(Role::Client, &bytes[..len]), expected, "{len}");
        }
    }
}
