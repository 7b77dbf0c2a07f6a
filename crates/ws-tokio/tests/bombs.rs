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

/// DEFLATE of more than so many zeros (RFC 1951 section 3.2.6): a block of fixed codes with a literal, and then matches of
/// 258 bytes at distance 1, 13 bits each. It does not come to its end.
fn bomb(len: usize) -> Vec<u8> {
    let mut bits = vec![0, 1, 0];
    bits.extend([0, 0, 1, 1, 0, 0, 0, 0]);
    for _ in 0..len.div_ceil(258) {
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    bits.chunks(8).map(|byte| byte.iter().rev().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

/// A client that has asked for compression, sent this message, and says no more.
async fn client(payload: &[u8]) -> (DuplexStream, DuplexStream) {
    let (mut near, far) = duplex(1 << 20);
    let request = with_line("Sec-WebSocket-Extensions: permessage-deflate");
    near.write_all(request.as_bytes()).await.expect("room in the pipe");
    let frame = Frame::binary(payload).with_rsv(0b100).by(Role::Client);
    near.write_all(&frame).await.expect("room in the pipe");
    near.shutdown().await.expect("the end");
    (near, far)
}

#[tokio::test]
async fn bombs_go_off_one_at_a_time_and_others_have_their_turn_meanwhile() {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::default());
    config.connection.limits.max_message_len = LIMIT;
    let config = Arc::new(config);
    let bomb = bomb(2 * LIMIT);
    let mut servers = JoinSet::new();
    for _ in 0..BOMBS {
        let (near, far) = client(&bomb).await;
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
    // Of each MiB that is made others have had several turns.
    assert!(turns > BOMBS * (LIMIT >> 20) * 4, "{turns} turns");
    // A message at its limit in a buffer that doubles, and what has arrived of the others.
    let most = 2 * LIMIT + BOMBS * 2 * bomb.len() + (1 << 20);
    let peak = usize::try_from(Heap::peak() - before).expect("something was held");
    assert!(peak <= most, "{peak} bytes for {BOMBS} bombs, of at most {most}");
    assert!(peak >= LIMIT, "the limit was reached: {peak}");
}

#[tokio::test]
async fn a_long_message_that_is_no_bomb_waits_for_them_and_arrives() {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::default());
    let config = Arc::new(config);
    // A block of no matches at all: stored (RFC 1951 section 3.2.4), and the first bits of the one that ends the message.
    let text = [&[0, 0xff, 0xff, 0, 0][..], &[b'x'; 0xffff], &[0]].concat();
    let mut servers = JoinSet::new();
    for payload in [&bomb(8 << 20)[..], &text, &bomb(8 << 20), &text] {
        let (near, far) = client(payload).await;
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
