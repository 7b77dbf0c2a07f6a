//! Messages that inflate to more than their limit, many at once: in the memory of one, and not at others' expense.
#![cfg(feature = "deflate")]

mod support;

use std::sync::Arc;

use support::visitor::with_line;
use tokio::{
    io::{AsyncWriteExt, DuplexStream, duplex},
    task::{self, JoinSet},
};
use ws_testkit::{Frame, Heap};
use ws_tokio::endpoint::{ServerConfig, deflate::Options, driver::CloseCode, frame::Role};

#[global_allocator]
static HEAP: Heap = Heap;

const LIMIT: usize = 4 << 20;
const BOMBS: usize = 8;

/// DEFLATE of more than so many zeros (RFC 1951 section 3.2.6): a block of fixed codes with a literal of 8 bits, and then
/// matches of 258 bytes at distance 1, 13 bits, with so many literals behind each. It does not come to its end.
fn bomb(len: usize, literals: usize) -> Vec<u8> {
    let literal = [0, 0, 1, 1, 0, 0, 0, 0];
    let mut bits = [&[0, 1, 0][..], &literal].concat();
    for _ in 0..len.div_ceil(258 + literals) {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
        bits.extend(literal.repeat(literals));
    }
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

/// A client that has asked for compression, sent this message, and says no more.
async fn client(frames: &[u8]) -> (DuplexStream, DuplexStream) {
    let (mut near, far) = duplex(2 << 20);
    let request = with_line("Sec-WebSocket-Extensions: permessage-deflate");
    near.write_all(request.as_bytes()).await.expect("room in the pipe");
    near.write_all(frames).await.expect("room in the pipe");
    near.shutdown().await.expect("the end");
    (near, far)
}

/// Lets bombs go off at one server, and says how much memory that took, and how often others had their turn.
async fn go_off(bomb: &[u8]) -> (usize, usize) {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::default());
    config.connection.limits.max_message_len = LIMIT;
    let config = Arc::new(config);
    let mut servers = JoinSet::new();
    for _ in 0..BOMBS {
        let (near, far) = client(bomb).await;
        let config = Arc::clone(&config);
        servers.spawn(async move {
            let mut ws = ws_tokio::accept_with(far, &config).await.expect("a good request");
            let refused = ws.recv().await.expect("more than the end").expect_err("it is too long");
            let closed = ws.closed().expect("the end");
            assert_eq!(closed.sent, Some(Some(CloseCode::TOO_BIG)), "{refused}");
            drop(near);
        });
    }
    let before = Heap::held();
    Heap::forget_peak();
    let mut turns = 0;
    while !servers.is_empty() {
        task::yield_now().await;
        turns += 1;
        assert!(turns < 100_000, "they do not come to an end");
        while let Some(done) = servers.try_join_next() {
            done.expect("a bomb was refused as it should be");
        }
    }
    (usize::try_from(Heap::peak() - before).expect("something was held"), turns)
}

#[tokio::test]
async fn bombs_go_off_one_at_a_time_and_others_have_their_turn_meanwhile() {
    let in_one_frame = |payload: &[u8]| Frame::binary(payload).with_rsv(0b100).by(Role::Client);
    // As much as can be, and so little that each takes many reads.
    let (dense, thin) = (bomb(2 * LIMIT, 0), bomb(2 * LIMIT, 40));
    assert!(dense.len() < 64 << 10 && thin.len() > 512 << 10, "{} and {}", dense.len(), thin.len());
    let fragments: Vec<_> =
        thin.chunks(1000).map(|payload| Frame::continuation(payload).unfinished()).collect();
    let begin = Frame::binary("").with_rsv(0b100).unfinished();
    let in_fragments: Vec<_> =
        [begin].iter().chain(&fragments).flat_map(|frame| frame.by(Role::Client)).collect();
    for (name, frames) in
        [("dense", in_one_frame(&dense)), ("thin", in_one_frame(&thin)), ("in fragments", in_fragments)]
    {
        let (peak, turns) = go_off(&frames).await;
        // Of each MiB that is made others have had several turns.
        assert!(turns > BOMBS * (LIMIT >> 20) * 4, "{name}: {turns} turns");
        // One message up to its limit; of the others what is made before they count as long, and room for as much again; and
        // what was read of each.
        let most = LIMIT + BOMBS * ((512 << 10) + (128 << 10)) + (1 << 20);
        assert!(peak <= most, "{name}: {peak} bytes for {BOMBS} bombs, of at most {most}");
        assert!(peak >= LIMIT - (1 << 20), "{name}: the limit was reached: {peak}");
    }
}

#[tokio::test]
async fn a_long_message_that_is_no_bomb_waits_for_them_and_arrives() {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::default());
    let config = Arc::new(config);
    // A block of no matches at all: stored (RFC 1951 section 3.2.4), and the first bits of the one that ends the message.
    let text = [&[0, 0xff, 0xff, 0, 0][..], &[b'x'; 0xffff], &[0]].concat();
    let mut servers = JoinSet::new();
    for payload in [&bomb(8 << 20, 0)[..], &text, &bomb(8 << 20, 0), &text] {
        let frame = Frame::binary(payload).with_rsv(0b100).by(Role::Client);
        let (near, far) = client(&frame).await;
        let config = Arc::clone(&config);
        servers.spawn(async move {
            let mut ws = ws_tokio::accept_with(far, &config).await.expect("a good request");
            let received = ws.recv().await;
            drop(near);
            received.and_then(Result::ok).map_or(0, |message| message.as_bytes().len())
        });
    }
    let (mut lens, mut turns) = (Vec::new(), 0);
    while !servers.is_empty() {
        task::yield_now().await;
        turns += 1;
        assert!(turns < 100_000, "they do not come to an end");
        while let Some(done) = servers.try_join_next() {
            lens.push(done.expect("no panic"));
        }
    }
    lens.sort_unstable();
    // The bombs were cut short by the end of the stream, below the limit.
    assert_eq!(lens, [0, 0, 0xffff, 0xffff]);
}
