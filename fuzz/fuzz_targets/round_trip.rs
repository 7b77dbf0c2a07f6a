//! What one side sends, whole or in parts, in frames of any length, the other reads: in any cutting, whole or in
//! parts. The oracle reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_driver::{CloseCode, Config, Delivery, MaskSource, Role};
use ws_fuzz::{Cuts, Input};
use ws_testkit::{Bounds, End, Endpoint, Oracle, Rng, Seen};

/// The oracle reads streams up to this length: it is slow.
const SHORT: usize = 512;

/// Lengths at which headers and ways of copying change.
const LENGTHS: [usize; 8] = [125, 126, 127, 4095, 4096, 16_384, 65_535, 65_536];

/// With frames shorter than this a long message would be many, and slow.
const LONG_FRAME: usize = 200;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let bits = input.byte();
    let (from, to) = if bits & 1 == 0 { (Role::Client, Role::Server) } else { (Role::Server, Role::Client) };
    let mut config = Config::new(from);
    if bits & 2 != 0 {
        config.limits.max_sent_frame_len = usize::from(input.byte());
    }
    let mut may_be_long = config.limits.max_sent_frame_len >= LONG_FRAME;
    let mut keys = Rng::new(input.number());
    let mut choices = keys.clone();
    config.mask_source =
        MaskSource::custom(move || keys.next_u64().to_be_bytes()[..4].try_into().unwrap_or_default());
    let mut sender = Endpoint::with(config);
    let mut config = Config::new(to);
    config.delivery = if bits & 4 == 0 { Delivery::Whole } else { Delivery::Parts };
    let mut receiver = Endpoint::with(config);

    let cuts = Cuts::read(&mut input);
    let mut sent = Vec::new();
    while !input.is_empty() {
        let message = message(&mut input, &mut may_be_long);
        sender.send(&message, &mut choices);
        sent.push(message);
    }
    let reason = "the end of what there is to say";
    sender.connection.sender().close(CloseCode::NORMAL, reason).expect("the reason is short");
    let wire = sender.write();
    for piece in cuts.pieces(&wire) {
        let _progress = receiver.read(piece);
    }
    assert_eq!(receiver.seen, sent);
    assert_eq!(receiver.end(), End::close(1000, reason));
    if wire.len() <= SHORT {
        let oracle = Oracle::judge(to, Bounds::default(), &wire);
        assert_eq!((oracle.seen, oracle.end, oracle.consumed), (sent, End::close(1000, reason), wire.len()));
    }

    // And the answer goes back.
    let _progress = sender.read(&receiver.write());
    let [ours, theirs] = [&sender, &receiver].map(|endpoint| endpoint.connection.closed());
    assert!(ours.is_some_and(|closed| closed.is_clean() && closed.code == 1000));
    assert!(theirs.is_some_and(|closed| closed.is_clean() && closed.code == 1000));
});

/// The next message. One of them may be long.
fn message(input: &mut Input<'_>, may_be_long: &mut bool) -> Seen {
    let bits = input.byte();
    let mut text = input.text();
    if bits & 0x1C == 0x1C && std::mem::take(may_be_long) {
        let len = input.one_of(&LENGTHS);
        text.push_str(&"x".repeat(len.saturating_sub(text.len())));
    }
    match bits & 3 {
        0 => Seen::text(text),
        1 => Seen::binary(text),
        control => {
            let data = &text.as_bytes()[..text.len().min(125)];
            if control == 2 { Seen::ping(data) } else { Seen::pong(data) }
        }
    }
}
