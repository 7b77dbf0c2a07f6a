//! UTF-8: one whole text, and a text in parts.

use std::hint::black_box;

use ws_endpoint::frame::{Utf8Validator, validate_utf8};

use crate::case::{Case, repeat};
use crate::material::text;

/// How a text in parts is cut: mostly inside a character, when they have more than one byte.
const PART: usize = 1021;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [16, 125, 1 << 10, 16 << 10] {
        let times = (64 << 10) / len;
        for (name, mixed) in [("ascii", false), ("mixed", true)] {
            cases.push(Case::new(format!("utf8/whole/{name}/{len}"), move || {
                let text = text(len, mixed);
                Ok(repeat(times, move || {
                    black_box(validate_utf8(black_box(&text)).is_ok());
                }))
            }));
            if len <= PART {
                continue;
            }
            cases.push(Case::new(format!("utf8/parts/{name}/{len}"), move || {
                let text = text(len, mixed);
                Ok(repeat(times, move || {
                    let mut validator = Utf8Validator::default();
                    for part in text.chunks(PART) {
                        black_box(validator.push(black_box(part)).is_ok());
                    }
                    black_box(validator.finish().is_ok());
                }))
            }));
        }
    }
    cases
}
