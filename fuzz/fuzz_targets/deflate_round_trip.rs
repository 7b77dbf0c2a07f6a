//! Two endpoints with any options for compression: they agree or the client says why not, and each reads what the
//! other sends, whole or in parts, with and without the contexts of what came before.
#![no_main]

// The same ways to drive the extension that the tests of the crate use.
#[path = "../../crates/ws-deflate/tests/support/mod.rs"]
mod support;

use libfuzzer_sys::fuzz_target;
use support::{pass, pass_whole, registry};
use ws_deflate::{Level, MemoryLevel, Options, Strategy, Takeover, WindowBits};
use ws_extensions::{Compress, MessageHead, SessionOptions};
use ws_frame::{DataKind, Role, Rsv};
use ws_fuzz::{Cuts, Input};

/// More would be slow: a compressor takes its time, and there are two.
const MESSAGES: usize = 3;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let [ours, theirs] = [options(&mut input), options(&mut input)];
    let offer = registry(ours).offer(&SessionOptions::new(Role::Client, None));
    let mut server = registry(theirs)
        .respond(offer.header(), &SessionOptions::new(Role::Server, None))
        .expect("what we offer is well formed");
    // Our servers grant every limit that our clients ask for.
    let mut client = offer.activate(server.header.as_deref()).expect("what we answer was offered");
    assert_eq!(client.agreed, server.agreed);

    for _ in 0..MESSAGES {
        if input.is_empty() {
            return;
        }
        let bits = input.byte();
        let (sender, receiver) = match bits & 1 {
            0 => (&mut client.outgoing, &mut server.incoming),
            _ => (&mut server.outgoing, &mut client.incoming),
        };
        let hint = [Compress::Default, Compress::Yes, Compress::No][usize::from(bits >> 1) % 3];
        let cuts = Cuts::read(&mut input);
        let message = input.data().repeat(if bits & 0x80 == 0 { 1 } else { 3 });
        let mut parts = cuts.pieces(&message);
        parts.truncate(4);
        let sent = parts.concat();

        let head = MessageHead::new(DataKind::Binary).with_compress(hint);
        let (head, made) = pass(sender, head, &parts).expect("every message can be compressed");
        assert!(hint != Compress::No || (head.rsv, &made.concat()) == (Rsv::NONE, &sent), "{hint:?}");
        let fragments: Vec<_> = made.iter().map(Vec::as_slice).collect();
        assert_eq!(pass_whole(receiver, head, &fragments), Ok(sent));
    }
});

/// Everything that can be chosen.
fn options(input: &mut Input<'_>) -> Options {
    let bits = input.byte();
    let takeover = |bit: u8| if bits >> bit & 1 == 0 { Takeover::Keep } else { Takeover::Reset };
    let window = |bits: usize| WindowBits::new(8 + bits as u8).expect("8 to 15");
    let mut options = Options::new().takeover(takeover(0)).peer_takeover(takeover(1));
    options = options.window_bits(window(input.below(8))).peer_window_bits(window(input.below(8)));
    if bits & 4 != 0 {
        options = options.refuse_window_limit();
    }
    if bits & 8 != 0 {
        options = options.limits_optional();
    }
    if bits & 16 != 0 {
        options = options.defer_from(usize::from(bits));
    }
    let strategies =
        [Strategy::Default, Strategy::Filtered, Strategy::HuffmanOnly, Strategy::Rle, Strategy::Fixed];
    options
        .level(Level::new(input.below(10) as u8).expect("0 to 9"))
        .memory_level(MemoryLevel::new(1 + input.below(9) as u8).expect("1 to 9"))
        .strategy(input.one_of(&strategies))
        .chunk_size(input.below(256) * 8)
        .threshold(input.byte().into())
        .pool_size(1)
}
