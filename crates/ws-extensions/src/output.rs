//! Where a codec puts what it makes.

use std::fmt;

use bytes::BytesMut;

use crate::error::ExtensionError;

/// A sink for one message's bytes that ends at the message limit.
///
/// A codec writes slices, or lets something write into room that the sink lends. The write that would pass the limit
/// fails, so an inflater stops there and not when its bomb has gone off. The failure sticks: a codec that ignores it
/// has its message refused all the same.
///
/// ```
/// use bytes::BytesMut;
/// use ws_extensions::Output;
///
/// let mut buf = BytesMut::new();
/// let mut output = Output::new(&mut buf, 8);
/// output.extend_from_slice(b"abc")?;
/// let written = output.write_with(4096, |room| {
///     room[..2].copy_from_slice(b"de");
///     Ok(2)
/// })?;
/// assert_eq!((written, output.remaining()), (2, 3));
/// assert!(output.extend_from_slice(b"too much").is_err());
/// assert_eq!(buf, "abcde");
/// # Ok::<(), ws_extensions::ExtensionError>(())
/// ```
pub struct Output<'a> {
    buf: &'a mut BytesMut,
    limit: usize,
    remaining: usize,
    overflowed: bool,
}

impl<'a> Output<'a> {
    /// A sink that adds at most `limit` bytes to `buf`.
    pub const fn new(buf: &'a mut BytesMut, limit: usize) -> Self {
        Output { buf, limit, remaining: limit, overflowed: false }
    }

    /// A sink for a message of which `before` bytes were made earlier.
    pub(crate) const fn resumed(buf: &'a mut BytesMut, limit: usize, before: usize) -> Self {
        Output { buf, limit, remaining: limit.saturating_sub(before), overflowed: false }
    }

    /// How many bytes may still be written.
    pub const fn remaining(&self) -> usize {
        self.remaining
    }

    /// The limit of the whole message.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Adds these bytes, all or none.
    ///
    /// # Errors
    /// [`Fault::TooBig`](crate::Fault::TooBig) when they pass the limit.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), ExtensionError> {
        self.take(bytes.len())?;
        self.buf.extend_from_slice(bytes);
        Ok(())
    }

    /// Lends zeroed room for `wanted` bytes to `fill`, which says how many of them it has written, and gives that
    /// number.
    ///
    /// The room is shorter near the limit, but never shorter than one byte more than may be kept: that is how a
    /// decoder finds out that there would be more. A few KiB at a time are a good amount to want.
    ///
    /// # Errors
    /// What `fill` fails with, [`Fault::TooBig`](crate::Fault::TooBig) when the limit is passed, and
    /// [`Fault::Internal`](crate::Fault::Internal) when `fill` claims to have written more than it was lent. Nothing
    /// is added then.
    pub fn write_with(
        &mut self,
        wanted: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, ExtensionError>,
    ) -> Result<usize, ExtensionError> {
        let start = self.buf.len();
        let room = wanted.min(self.remaining.saturating_add(1));
        self.buf.resize(start.saturating_add(room), 0);
        let written = fill(self.buf.get_mut(start..).unwrap_or_default()).and_then(|written| {
            if written > room {
                return Err(ExtensionError::internal("claims to have written more than there was room for"));
            }
            self.take(written)?;
            Ok(written)
        });
        self.buf.truncate(start + written.as_ref().map_or(0, |written| *written));
        written
    }

    /// Counts `len` bytes against the limit.
    fn take(&mut self, len: usize) -> Result<(), ExtensionError> {
        match self.remaining.checked_sub(len) {
            Some(remaining) if !self.overflowed => {
                self.remaining = remaining;
                Ok(())
            }
            _ => {
                self.overflowed = true;
                Err(ExtensionError::too_big(self.limit))
            }
        }
    }

    /// The failure that the codec may have ignored.
    pub(crate) const fn check(&self) -> Result<(), ExtensionError> {
        if self.overflowed { Err(ExtensionError::too_big(self.limit)) } else { Ok(()) }
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("limit", &self.limit).field("remaining", &self.remaining).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Fault;

    #[test]
    fn the_limit_may_be_met_but_not_passed() {
        let mut buf = BytesMut::from("before");
        let mut output = Output::resumed(&mut buf, 10, 6);
        output.extend_from_slice(b"1234").unwrap();
        output.extend_from_slice(b"").unwrap();
        assert_eq!(output.check(), Ok(()));
        assert_eq!(output.extend_from_slice(b"5").unwrap_err().fault(), &Fault::TooBig { limit: 10 });
        assert!(output.extend_from_slice(b"").is_err(), "the failure sticks");
        assert!(output.check().is_err());
        assert_eq!(buf, "before1234");
    }

    #[test]
    fn lent_room_ends_one_byte_past_the_limit() {
        let mut buf = BytesMut::new();
        let mut output = Output::new(&mut buf, 5);
        assert_eq!(output.write_with(3, |room| Ok(room.len())), Ok(3));
        assert_eq!(
            output.write_with(100, |room| {
                assert_eq!(room, [0; 3]);
                Ok(2)
            }),
            Ok(2)
        );
        assert_eq!(output.write_with(100, |room| Ok(room.len() - 1)), Ok(0));
        assert!(output.write_with(100, |room| Ok(room.len())).is_err());
        assert_eq!(buf.len(), 5);
    }

    #[test]
    fn a_filler_that_lies_or_fails_adds_nothing() {
        let mut buf = BytesMut::new();
        let mut output = Output::new(&mut buf, 100);
        let lie = output.write_with(10, |_| Ok(11)).unwrap_err();
        assert!(matches!(lie.fault(), Fault::Internal(_)));
        let failure = output.write_with(10, |_| Err(ExtensionError::corrupt("no"))).unwrap_err();
        assert_eq!(failure, ExtensionError::corrupt("no"));
        assert_eq!((output.remaining(), output.limit()), (100, 100));
        assert!(buf.is_empty());
    }
}
