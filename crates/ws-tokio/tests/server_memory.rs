//! What a server adds to a connection.

mod support;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream as StdStream},
    sync::Arc,
};

use support::{poll_once, visitor::REQUEST};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use ws_testkit::Heap;
use ws_tokio::{Server, WebSocket, endpoint::ServerConfig};

#[global_allocator]
static HEAP: Heap = Heap;

const CONNECTIONS: isize = 64;

/// A client that has asked, which costs no heap.
fn ask(address: SocketAddr) -> StdStream {
    let mut client = StdStream::connect(address).expect("connected");
    client.write_all(REQUEST.as_bytes()).expect("written");
    client
}

/// The connection waits for a message, as a server's do that have nothing to do.
fn idle<S: AsyncRead + AsyncWrite + Unpin>(ws: &mut WebSocket<S>, client: &mut StdStream) {
    let mut answer = [0; 12];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 101");
    assert!(poll_once(ws.recv()).is_pending());
}

/// The heap of one connection of those that are made after some others.
async fn each<S>(mut open: impl AsyncFnMut() -> (WebSocket<S>, StdStream)) -> isize
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut held = Vec::with_capacity(200);
    let mut before = 0;
    // What grows by doubling is counted in full: from one power of two to the next.
    for number in 0..2 * CONNECTIONS {
        if number == CONNECTIONS {
            before = Heap::held();
        }
        let (mut ws, mut client) = open().await;
        idle(&mut ws, &mut client);
        held.push((ws, client));
    }
    (Heap::held() - before) / CONNECTIONS
}

#[tokio::test]
async fn a_server_knows_a_connection_by_less_than_200_bytes() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let config = Arc::new(ServerConfig::default());
    let alone = each(async || {
        let client = ask(address);
        let (stream, _) = listener.accept().await.expect("accepted");
        (ws_tokio::accept_with(stream, &config).await.expect("a handshake"), client)
    })
    .await;
    let server = Server::builder().bind("127.0.0.1:0").await.expect("it listens");
    let address = server.local_addrs()[0].tcp().expect("a TCP address");
    let served = each(async || {
        let client = ask(address);
        (server.accept().await.expect("a connection").into_socket(), client)
    })
    .await;
    let own = size_of::<WebSocket<ws_tokio::ServerStream>>() - size_of::<WebSocket<tokio::net::TcpStream>>();
    println!("alone {alone} bytes, served {served}, and {own} in the connection");
    let added = served - alone + own.cast_signed();
    assert!((1..200).contains(&added), "{added} bytes: alone {alone}, served {served}, and {own}");
}
