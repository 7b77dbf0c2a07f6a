//! Where a codec puts what it makes.

use std::fmt;

use bytes::BytesMut;

use crate::error::ExtensionError;

/// A sink for one message's bytes that ends at the message limit.
///
/// A codec writes slices, or lets something write into room that the sink lends. The write that would pass the limit
/// fails, so an inflater stops there and not when its bomb has gone off. The failure sticks: a codec that ignores it
/// has its message refused all the same. What still fits is kept: whether the message was wrong before it was too long
/// does not depend on how it was cut.
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
/// assert!(output.extend_from_slice(b"fghi").is_err());
/// assert_eq!(buf, "abcdefgh");
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

    /// Adds these bytes.
    ///
    /// # Errors
    /// [`Fault::TooBig`](crate::Fault::TooBig) when they pass the limit. As many as fit are added.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) -> Result<(), ExtensionError> {
        let fitting = self.count(bytes.len());
        self.buf.extend_from_slice(bytes.get(..fitting).unwrap_or_default());
        self.check()
    }

    /// Lends zeroed room for `wanted` bytes to `fill`, which says how many of them it has written, and gives that
    /// number.
    ///
    /// The room is shorter near the limit, but never shorter than one byte more than may be kept: that is how a
    /// decoder finds out that there would be more. A few KiB at a time are a good amount to want.
    ///
    /// # Errors
    /// [`Fault::TooBig`](crate::Fault::TooBig) when the limit is passed; what fits is added. What `fill` fails with, and
    /// [`Fault::Internal`](crate::Fault::Internal) when it claims to have written more than it was lent: nothing is added.
    pub fn write_with(
        &mut self,
        wanted: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, ExtensionError>,
    ) -> Result<usize, ExtensionError> {
        let start = self.buf.len();
        let room = wanted.min(self.remaining.saturating_add(1));
        self.buf.resize(start.saturating_add(room), 0);
        let written = match fill(self.buf.get_mut(start..).unwrap_or_default()) {
            Ok(written) if written > room => {
                Err(ExtensionError::internal("claims to have written more than there was room for"))
            }
            written => written,
        };
        let fitting = written.as_ref().map_or(0, |written| self.count(*written));
        self.buf.truncate(start + fitting);
        self.check()?;
        written
    }

    /// Counts `len` bytes against the limit, and says how many of them may be kept.
    fn count(&mut self, len: usize) -> usize {
        let fitting = if self.overflowed { 0 } else { len.min(self.remaining) };
        self.overflowed |= fitting < len;
        self.remaining -= fitting;
        fitting
    }

    /// The failure, which the codec may have ignored.
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
    fn what_fits_is_kept_of_what_is_too_much() {
        let mut buf = BytesMut::new();
        let mut output = Output::new(&mut buf, 5);
        output.extend_from_slice(b"abc").unwrap();
        assert!(output.extend_from_slice(b"defg").is_err());
        assert!(output.extend_from_slice(b"h").is_err() && output.write_with(1, |_| Ok(1)).is_err());
        assert_eq!(buf, "abcde");

        let mut buf = BytesMut::new();
        let mut output = Output::new(&mut buf, 5);
        let filled = output.write_with(100, |room| {
            room.copy_from_slice(b"abcdef");
            Ok(6)
        });
        assert!(filled.is_err());
        assert_eq!(buf, "abcde");
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
