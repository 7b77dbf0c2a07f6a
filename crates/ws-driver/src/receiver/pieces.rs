//! A long message while extensions make it.

use std::mem;

use bytes::BytesMut;

/// From this length on what was made is laid aside.
const PIECE: usize = 256 * 1024;

/// What a new buffer has room for beyond a piece, so that an extension that wants room for a chunk does not have it moved.
const CHUNK: usize = 16 * 1024;

/// What was made of a message so far, in pieces of their own length, until the message is whole.
///
/// One buffer for all of it would be made twice as long time and again. While it is moved there are two, most of the larger
/// one is not used yet, and what other connections allocate meanwhile keeps the places that it has left from being joined: a
/// message at its limit takes that limit two or three times over. Pieces take what they hold. A message that is too long,
/// as a bomb is, is never joined at all, and its pieces fit the next one.
#[derive(Debug, Default)]
pub(super) struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    /// Whether none was laid aside: the message is short, or just begins.
    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Lays aside what was made, if it is enough for a piece. Says whether it was.
    #[inline]
    pub(super) fn lay_aside(&mut self, made: &mut BytesMut) -> bool {
        let enough = made.len() >= PIECE;
        if enough {
            self.push(made);
        }
        enough
    }

    #[inline(never)]
    fn push(&mut self, made: &mut BytesMut) {
        let mut piece = Vec::from(mem::replace(made, BytesMut::with_capacity(PIECE + CHUNK)));
        piece.shrink_to_fit();
        self.0.push(piece);
    }

    /// Puts all pieces before what was made last, in memory of just that length. Each piece is let go of as soon as it is
    /// copied. Says how many bytes that were.
    #[inline]
    pub(super) fn join(&mut self, made: &mut BytesMut) -> usize {
        if self.is_empty() { 0 } else { self.join_some(made) }
    }

    #[inline(never)]
    fn join_some(&mut self, made: &mut BytesMut) -> usize {
        let pieces = mem::take(&mut self.0);
        let len = pieces.iter().map(Vec::len).sum();
        let mut joined = BytesMut::with_capacity(made.len().saturating_add(len));
        for piece in pieces {
            joined.extend_from_slice(&piece);
        }
        joined.extend_from_slice(made);
        *made = joined;
        len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_their_own_length_and_are_joined_in_order() {
        let (mut pieces, mut made, mut all) = (Pieces::default(), BytesMut::new(), Vec::new());
        for (number, len) in [1, PIECE - 2, 1, PIECE - 1, 1, 3 * PIECE, 5].into_iter().enumerate() {
            let bytes = vec![u8::try_from(number).unwrap(); len];
            made.extend_from_slice(&bytes);
            all.extend(bytes);
            let enough = made.len() >= PIECE;
            assert_eq!(pieces.lay_aside(&mut made), enough, "{len}");
            assert!(!enough || made.is_empty() && made.capacity() >= PIECE);
        }
        assert_eq!(pieces.0.iter().map(Vec::len).collect::<Vec<_>>(), [PIECE, PIECE, 3 * PIECE]);
        assert!(pieces.0.iter().all(|piece| piece.capacity() == piece.len()));
        assert_eq!(pieces.join(&mut made), 5 * PIECE);
        assert_eq!((&made[..], made.capacity()), (&all[..], all.len()));
        assert!(pieces.is_empty());
    }

    #[test]
    fn a_short_message_is_left_where_it_is() {
        let (mut pieces, mut made) = (Pieces::default(), BytesMut::zeroed(PIECE - 1));
        let place = made.as_ptr();
        assert!(!pieces.lay_aside(&mut made));
        assert_eq!((pieces.join(&mut made), made.len(), made.as_ptr()), (0, PIECE - 1, place));
    }
}
