//! Messages in frames, most of them compressed, some of them wrong.

use std::cell::RefCell;

use inflate_judge::DataFormat;
use inflate_judge::deflate::core::{CompressorOxide, TDEFLFlush, compress};
use ws_fuzz::Input;
use ws_testkit::Frame;

/// RSV1, which says that a message is compressed (RFC 7692 section 6).
pub const RSV1: u8 = 0b100;

/// More messages find nothing that fewer do not.
const MESSAGES: usize = 8;

/// The longest data that is compressed.
const LONGEST: usize = 8192;

/// The tail that a sender leaves out (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

thread_local! {
    /// Made once: there is much of it.
    static COMPRESSOR: RefCell<Box<CompressorOxide>> = RefCell::default();
}

/// A message in its frames.
#[derive(Debug)]
pub struct Message {
    pub frames: Vec<Frame>,
}

/// The messages that an input asks for. Where contexts are kept, the sender of most of them keeps its own.
pub fn messages(keeps: bool, input: &mut Input<'_>) -> Vec<Message> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        let mut fresh = false;
        let level = input.below(10) as u8;
        let mut messages = Vec::new();
        while !input.is_empty() && messages.len() < MESSAGES {
            let kind = input.byte();
            let (mut rsv, mut payload) = (RSV1, data(kind, input));
            match kind & 7 {
                0 => rsv = 0,
                1 => {}
                way => {
                    if !fresh || !keeps {
                        compressor.reset();
                        compressor.set_format_and_level(DataFormat::Raw, level);
                        fresh = true;
                    }
                    let last = way == 2;
                    let flush = if last { TDEFLFlush::Finish } else { TDEFLFlush::Sync };
                    payload = deflate(compressor, &payload, flush);
                    if last {
                        // RFC 7692 section 7.2.3.4: a byte of zeros begins the block that the tail ends.
                        payload.extend((kind >> 5 & 1 != 0).then_some(0));
                        fresh = false;
                    }
                    if way == 3 && !payload.is_empty() {
                        let at = usize::from(input.byte()) % payload.len();
                        payload[at] ^= input.byte();
                    }
                }
            }
            messages.push(Message { frames: frames(kind, rsv, &payload, input) });
        }
        messages
    })
}

/// What is in a message, or what stands for compressed data.
fn data(kind: u8, input: &mut Input<'_>) -> Vec<u8> {
    let mut data = if kind >> 4 & 1 == 0 { input.data().to_vec() } else { input.text().into_bytes() };
    if kind >> 6 == 3 {
        data = data.repeat(input.byte().into());
        data.truncate(LONGEST);
    }
    data
}

fn deflate(compressor: &mut CompressorOxide, data: &[u8], flush: TDEFLFlush) -> Vec<u8> {
    let mut payload = vec![0; data.len() + data.len() / 8 + 256];
    let (_, read, written) = compress(compressor, data, &mut payload, flush);
    assert_eq!(read, data.len(), "there is room for all of it");
    payload.truncate(written);
    if flush == TDEFLFlush::Sync && payload.ends_with(&TAIL) {
        payload.truncate(written - TAIL.len());
    }
    payload
}

/// Cuts a payload into frames, and sets a reserved bit where none may be, now and then.
fn frames(kind: u8, rsv: u8, payload: &[u8], input: &mut Input<'_>) -> Vec<Frame> {
    let first = if kind >> 3 & 1 == 0 { 2 } else { 1 };
    let (mut frames, mut rest) = (Vec::new(), payload);
    let bits = input.byte();
    for _ in 0..bits & 3 {
        let (part, behind) = rest.split_at(usize::from(input.byte()).min(rest.len()));
        frames.push(Frame::continuation(part).unfinished());
        rest = behind;
    }
    frames.push(Frame::continuation(rest));
    frames[0].opcode = first;
    frames[0].rsv = rsv;
    if bits >> 2 == 63 {
        let at = usize::from(input.byte());
        let count = frames.len();
        frames[at % count].rsv ^= if at < 128 { 0b010 } else { RSV1 };
    }
    frames
}
