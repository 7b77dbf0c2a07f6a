//! An inflater of another make, which also knows where blocks begin.

use inflate_judge::inflate::TINFLStatus;
use inflate_judge::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use inflate_judge::inflate::core::{DecompressorOxide, decompress};

/// The tail that a receiver appends (RFC 7692 section 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

const FLAGS: u32 =
    TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_STOP_ON_BLOCK_BOUNDARY | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;

/// What became of a payload.
#[derive(Debug)]
pub struct Inflation {
    pub data: Vec<u8>,
    pub end: Ending,
    /// Whether there was a block that says it is the last.
    pub has_final_block: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ending {
    Whole,
    /// Inside of a block.
    Cut,
    Corrupt,
    TooBig,
}

/// Inflates the payload of a message up to one byte more than the limit. `window` is what it may refer back to.
pub fn inflate(window: &[u8], payload: &[u8], limit: usize) -> Inflation {
    let input = [payload, &TAIL].concat();
    let mut output = [window, &vec![0; limit + 1]].concat();
    let (mut read, mut written, mut has_final_block) = (0, window.len(), false);
    let mut inflater = DecompressorOxide::new();
    // The bit that the block in progress begins with.
    let mut block = 0;
    // The empty block that the tail belongs to: nothing but its header is the sender's.
    let is_of_the_tail = |block: usize| {
        let bit = |at: usize| input.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        !bit(block + 1) && !bit(block + 2) && (block + 3).div_ceil(8) == payload.len()
    };
    let end = loop {
        // The tail is given when all of the payload has been read: what it makes is none of the message.
        let in_tail = read >= payload.len();
        let end = if in_tail { input.len() } else { payload.len() };
        let (status, more_read, more_written) =
            decompress(&mut inflater, &input[read..end], &mut output, written, FLAGS);
        read += more_read;
        if in_tail && (more_written > 0 || status == TINFLStatus::Failed) {
            break Ending::Cut;
        }
        written += more_written;
        if written > window.len() + limit {
            break Ending::TooBig;
        }
        let whole = if is_of_the_tail(block) { Ending::Whole } else { Ending::Cut };
        match status {
            // RFC 7692 section 7.2.3.4: a final block ends itself, and what follows begins with a byte.
            TINFLStatus::Done => {
                has_final_block = true;
                if read == payload.len() {
                    break Ending::Whole;
                }
                if read == input.len() {
                    break whole;
                }
                inflater = DecompressorOxide::new();
                block = read * 8;
            }
            TINFLStatus::BlockBoundary if read < input.len() => {
                let ahead = inflater.block_boundary_state().map_or(0, |state| usize::from(state.num_bits));
                block = read * 8 - ahead;
            }
            TINFLStatus::NeedsMoreInput if !in_tail => {}
            TINFLStatus::BlockBoundary | TINFLStatus::NeedsMoreInput => break whole,
            _ => break Ending::Corrupt,
        }
    };
    // An empty payload is an empty message.
    let end = if payload.is_empty() { Ending::Whole } else { end };
    Inflation { data: output[window.len()..written].to_vec(), end, has_final_block }
}
