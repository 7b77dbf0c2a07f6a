//! Any bytes as compressed messages, one after the other: what comes out, or what is wrong, is the same whole, in
//! parts, byte by byte and deferred, and what an inflater of another make says; memory ends at the message limit.
#![no_main]

// The same ways to drive the extension, and the same oracle, that the tests of the crate use.
#[path = "../../crates/ws-deflate/tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use support::{COMPRESSED, decompress, oracle, pass_whole, server};
use ws_deflate::{Options, Takeover};
use ws_extensions::Fault;
use ws_fuzz::{Cuts, Input, Meter};

/// The oracle reads messages up to this length: it is slow.
const SHORT: usize = 40;

/// Messages up to this length are fed byte by byte too.
const NOT_LONG: usize = 256;

/// What the extension holds beside the message: an inflater with its window, what is remembered of it, the room of a
/// step.
const BESIDE: usize = (48 + 2 * 32 + 2 * 16) * 1024;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let bits = input.byte();
    let keep = bits & 1 != 0;
    let mut options = Options::new();
    if keep {
        options = options.takeover(Takeover::Keep).peer_takeover(Takeover::Keep);
    }
    let limit = [0, 7, 300, 4096][usize::from(bits >> 1 & 3)];
    let connect = |options| server("permessage-deflate", options, Some(limit)).incoming;
    let (mut whole, mut cut) = (connect(options), connect(options.chunk_size(usize::from(bits) * 4)));
    let (mut bytes, mut deferred) = (connect(options), connect(options.defer_from(0)));
    let mut window = Vec::new();
    let messages = usize::from(bits >> 6);
    for at in 0..=messages {
        let cuts = Cuts::read(&mut input);
        let payload = if at == messages { input.rest() } else { input.data() };

        let before = Meter::start();
        let expected = decompress(&mut whole, payload);
        let held = Meter::peak() - before;
        assert!(held <= 4 * limit + payload.len() + BESIDE, "{held} bytes are held for a limit of {limit}");
        assert!(expected.as_ref().is_ok_and(|data| data.len() <= limit) || expected.is_err());

        assert_eq!(pass_whole(&mut cut, COMPRESSED, &cuts.pieces(payload)), expected);
        assert_eq!(decompress(&mut deferred, payload), expected);
        if payload.len() <= NOT_LONG {
            let pieces: Vec<_> = payload.chunks(1).chain([&[][..]]).collect();
            assert_eq!(pass_whole(&mut bytes, COMPRESSED, &pieces), expected);
        } else {
            let _the_same_context = decompress(&mut bytes, payload);
        }
        let known = window.len();
        let too_big = matches!(&expected, Err(error) if matches!(error.fault(), Fault::TooBig { .. }));
        if !too_big && payload.len() <= SHORT {
            let inflated = match payload {
                [] => Some(window.clone()),
                _ => oracle::inflate(&window, payload).map(|inflated| inflated.data),
            };
            let data = inflated.as_ref().map(|data| &data[known..]);
            assert_eq!(expected.as_deref().ok(), data, "{payload:x?}");
        }
        match expected {
            Ok(data) if keep => window.extend_from_slice(&data),
            Ok(_) => {}
            Err(_) => return,
        }
    }
});
