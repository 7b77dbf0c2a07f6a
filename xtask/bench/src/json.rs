//! Messages that compress as what applications send does: records with the same names in each, and values that differ.

use std::fmt::Write as _;

use crate::random::Random;

const KINDS: [&str; 6] = ["trade", "quote", "order", "cancel", "status", "heartbeat"];
const SYMBOLS: [&str; 8] = ["ACME", "GLOBEX", "INITECH", "UMBRELLA", "HOOLI", "STARK", "WAYNE", "TYRELL"];
const NOTES: [&str; 6] = [
    "filled at the best price",
    "waiting for the other side",
    "partly filled, the rest stands",
    "taken back by its owner",
    "outside of the opening hours",
    "limit reached",
];

/// A message of exactly `size` bytes: records in an array, cut off where it is full.
pub(crate) fn message(size: usize, random: &mut Random) -> Vec<u8> {
    let mut text = String::from("[");
    while text.len() < size {
        record(&mut text, random);
    }
    text.truncate(size);
    text.into_bytes()
}

/// Appends one record. All of it is ASCII, so that it can be cut anywhere.
fn record(out: &mut String, random: &mut Random) {
    let mut below = |most: u64| random.next() % most;
    // Writing to a string does not fail.
    let _ = write!(
        out,
        r#"{{"id":{},"kind":"{}","symbol":"{}","price":{}.{:02},"size":{},"at":"2026-03-{:02}T{:02}:{:02}:{:02}.{:03}Z","by":"{:08x}","note":"{}"}},"#,
        below(10_000_000),
        KINDS[below(KINDS.len() as u64) as usize],
        SYMBOLS[below(SYMBOLS.len() as u64) as usize],
        below(1000),
        below(100),
        below(50) * 100,
        below(28) + 1,
        below(24),
        below(60),
        below(60),
        below(1000),
        below(1 << 32),
        NOTES[below(NOTES.len() as u64) as usize],
    );
}

#[cfg(test)]
mod tests {
    use super::{Random, message};

    #[test]
    fn messages_have_their_length_and_differ() {
        let mut random = Random::new();
        for size in [1, 100, 1024, 16 << 10] {
            let (first, second) = (message(size, &mut random), message(size, &mut random));
            assert_eq!((first.len(), second.len()), (size, size));
            assert!(first.is_ascii() && (size == 1 || first != second));
        }
    }
}
