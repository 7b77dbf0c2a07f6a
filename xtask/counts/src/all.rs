//! The workloads in one list.

use crate::{Case, deflate, encode, handshake, header, mask, parse, prepared, utf8};

/// All cases. One run of a stream is about `stream` bytes: little where instructions are counted, more than the caches
/// hold where time is taken.
///
/// # Errors
/// When the material of a case cannot be made.
pub fn cases(stream: usize) -> anyhow::Result<Vec<Case>> {
    let groups = [
        mask::cases(),
        header::cases(),
        utf8::cases(),
        parse::cases(stream),
        encode::cases(),
        prepared::cases(),
        handshake::cases(),
        deflate::cases()?,
    ];
    Ok(groups.into_iter().flatten().collect())
}
