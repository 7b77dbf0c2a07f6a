//! Masking: in place, and on the way into another buffer.

use std::hint::black_box;

use ws_endpoint::frame::Masker;

use crate::case::{Case, repeat};
use crate::material::{KEY, binary};

/// Where a payload starts in its buffer: behind the header of a masked frame, and so at no aligned address.
const START: usize = 6;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [16, 125, 1 << 10, 16 << 10, 1 << 20] {
        let times = (64 << 10) / len + 1;
        cases.push(Case::new(format!("mask/in-place/{len}"), move || {
            let mut buf = binary(START + len);
            Ok(repeat(times, move || {
                Masker::new(black_box(KEY)).apply(black_box(&mut buf[START..]));
            }))
        }));
        cases.push(Case::new(format!("mask/copy/{len}"), move || {
            let (from, mut to) = (binary(len), vec![0; START + len]);
            Ok(repeat(times, move || {
                Masker::new(black_box(KEY)).copy(black_box(&from), black_box(&mut to[START..]));
            }))
        }));
    }
    cases
}
