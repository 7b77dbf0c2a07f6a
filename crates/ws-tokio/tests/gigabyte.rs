//! A message of a gigabyte through a writer and a reader: memory stays bounded.

mod support;

use support::pair_with;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, DuplexStream, copy};
use ws_testkit::Heap;
use ws_tokio::{
    WebSocket,
    endpoint::{
        ConnectionOptions,
        driver::{DataKind, Limits},
    },
};

#[global_allocator]
static HEAP: Heap = Heap;

/// The most that both ends and the pipe between them may hold at once.
const BOUND: isize = 8 << 20;

fn unlimited() -> ConnectionOptions {
    let mut options = ConnectionOptions::default();
    options.limits.max_message_len = Limits::UNLIMITED;
    options
}

async fn stream(mut client: WebSocket<DuplexStream>, mut server: WebSocket<DuplexStream>, len: u64) {
    let before = Heap::held();
    Heap::forget_peak();
    let writes = async {
        let mut message = server.message_writer(DataKind::Binary).expect("open");
        let copied = copy(&mut tokio::io::repeat(7).take(len), &mut message).await.expect("written");
        message.shutdown().await.expect("finished");
        copied
    };
    let reads = async {
        let mut message = client.next_message_reader().await.expect("not the end").expect("a message");
        let mut read = 0;
        loop {
            let bytes = message.fill_buf().await.expect("bytes");
            if bytes.is_empty() {
                break read;
            }
            assert!(bytes[0] == 7 && bytes[bytes.len() - 1] == 7);
            read += bytes.len() as u64;
            let len = bytes.len();
            message.consume(len);
        }
    };
    assert_eq!(tokio::join!(writes, reads), (len, len));
    let peak = Heap::peak() - before;
    assert!(peak < BOUND, "{peak} bytes were held at once");
}

#[tokio::test]
async fn a_gigabyte_takes_a_few_megabytes() {
    let (client, server) = pair_with(256 * 1024, unlimited()).await;
    stream(client, server, 1 << 30).await;
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn a_compressed_gigabyte_takes_no_more() {
    let (near, far) = tokio::io::duplex(256 * 1024);
    let mut connect = ws_tokio::Connect::new("ws://example.com/").expect("an address");
    connect.config.connection = unlimited();
    let mut config = ws_tokio::endpoint::ServerConfig::default();
    config.connection = unlimited();
    config.set_deflate(ws_tokio::endpoint::deflate::Options::default());
    let config = std::sync::Arc::new(config);
    let (client, server) = tokio::join!(connect.over(near), ws_tokio::accept_with(far, &config));
    let (client, server) = (client.expect("connected"), server.expect("accepted"));
    assert_eq!(client.extensions(), ["permessage-deflate"]);
    stream(client, server, 1 << 30).await;
}
