//! What a server's connection keeps while it waits, whatever it has done before: plain traffic, compressed messages, long ones.
#![cfg(feature = "deflate")]

mod support;

use std::{net::SocketAddr, sync::Arc, thread};

use support::poll_once;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    sync::oneshot,
};
use ws_testkit::Heap;
use ws_tokio::{
    Connect, WebSocket,
    endpoint::{ServerConfig, deflate::Options, driver::Message},
};

/// Counts for each thread: the clients have one of their own.
#[global_allocator]
static HEAP: Heap = Heap;

/// So many connections share what a thread keeps for all of them.
const CONNECTIONS: usize = 8;

/// What the clients say, and whether they offer compression.
#[derive(Clone, Copy)]
struct Talk {
    deflate: bool,
    len: usize,
}

impl Talk {
    /// Text that can be compressed, like what programs send.
    fn message(self) -> Message {
        let record = |number: usize| format!("{{\"number\": {number}, \"name\": \"a name of {number}\"}}, ");
        let mut text: String = (0..self.len / 30 + 1).map(record).collect();
        text.truncate(self.len);
        Message::text(text)
    }
}

/// The clients, in a thread of their own: each opens, says something and hears it, and stays until it is enough.
fn clients(server: SocketAddr, talk: Talk, enough: oneshot::Receiver<()>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut open = Vec::new();
        for _ in 0..2 * CONNECTIONS {
            let connect = Connect::new(&format!("ws://{server}/")).expect("an address");
            let connect = match talk.deflate {
                true => connect.deflate(Options::default()),
                false => connect.without_extensions(),
            };
            let mut ws = connect.open().await.expect("connected");
            ws.send(talk.message()).await.expect("sent");
            let echo = ws.recv().await.expect("not the end").expect("an echo");
            assert!(echo == talk.message(), "{} bytes came back otherwise", echo.len());
            open.push(ws);
        }
        let _it_is = enough.await;
    });
}

/// The heap and the memory of its own that each connection holds once it waits.
async fn held(talk: Talk) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (enough, is_enough) = oneshot::channel();
    let clients = thread::spawn(move || clients(address, talk, is_enough));
    let mut config = ServerConfig::default();
    if talk.deflate {
        config.set_deflate(Options::default());
    }
    let config = Arc::new(config);
    let mut open: Vec<WebSocket<TcpStream>> = Vec::with_capacity(2 * CONNECTIONS);
    let mut before = 0;
    // The first half makes what all connections of the thread take in turn.
    for number in 0..2 * CONNECTIONS {
        if number == CONNECTIONS {
            before = Heap::held();
        }
        let (stream, _) = listener.accept().await.expect("accepted");
        let mut ws = ws_tokio::accept_with(stream, &config).await.expect("a handshake");
        assert_eq!(ws.extensions().len(), usize::from(talk.deflate));
        let message = ws.recv().await.expect("not the end").expect("a message");
        ws.send(message).await.expect("sent");
        assert!(poll_once(ws.recv()).is_pending(), "it waits");
        open.push(ws);
    }
    let held = usize::try_from(Heap::held() - before).unwrap_or(0) / CONNECTIONS;
    enough.send(()).expect("they wait for it");
    clients.join().expect("no panic");
    held + size_of::<WebSocket<TcpStream>>()
}

/// The same on a thread of its own: what another one keeps for long messages, and gives back later, is not of this.
fn held_by_itself(talk: Talk) -> usize {
    let server = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(held(talk))
    };
    thread::spawn(server).join().expect("no panic")
}

#[test]
fn what_a_waiting_connection_keeps_is_within_its_bar() {
    const KIB: usize = 1024;
    for (what, deflate, len, bar) in [
        ("plain", false, 3_000, 1_500),
        ("a long message", false, 1 << 20, 64 * KIB),
        ("a compressed echo", true, 3_000, 32 * KIB),
        ("a compressed long message", true, 1 << 20, 64 * KIB),
    ] {
        let held = held_by_itself(Talk { deflate, len });
        println!("behind {what}: {held} bytes");
        assert!(held > 100, "it is counted: {held}");
        assert!(held <= bar, "behind {what}: {held} bytes, {bar} are allowed");
    }
}
