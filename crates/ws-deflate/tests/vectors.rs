//! The examples of RFC 7692 section 7.2.3, byte for byte, and their relatives.

mod support;

use support::{COMPRESSED, compress, connect, decompress, pass, pass_whole, plain_server, server};
use ws_deflate::{Level, Options, Takeover};
use ws_extensions::{Compress, Fault, MessageHead, Route};
use ws_frame::{CloseCode, DataKind, Rsv};

const HELLO: [u8; 7] = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

fn keeping() -> Options {
    Options::new().takeover(Takeover::Keep).peer_takeover(Takeover::Keep).threshold(0)
}

#[test]
fn a_message_compressed_in_one_block() {
    // Section 7.2.3.1.
    let mut client = connect(Options::new(), Options::new()).0;
    assert_eq!(compress(&mut client.outgoing, b"Hello"), HELLO);
    let mut server = plain_server("permessage-deflate");
    assert_eq!(decompress(&mut server.incoming, &HELLO).unwrap(), b"Hello");
    // The same in two frames, cut anywhere.
    for at in 0..=HELLO.len() {
        let (head, tail) = HELLO.split_at(at);
        assert_eq!(pass_whole(&mut server.incoming, COMPRESSED, &[head, tail]).unwrap(), b"Hello");
    }
}

#[test]
fn the_window_is_shared_or_not() {
    // Section 7.2.3.2: with the window kept, the second "Hello" refers to the first.
    let (mut client, mut server, answer) = connect(keeping(), keeping());
    assert_eq!(answer, "permessage-deflate");
    let again = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert_eq!(compress(&mut client.outgoing, b"Hello"), HELLO);
    assert_eq!(compress(&mut client.outgoing, b"Hello"), again);
    for payload in [&HELLO[..], &again] {
        assert_eq!(decompress(&mut server.incoming, payload).unwrap(), b"Hello");
    }

    let (mut client, mut server, answer) = connect(keeping(), Options::new());
    assert_eq!(answer, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
    for _ in 0..2 {
        assert_eq!(compress(&mut client.outgoing, b"Hello"), HELLO);
        assert_eq!(decompress(&mut server.incoming, &HELLO).unwrap(), b"Hello");
        assert_eq!(compress(&mut server.outgoing, b"Hello"), HELLO);
    }
    let error = decompress(&mut server.incoming, &again).unwrap_err();
    assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD);
}

#[test]
fn a_stored_block() {
    // Section 7.2.3.3.
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    let mut server = plain_server("permessage-deflate");
    assert_eq!(decompress(&mut server.incoming, &stored).unwrap(), b"Hello");
    // Level 0 makes them.
    let mut client = connect(Options::new().level(Level::new(0).unwrap()), Options::new()).0;
    assert_eq!(compress(&mut client.outgoing, b"Hello"), stored);
}

#[test]
fn a_final_block_ends_itself_only() {
    // Section 7.2.3.4, and the message behind it, which refers to it.
    let finished = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    let mut server = plain_server("permessage-deflate");
    assert_eq!(decompress(&mut server.incoming, &finished).unwrap(), b"Hello");
    assert_eq!(decompress(&mut server.incoming, &[0xf2, 0x00, 0x11, 0x00, 0x00]).unwrap(), b"Hello");
    // Two of them in one message, with and without the octet that belongs to the tail, which some leave out.
    let twice = [&finished[..7], &finished[..]].concat();
    for payload in [&twice[..], &twice[..14]] {
        for at in 0..=payload.len() {
            let (head, tail) = payload.split_at(at);
            assert_eq!(pass_whole(&mut server.incoming, COMPRESSED, &[head, tail]).unwrap(), b"HelloHello");
        }
    }
}

#[test]
fn two_blocks_in_one_message() {
    // Section 7.2.3.5.
    let blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    let mut server = plain_server("permessage-deflate");
    assert_eq!(decompress(&mut server.incoming, &blocks).unwrap(), b"Hello");
    // A message in parts is made so, each part being flushed.
    let mut client = connect(Options::new(), Options::new()).0;
    let (_, made) = pass(&mut client.outgoing, MessageHead::new(DataKind::Text), &[b"He", b"llo"]).unwrap();
    assert_eq!(made.concat(), blocks);
    assert_eq!(made[0][..3], blocks[..3], "the first part can be read before the second is there");
}

