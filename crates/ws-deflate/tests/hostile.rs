//! A peer that sends what it should not: bounded, the same for every cutting, never a panic.

mod support;

use proptest::prelude::*;
use support::{
    COMPRESSED, compress, connect, connect_limited, cut, decompress, noise, oracle, pass, pass_whole,
    plain_server, prose, server,
};
use ws_deflate::{Options, Takeover};
use ws_extensions::{Fault, Route};
use ws_frame::CloseCode;

const LIMIT: usize = 100_000;

fn keeping() -> Options {
    Options::new().takeover(Takeover::Keep).peer_takeover(Takeover::Keep)
}

/// As small as DEFLATE gets: a thousand times its size, and then a thousand times that.
fn bomb(len: usize) -> Vec<u8> {
    let (mut client, ..) = connect(keeping(), keeping());
    compress(&mut client.outgoing, &vec![0; len])
}

#[test]
fn a_bomb_goes_off_within_one_step() {
    let payload = bomb(64 << 20);
    assert!(payload.len() < 70_000);
    for options in [keeping(), Options::new(), keeping().chunk_size(64), keeping().defer_from(10)] {
        let mut server = server("permessage-deflate", options, Some(LIMIT));
        let error = decompress(&mut server.incoming, &payload).unwrap_err();
        assert_eq!(
            (error.fault(), error.close_code()),
            (&Fault::TooBig { limit: LIMIT }, CloseCode::TOO_BIG)
        );
        // A byte at a time, what was made is never more than the limit.
        let mut server = support::server("permessage-deflate", options, Some(LIMIT));
        assert_eq!(server.incoming.begin(COMPRESSED, None), Route::Queued);
        let mut made = 0;
        for byte in payload.chunks(1) {
            server.incoming.push(byte, false);
            match server.incoming.front() {
                Some(front) => made += front.data.split().len(),
                None => break,
            }
            assert!(made <= LIMIT);
        }
        assert_eq!(server.incoming.failure().unwrap().fault(), &Fault::TooBig { limit: LIMIT });
        assert!(made + 16 * 1024 + 1_100 > LIMIT, "stopped early: {made} bytes");
    }
}

#[test]
fn a_bomb_that_is_fed_by_the_context_goes_off_too() {
    let (mut client, mut server, _) = connect_limited(keeping(), keeping(), Some(LIMIT));
    let first = compress(&mut client.outgoing, &vec![b'x'; LIMIT]);
    assert_eq!(decompress(&mut server.incoming, &first).unwrap().len(), LIMIT);
    let second = compress(&mut client.outgoing, &vec![b'x'; 10 * LIMIT]);
    assert!(second.len() < 2_000);
    assert_eq!(decompress(&mut server.incoming, &second).unwrap_err().close_code(), CloseCode::TOO_BIG);
}

#[test]
fn the_limit_is_met_but_not_passed() {
    for chunk in [64, 1_000, 16_384, 1 << 20] {
        for len in [0, 1, 63, 64, 65, 4_096, 100_000] {
            let options = keeping().chunk_size(chunk);
            let (mut client, mut server, _) = connect_limited(keeping(), options, Some(len));
            for _ in 0..2 {
                let payload = compress(&mut client.outgoing, &prose(len as u64, len));
                assert_eq!(decompress(&mut server.incoming, &payload).unwrap().len(), len);
            }
            let payload = compress(&mut client.outgoing, &prose(len as u64, len + 1));
            let error = decompress(&mut server.incoming, &payload).unwrap_err();
            assert_eq!(error.fault(), &Fault::TooBig { limit: len }, "steps of {chunk}");
        }
    }
}

#[test]
fn a_limit_on_what_is_sent_holds_to_the_byte() {
    let text = noise(1, 300);
    let exact = compress(&mut connect(Options::new(), Options::new()).0.outgoing, &text);
    for limit in 0..exact.len() + 80 {
        let mut client = connect(Options::new(), Options::new()).0;
        client.outgoing.set_max_message_len(Some(limit));
        let head = COMPRESSED.with_rsv(ws_frame::Rsv::NONE).with_compress(ws_extensions::Compress::Yes);
        let made = pass(&mut client.outgoing, head, &[&text]);
        match made {
            Ok((_, made)) => assert!(limit >= exact.len() && made.concat() == exact),
            Err(error) => {
                assert_eq!(error.fault(), &Fault::TooBig { limit });
                assert!(limit < exact.len());
            }
        }
    }
}

#[test]
fn blocks_without_contents_cost_what_they_are_long() {
    // Final blocks without data, each of which begins the stream again, with a full window to remember.
    let mut server = plain_server("permessage-deflate");
    let full = compress(&mut connect(keeping(), keeping()).0.outgoing, &noise(3, 40_000));
    assert_eq!(decompress(&mut server.incoming, &full).unwrap(), noise(3, 40_000));
    let blocks = [0x03, 0x00].repeat(5_000);
    assert_eq!(decompress(&mut server.incoming, &blocks).unwrap(), b"");
    // Stored blocks without data.
    let blocks = [[0x00, 0x00, 0x00, 0xff, 0xff].repeat(20_000), vec![0x00]].concat();
    assert_eq!(decompress(&mut server.incoming, &blocks).unwrap(), b"");
}

