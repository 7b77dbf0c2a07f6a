//! The extension framework under another crate's framing: negotiation, reserved bits, and both chains of permessage-deflate and
//! an extension of one's own, without our driver.

use std::io::Cursor;

use tungstenite::protocol::frame::{
    Frame, FrameSocket,
    coding::{Data, OpCode},
};
use ws_stack::{
    deflate::{Options, PermessageDeflate},
    extensions::{Chain, MessageHead, Negotiated, Registry, Route, SessionOptions},
    frame::{DataKind, Role, Rsv},
};

#[path = "../examples/checksum_extension.rs"]
#[expect(dead_code, reason = "the example's own server and client are not part of the test")]
mod example;

use example::Checksum;

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(Options::default().threshold(0))).unwrap();
    registry.register(Checksum).unwrap();
    registry
}

/// What both sides have agreed on: the headers are all that passes between them.
fn negotiate() -> (Negotiated, Negotiated) {
    let offer = registry().offer(&SessionOptions::new(Role::Client, Some(1 << 20)));
    let server =
        registry().respond(offer.header(), &SessionOptions::new(Role::Server, Some(1 << 20))).unwrap();
    let client = offer.activate(server.header.as_deref()).unwrap();
    (client, server)
}

/// Runs deferred work in place.
fn run_jobs(chain: &mut Chain) {
    while let Some((id, job)) = chain.next_job() {
        chain.complete_job(id, job.run().expect("the work blocks and does not wait"));
    }
}

/// Sends one message, as two frames.
fn send(chain: &mut Chain, kind: DataKind, payload: &[u8], wire: &mut FrameSocket<Cursor<Vec<u8>>>) {
    assert_eq!(chain.begin(MessageHead::new(kind), Some(payload.len())), Route::Queued);
    chain.push(payload, true);
    run_jobs(chain);
    let front = chain.front().expect("the work is done");
    let data = if kind == DataKind::Text { Data::Text } else { Data::Binary };
    let (first, rest) = front.data.split_at(front.data.len() / 2);
    let mut frame = Frame::message(first.to_vec(), OpCode::Data(data), false);
    frame.header_mut().rsv1 = front.head.rsv.contains(Rsv::RSV1);
    frame.header_mut().rsv2 = front.head.rsv.contains(Rsv::RSV2);
    wire.send(frame).unwrap();
    wire.send(Frame::message(rest.to_vec(), OpCode::Data(Data::Continue), true)).unwrap();
    chain.pop();
}

/// Receives what is on the wire, message by message.
fn receive(negotiated: &mut Negotiated, wire: &mut FrameSocket<Cursor<Vec<u8>>>) -> Vec<(DataKind, Vec<u8>)> {
    let (allowed, chain) = (negotiated.rsv(), &mut negotiated.incoming);
    let mut messages = Vec::new();
    while let Some(frame) = wire.read(None).unwrap() {
        let header = frame.header().clone();
        let bits = [(header.rsv1, Rsv::RSV1), (header.rsv2, Rsv::RSV2), (header.rsv3, Rsv::RSV3)];
        let rsv = bits.into_iter().filter(|(set, _)| *set).fold(Rsv::NONE, |all, (_, bit)| all | bit);
        assert!(allowed.contains(rsv));
        if header.opcode != OpCode::Data(Data::Continue) {
            let text = header.opcode == OpCode::Data(Data::Text);
            let kind = if text { DataKind::Text } else { DataKind::Binary };
            assert_eq!(chain.begin(MessageHead::new(kind).with_rsv(rsv), None), Route::Queued);
        }
        chain.push(frame.payload(), header.is_final);
        run_jobs(chain);
        if let Some(front) = chain.front()
            && front.finished
        {
            messages.push((front.head.kind, front.data.to_vec()));
            chain.pop();
        }
    }
    messages
}

#[test]
fn extensions_work_under_another_framing() {
    let (mut client, mut server) = negotiate();
    assert!(client.names().eq(["permessage-deflate", "x-checksum"]));
    let text = "all work and no play makes jack a dull boy ".repeat(50);
    let sent = [
        (DataKind::Text, text.as_bytes().to_vec()),
        (DataKind::Binary, vec![7; 3000]),
        (DataKind::Text, Vec::new()),
    ];
    one_way(&mut client, &mut server, &sent);
    one_way(&mut server, &mut client, &sent);
}

fn one_way(from: &mut Negotiated, to: &mut Negotiated, sent: &[(DataKind, Vec<u8>)]) {
    let mut wire = FrameSocket::new(Cursor::new(Vec::new()));
    for (kind, payload) in sent {
        send(&mut from.outgoing, *kind, payload, &mut wire);
    }
    assert!(wire.get_ref().get_ref().len() < 1000, "it is compressed");
    wire.get_mut().set_position(0);
    assert_eq!(receive(to, &mut wire), sent);
}
