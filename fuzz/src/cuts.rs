//! How a stream is cut into reads.

use crate::Input;

/// The lengths of all pieces but the last.
#[derive(Debug)]
pub struct Cuts(Vec<usize>);

/// The most cuts that an input asks for.
const MOST: usize = 16;

impl Cuts {
    /// One byte says how many, one each how long.
    pub fn read(input: &mut Input<'_>) -> Self {
        let count = input.below(MOST + 1);
        Self((0..count).map(|_| input.byte().into()).collect())
    }

    /// The pieces of `stream`, some of them maybe empty.
    pub fn pieces<'a>(&self, stream: &'a [u8]) -> Vec<&'a [u8]> {
        let mut rest = stream;
        let mut pieces = Vec::with_capacity(self.0.len() + 1);
        for &len in &self.0 {
            let (piece, behind) = rest.split_at(len.min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        pieces.push(rest);
        pieces
    }
}