#[test]
fn references_beyond_the_window_read_the_same_for_every_cutting() {
    // A sender that keeps to 15 bits where 9 were agreed: across messages it asks for what is forgotten.
    let text = noise(5, 2_000);
    let mut sender = connect(keeping(), keeping()).0;
    let first = compress(&mut sender.outgoing, &text);
    let second = compress(&mut sender.outgoing, &text);
    let verdicts: Vec<_> = [vec![], vec![1], vec![2, 3], (0..second.len()).collect()]
        .into_iter()
        .map(|places: Vec<usize>| {
            let offer = "permessage-deflate; client_max_window_bits=9";
            let mut server = server(offer, keeping(), None);
            assert_eq!(decompress(&mut server.incoming, &first).unwrap(), text);
            pass_whole(&mut server.incoming, COMPRESSED, &cut(&second, &places)).unwrap_err()
        })
        .collect();
    assert!(verdicts.iter().all(|verdict| *verdict == verdicts[0]), "{verdicts:?}");
    assert_eq!(verdicts[0].close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn what_is_damaged_behind_its_limit_is_too_long() {
    // "Hello" in a block with fixed codes, then a length of 3 with a distance code that does not exist.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07];
    let behind = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0];
    let mut payload = vec![0; 7];
    let bits = (0..43).map(|at| hello[at / 8] >> (at % 8) & 1).chain(behind);
    bits.enumerate().for_each(|(at, bit)| payload[at / 8] |= bit << (at % 8));
    for limit in 0..8 {
        let expected = if limit < 5 { CloseCode::TOO_BIG } else { CloseCode::INVALID_PAYLOAD };
        for at in 0..=payload.len() {
            let mut server = server("permessage-deflate", keeping(), Some(limit));
            let verdict = pass_whole(&mut server.incoming, COMPRESSED, &cut(&payload, &[at]));
            assert_eq!(verdict.unwrap_err().close_code(), expected, "limit {limit}, cut at {at}");
        }
    }
}

#[test]
fn what_the_tail_would_make_of_an_unfinished_block_makes_no_message_too_long() {
    // 89 semicolons in a block with codes of its own, one of which is all zeros, that does not end.
    let payload = [
        0x74, 0xc8, 0x21, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xb0, 0x3e, 0x44, 0xe0, 0xfd, 0x7b, 0xe1, 0x50, 0x30,
        0x39, 0xd8, 0x56, 0x1e, 0x55, 0x00,
    ];
    for limit in 80..140 {
        let expected = if limit < 89 { CloseCode::TOO_BIG } else { CloseCode::INVALID_PAYLOAD };
        for at in 0..=payload.len() {
            let mut server = server("permessage-deflate", keeping(), Some(limit));
            let verdict = pass_whole(&mut server.incoming, COMPRESSED, &cut(&payload, &[at]));
            assert_eq!(verdict.unwrap_err().close_code(), expected, "limit {limit}, cut at {at}");
        }
    }
}

/// Streams that are wrong in one place, or right, or anything.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let valid = (any::<u64>(), 0..3_000usize, prop::sample::select(vec![0u8, 1, 4, 9])).prop_map(
        |(seed, len, level)| {
            let options = Options::new().level(ws_deflate::Level::new(level).unwrap());
            compress(&mut connect(options, Options::new()).0.outgoing, &prose(seed, len))
        },
    );
    let damaged = (valid.clone(), any::<usize>(), any::<u8>()).prop_map(|(mut payload, at, byte)| {
        let at = at % payload.len();
        payload[at] = byte;
        payload
    });
    let truncated = (valid.clone(), any::<usize>()).prop_map(|(mut payload, at)| {
        payload.truncate(at % payload.len());
        payload
    });
    let finals = prop::collection::vec(prop::sample::select(vec![0x00, 0x01, 0x02, 0x03, 0x4b, 0xff]), 0..24);
    let any = prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![valid, damaged, truncated, finals, any]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_is_that_of_the_whole_message(
        payloads in prop::collection::vec((payload(), prop::collection::vec(any::<usize>(), 0..6)), 1..4),
        keep in any::<bool>(),
        chunk in 0..300usize,
        limit in prop_oneof![Just(LIMIT), 0..2_000usize],
    ) {
        let options = if keep { keeping() } else { Options::new() };
        let connect = |options| server("permessage-deflate", options, Some(limit));
        let (mut whole, mut in_parts) = (connect(options), connect(options.chunk_size(chunk)));
        let mut deferred = connect(options.defer_from(0));
        let mut window = Vec::new();
        for (payload, places) in payloads {
            let expected = decompress(&mut whole.incoming, &payload);
            let parts = cut(&payload, &places);
            prop_assert_eq!(&pass_whole(&mut in_parts.incoming, COMPRESSED, &parts), &expected);
            prop_assert_eq!(&decompress(&mut deferred.incoming, &payload), &expected);
            // The same as an inflater of another make says, but for what is wrong behind the limit.
            let oracle = if payload.is_empty() {
                Some(oracle::Inflated { data: window.clone(), ..Default::default() })
            } else {
                oracle::inflate(&window, &payload)
            };
            let too_big = matches!(&expected, Err(error) if matches!(error.fault(), Fault::TooBig { .. }));
            if !too_big {
                let data = oracle.as_ref().map(|inflated| &inflated.data[window.len()..]);
                prop_assert_eq!(expected.as_deref().ok(), data, "{:x?}", payload);
            }
            match (expected, oracle) {
                (Ok(_), Some(inflated)) if keep => window = inflated.data,
                (Ok(_), _) => {}
                (Err(_), _) => break,
            }
        }
    }
}
