//! What a server pays for an opening handshake: the memory of its futures, and calls of the transport.

use std::{
    io,
    mem::size_of_val,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use ws_endpoint::ServerConfig;
use ws_tokio::{FirstRequest, Upgrade};

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const CLOSE: &[u8] = b"\x88\x82\x01\x02\x03\x04\x02\xea";

/// Calls that came to something, as each would be a system call.
#[derive(Debug, Default)]
struct Calls {
    reads: AtomicUsize,
    writes: AtomicUsize,
    shutdowns: AtomicUsize,
}

#[derive(Debug)]
struct Counted(DuplexStream, Arc<Calls>);

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.0).poll_read(cx, buf);
        self.1.reads.fetch_add(usize::from(read.is_ready()), Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.1.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.1.shutdowns.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_opens_and_closes_takes_two_reads_and_two_writes() {
    let (mut client, server) = duplex(4096);
    let calls = Arc::<Calls>::default();
    let counted = Counted(server, Arc::clone(&calls));
    let server = tokio::spawn(async move {
        let mut ws = ws_tokio::accept(counted).await.unwrap();
        assert!(ws.recv().await.is_none());
        drop(ws);
    });
    client.write_all(REQUEST).await.unwrap();
    let mut answer = [0; 129];
    client.read_exact(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n"));
    client.write_all(CLOSE).await.unwrap();
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).await.unwrap();
    server.await.unwrap();
    assert_eq!(rest, b"\x88\x02\x03\xe8");
    let count = |calls: &AtomicUsize| calls.load(Ordering::Relaxed);
    assert_eq!((count(&calls.reads), count(&calls.writes), count(&calls.shutdowns)), (2, 2, 1));
}

#[tokio::test]
async fn the_futures_of_a_handshake_are_small() {
    let config = Arc::<ServerConfig>::default();
    let reading = FirstRequest::read(duplex(4096).1, &config);
    // Some of it is the transport, and the connection is not among it.
    assert!(size_of_val(&reading) <= 512, "{}", size_of_val(&reading));
    drop(reading);

    let (mut client, server) = duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    let upgrade = Upgrade::read(server, &config).await.unwrap();
    assert!(size_of_val(&upgrade) <= 128, "{}", size_of_val(&upgrade));
    let accepting = upgrade.accept();
    assert!(size_of_val(&accepting) <= 512, "{}", size_of_val(&accepting));
}