#[test]
fn empty_messages() {
    // Section 7.2.3.6.
    let (mut client, mut server, _) = connect(keeping(), keeping());
    for _ in 0..3 {
        assert_eq!(compress(&mut client.outgoing, b""), [0x00]);
        assert_eq!(decompress(&mut server.incoming, &[0x00]).unwrap(), b"");
        // Not even the header bits: nothing, all the same.
        assert_eq!(decompress(&mut server.incoming, b"").unwrap(), b"");
        let payload = compress(&mut client.outgoing, b"Hello");
        assert_eq!(decompress(&mut server.incoming, &payload).unwrap(), b"Hello");
    }
    let head = MessageHead::new(DataKind::Text);
    let (head, made) = pass(&mut client.outgoing, head, &[b"", b"", b""]).unwrap();
    assert_eq!((head.rsv, made.concat()), (Rsv::RSV1, vec![0x00]));
    // In parts of which the last is empty.
    let (_, made) = pass(&mut client.outgoing, head.with_rsv(Rsv::NONE), &[b"a", b"", b""]).unwrap();
    assert!(made[1].is_empty() && made[2].is_empty(), "{made:?}");
    assert!(!made[0].is_empty());
}

#[test]
fn what_is_sent_as_it_is() {
    let head = MessageHead::new(DataKind::Text);
    let (mut client, mut server, _) = connect(Options::new(), Options::new());
    let table = [
        (Compress::Default, Some(1023), Route::Direct),
        (Compress::Default, Some(0), Route::Direct),
        (Compress::No, Some(1 << 20), Route::Direct),
        (Compress::No, None, Route::Direct),
        (Compress::Yes, Some(0), Route::Queued),
        (Compress::Default, Some(1024), Route::Queued),
        (Compress::Default, None, Route::Queued),
    ];
    for (compress, len, route) in table {
        assert_eq!(client.outgoing.begin(head.with_compress(compress), len), route, "{compress:?} {len:?}");
        if route == Route::Queued {
            client.outgoing.push(b"", true);
            client.outgoing.pop();
        }
    }
    // Incoming, the bit decides.
    assert_eq!(server.incoming.begin(head, Some(5)), Route::Direct);
    // Small messages are compressed where the context is kept.
    let mut client = connect(keeping().threshold(1024), keeping()).0;
    assert_eq!(client.outgoing.begin(head, Some(1)), Route::Queued);
}

#[test]
fn messages_that_were_not_compressed_leave_the_window_alone() {
    let (mut client, mut server, _) = connect(keeping(), keeping());
    let plain = MessageHead::new(DataKind::Text).with_compress(Compress::No);
    for text in [&b"Hello"[..], b"Other", b"Hello Other Hello"] {
        let payload = compress(&mut client.outgoing, text);
        assert_eq!(decompress(&mut server.incoming, &payload).unwrap(), text);
        assert_eq!(client.outgoing.begin(plain, Some(5)), Route::Direct);
        assert_eq!(server.incoming.begin(plain, Some(5)), Route::Direct);
    }
}

#[test]
fn damaged_messages_are_told() {
    let (invalid, unfinished) = ("the message is not valid DEFLATE", "the message ends within a block");
    let table: [(&[u8], &str); 8] = [
        (&[0x06], invalid),
        (&[0x00, 0x05, 0x00, 0xfa, 0xfe, 0x48], invalid),
        (&[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48], unfinished),
        (&HELLO[..6], unfinished),
        (&HELLO[..3], unfinished),
        (&[0xf2, 0x00, 0x11, 0x00, 0x00], invalid),
        (&[0xfc, 0xff, 0xff], invalid),
        (&[0x00, 0x00], invalid),
    ];
    for (payload, reason) in table {
        for options in [keeping(), Options::new()] {
            let mut server = server("permessage-deflate", options, None);
            let error = decompress(&mut server.incoming, payload).unwrap_err();
            assert_eq!(error.fault(), &Fault::Corrupt(reason.into()), "{payload:x?}");
            assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD);
        }
    }
}
