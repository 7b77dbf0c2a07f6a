//! The three reserved bits of a frame.

use core::fmt;
use core::ops::{BitOr, BitOrAssign};

/// A set of the reserved bits RSV1, RSV2 and RSV3 (RFC 6455 section 5.2).
///
/// They belong to extensions: a bit that no negotiated extension owns must be zero.
///
/// ```
/// use ws_frame::Rsv;
///
/// let owned = Rsv::RSV1 | Rsv::RSV3;
/// assert!(owned.contains(Rsv::RSV1));
/// assert!(!owned.intersects(Rsv::RSV2));
/// assert!(Rsv::default().is_empty());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rsv(u8);

impl Rsv {
    /// No bit.
    pub const NONE: Self = Self(0);
    /// The first bit, the one of permessage-deflate (RFC 7692 section 6).
    pub const RSV1: Self = Self(0b100);
    /// The second bit.
    pub const RSV2: Self = Self(0b010);
    /// The third bit.
    pub const RSV3: Self = Self(0b001);

    const ALL: u8 = 0b111;

    /// The set with these bits, RSV1 being `0b100`; `None` when there are others among them.
    #[inline]
    #[must_use]
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !Self::ALL == 0 { Some(Self(bits)) } else { None }
    }

    /// The bits of a frame's first byte.
    #[inline]
    pub(crate) const fn from_first_byte(byte: u8) -> Self {
        Self((byte >> 4) & Self::ALL)
    }

    /// The bits, in the order of the wire: RSV1 is `0b100`, RSV3 is `0b001`.
    #[inline]
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all bits of `other` are in this set.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether at least one bit is in both sets.
    #[inline]
    #[must_use]
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether no bit is in the set.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits of this set that are not in `other`.
    #[inline]
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl BitOr for Rsv {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Rsv {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The names of the bits, as in `RSV1 | RSV3`, or `none`.
impl fmt::Display for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (bit, name) in [(Self::RSV1, "RSV1"), (Self::RSV2, "RSV2"), (Self::RSV3, "RSV3")] {
            if self.contains(bit) {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        if self.is_empty() { f.write_str("none") } else { Ok(()) }
    }
}

impl fmt::Debug for Rsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rsv({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_bits_takes_three_bits() {
        for bits in 0..=u8::MAX {
            assert_eq!(Rsv::from_bits(bits).map(Rsv::bits), (bits < 8).then_some(bits));
        }
    }

    #[test]
    fn sets_behave_as_sets() {
        for a in (0..8).map(Rsv) {
            for b in (0..8).map(Rsv) {
                let bits = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3];
                let has = |set: Rsv, bit: Rsv| set.bits() & bit.bits() != 0;
                assert_eq!(a.contains(b), bits.iter().all(|&bit| !has(b, bit) || has(a, bit)));
                assert_eq!(a.intersects(b), bits.iter().any(|&bit| has(a, bit) && has(b, bit)));
                assert_eq!(a.is_empty(), !bits.iter().any(|&bit| has(a, bit)));
                for bit in bits {
                    assert_eq!(has(a | b, bit), has(a, bit) || has(b, bit));
                    assert_eq!(has(a.without(b), bit), has(a, bit) && !has(b, bit));
                }
                let mut joined = a;
                joined |= b;
                assert_eq!(joined, a | b);
            }
        }
    }

    #[test]
    fn display_names_the_bits() {
        assert_eq!(format!("{}", Rsv::NONE), "none");
        assert_eq!(format!("{}", Rsv::RSV2), "RSV2");
        assert_eq!(format!("{:?}", Rsv::RSV1 | Rsv::RSV3), "Rsv(RSV1 | RSV3)");
    }
}
