//! The values that the compressor is set to, each within its range by construction.

use thiserror::Error;

/// A setting outside its range.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("{setting} must be {least} to {most}, not {value}")]
pub struct OutOfRange {
    setting: &'static str,
    least: u8,
    most: u8,
    value: u8,
}

/// Checks that a value lies in a range, and says which setting it was if it does not.
const fn within(setting: &'static str, value: u8, least: u8, most: u8) -> Result<u8, OutOfRange> {
    if value < least || value > most { Err(OutOfRange { setting, least, most, value }) } else { Ok(value) }
}

/// The size of an LZ77 sliding window, as the base-2 logarithm of its bytes: 8 (256 bytes) to 15 (32 KiB).
///
/// The value of `server_max_window_bits` and `client_max_window_bits` (RFC 7692 section 7.1.2).
///
/// ```
/// use ws_deflate::WindowBits;
///
/// let bits = WindowBits::new(12)?;
/// assert_eq!((bits.bits(), bits.bytes()), (12, 4096));
/// assert!(WindowBits::new(16).is_err());
/// # Ok::<(), ws_deflate::OutOfRange>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WindowBits(u8);

impl WindowBits {
    /// 256 bytes.
    pub const MIN: Self = Self(8);
    /// The least that raw DEFLATE is made with.
    pub(crate) const NINE: Self = Self(9);
    pub(crate) const SUGGESTED: Self = Self(12);
    /// 32 KiB, what an endpoint may use when nothing else was agreed.
    pub const MAX: Self = Self(15);

    /// A window of two to the power of `bits` bytes.
    ///
    /// # Errors
    /// [`OutOfRange`] unless `bits` is 8 to 15.
    pub const fn new(bits: u8) -> Result<Self, OutOfRange> {
        match within("window bits", bits, Self::MIN.0, Self::MAX.0) {
            Ok(bits) => Ok(Self(bits)),
            Err(error) => Err(error),
        }
    }

    /// The logarithm.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The size in bytes.
    pub const fn bytes(self) -> usize {
        1 << self.0
    }

    /// A decimal number without leading zeros, as RFC 7692 section 7.1.2.1 wants it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let bits = text.parse().ok().filter(|_| digits && !text.starts_with('0'))?;
        Self::new(bits).ok()
    }

    /// What the compressor is set to. Raw DEFLATE is not made with 8 bits; with 9 the compressor looks back at most
    /// 250 bytes, for it keeps the longest match of 258 bytes and 4 more away from the end of its window of 512. So
    /// what it makes can be read with a window of 8 bits.
    pub(crate) const fn compressor(self) -> u8 {
        if self.0 < Self::NINE.0 { Self::NINE.0 } else { self.0 }
    }
}

/// How much work goes into finding repetitions: 0 (none, the data is stored) to 9.
///
/// What that means in bytes and time is shown in the table of the [crate's documentation](crate#what-it-costs).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Level(u8);

impl Level {
    /// Level 1: a third of the time of the default, and a quarter more bytes.
    pub const LOW_LATENCY: Self = Self(1);
    /// Level 5: of 16 KiB of JSON it makes 4 % fewer bytes than level 4, in 5 % more time. Level 6 makes 1 to 2 % fewer still, and takes
    /// up to a third longer where contexts are kept.
    pub const DEFAULT: Self = Self(5);
    /// Level 7: above it, more time hardly makes anything smaller.
    pub const SMALLEST: Self = Self(7);

    /// A level.
    ///
    /// # Errors
    /// [`OutOfRange`] when it is above 9.
    pub const fn new(level: u8) -> Result<Self, OutOfRange> {
        match within("the compression level", level, 0, 9) {
            Ok(level) => Ok(Self(level)),
            Err(error) => Err(error),
        }
    }

    /// The number.
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How much a compressor may collect before it closes a block: 1 to 9, 8 by default.
///
/// It costs seven times two to the power of this plus six bytes. Small messages need little of it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MemoryLevel(u8);

impl MemoryLevel {
    pub(crate) const SUGGESTED: Self = Self(5);
    /// Level 8.
    pub const DEFAULT: Self = Self(8);

    /// A memory level.
    ///
    /// # Errors
    /// [`OutOfRange`] unless it is 1 to 9.
    pub const fn new(level: u8) -> Result<Self, OutOfRange> {
        match within("the memory level", level, 1, 9) {
            Ok(level) => Ok(Self(level)),
            Err(error) => Err(error),
        }
    }

    /// The number.
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for MemoryLevel {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What kind of data the compressor is to expect. Any of them can be read by any peer.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// Text and most else.
    #[default]
    Default,
    /// Small values with a random spread, such as samples of a filter: fewer repetitions, more Huffman coding.
    Filtered,
    /// Huffman coding alone.
    HuffmanOnly,
    /// Repetitions of the same byte only.
    Rle,
    /// The fixed Huffman codes of RFC 1951 section 3.2.6: never better, but sooner done with small messages.
    Fixed,
}

/// Whether the window is kept from one message to the next (RFC 7692 section 7.1.1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Takeover {
    /// A message may refer back to the ones before it: smaller messages, memory held for as long as the connection
    /// is open.
    Keep,
    /// Each message stands for itself, and a connection holds memory only while it is at work on one.
    Reset,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_has_its_range() {
        for value in 0..=u8::MAX {
            assert_eq!(WindowBits::new(value).is_ok(), (8..=15).contains(&value));
            assert_eq!(Level::new(value).is_ok(), value <= 9);
            assert_eq!(MemoryLevel::new(value).is_ok(), (1..=9).contains(&value));
        }
        let error = WindowBits::new(16).unwrap_err().to_string();
        assert_eq!(error, "window bits must be 8 to 15, not 16");
    }

    #[test]
    fn the_defaults_are_those_of_the_options() {
        assert_eq!((Level::default(), MemoryLevel::default()), (Level::DEFAULT, MemoryLevel::DEFAULT));
        assert_eq!((Level::default().level(), MemoryLevel::default().level()), (5, 8));
    }

    #[test]
    fn window_bits_are_plain_decimals() {
        for bits in 8..=15u8 {
            assert_eq!(WindowBits::read(&bits.to_string()), WindowBits::new(bits).ok());
        }
        for bad in
            ["", "0", "7", "16", "08", "010", "1e1", "0xA", "+9", "-9", " 9", "9 ", "9.0", "256", "264"]
        {
            assert_eq!(WindowBits::read(bad), None, "{bad:?}");
        }
    }
}
