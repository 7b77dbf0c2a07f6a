//! Connections that share compressors and inflaters share nothing of what went through them.

mod support;

use support::{compress, connect, decompress, noise, prose, registry};
use ws_deflate::{Options, Takeover};
use ws_extensions::{Negotiated, SessionOptions};
use ws_frame::Role;

/// Two connections of one server: each takes from the pool what the other has given back.
fn connections(options: Options) -> [Negotiated; 2] {
    let registry = registry(options.pool_size(1));
    let session = SessionOptions::new(Role::Server, None);
    [(); 2]
        .map(|()| registry.respond(Some("permessage-deflate"), &session).expect("an offer that is accepted"))
}

fn keeping() -> Options {
    Options::new().takeover(Takeover::Keep).peer_takeover(Takeover::Keep)
}

#[test]
fn what_one_connection_has_sent_does_not_shorten_what_another_sends() {
    let secret = prose(7, 2_000);
    for options in [Options::new(), keeping()] {
        let [mut alone, _] = connections(options);
        let expected = compress(&mut alone.outgoing, &secret);
        let [mut first, mut second] = connections(options);
        assert_eq!(compress(&mut first.outgoing, &secret), expected);
        // Where contexts are kept, a compressor goes back with its connection.
        drop(first);
        assert_eq!(compress(&mut second.outgoing, &secret), expected);
    }
}

#[test]
fn what_one_connection_has_received_cannot_be_referred_to_by_another() {
    let secret = noise(5, 2_000);
    let mut sender = connect(keeping(), keeping()).0;
    let says = compress(&mut sender.outgoing, &secret);
    let refers_back = compress(&mut sender.outgoing, &secret);
    assert!(refers_back.len() < 200, "it says: the same once more");
    for options in [Options::new(), keeping()] {
        let [mut victim, mut thief] = connections(options);
        assert_eq!(decompress(&mut victim.incoming, &says).expect("a message"), secret);
        drop(victim);
        let error = decompress(&mut thief.incoming, &refers_back).expect_err("there is nothing behind it");
        assert_eq!(error.close_code().get(), 1007);
    }
}
