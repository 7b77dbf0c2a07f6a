//! What an idle connection holds.

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream as StdStream,
};

use support::poll_once;
use tokio::net::{TcpListener, TcpStream};
use ws_testkit::{Frame, Heap};
use ws_tokio::{WebSocket, endpoint::frame::Role};

#[global_allocator]
static HEAP: Heap = Heap;

const CONNECTIONS: usize = 50;

/// What a connection may cost in all while it is idle, in itself and on the heap, the runtime's part counted.
const IDLE: usize = 1230;

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A connection and its client, which costs no heap.
async fn connect(listener: &TcpListener) -> (WebSocket<TcpStream>, StdStream) {
    let mut client = StdStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let (server, _) = listener.accept().await.expect("accepted");
    client.write_all(REQUEST).expect("written");
    let ws = ws_tokio::accept(server).await.expect("a handshake");
    let mut answer = [0; 129];
    client.read_exact(&mut answer).expect("an answer");
    assert!(answer.ends_with(b"\r\n\r\n"));
    (ws, client)
}

/// Lets a client's messages come back.
async fn talk(ws: &mut WebSocket<TcpStream>, client: &mut StdStream, lens: &[usize], back: &mut [u8]) {
    for &len in lens {
        client.write_all(&Frame::binary(vec![1; len]).by(Role::Client)).expect("written");
        let (rx, tx) = ws.halves();
        let message = rx.recv(tx).await.expect("not the end").expect("a message");
        tx.feed(message).expect("fed");
        rx.flush(tx).await.expect("flushed");
        let header = if len < 126 {
            2
        } else if len < 65_536 {
            4
        } else {
            10
        };
        client.read_exact(&mut back[..header + len]).expect("an echo");
    }
}

/// The connection waits for a message, as a server's do that have nothing to do.
fn idle(ws: &mut WebSocket<TcpStream>) {
    assert!(poll_once(ws.recv()).is_pending());
}

fn live() -> isize {
    Heap::held()
}

#[tokio::test]
async fn an_idle_connection_holds_no_buffer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut back = vec![0; 128 * 1024];
    let lens = [10, 1000, 60_000];
    let (mut warm, mut client) = connect(&listener).await;
    talk(&mut warm, &mut client, &lens, &mut back).await;
    idle(&mut warm);

    let mut connections = Vec::with_capacity(CONNECTIONS);
    let before = live();
    for _ in 0..CONNECTIONS {
        let mut connection = connect(&listener).await;
        idle(&mut connection.0);
        connections.push(connection);
    }
    let fresh = (live() - before) / CONNECTIONS.cast_signed();
    for (ws, client) in &mut connections {
        talk(ws, client, &lens, &mut back).await;
        idle(ws);
    }
    let used = (live() - before) / CONNECTIONS.cast_signed();

    let own = size_of::<WebSocket<TcpStream>>();
    println!("an idle connection: {own} bytes, {fresh} on the heap; {used} after traffic");
    assert!(own + fresh.unsigned_abs() <= IDLE, "{own} + {fresh}");
    assert!(used <= fresh + 64, "{fresh}, and {used} after traffic");
}

/// It has got a message, as its own, and does something else for a while before it asks for the next.
#[tokio::test]
async fn a_busy_application_holds_no_buffer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut connections = Vec::with_capacity(10);
    let mut before = 0;
    // The first ones make what all connections of the thread take in turn.
    for (at, len) in [10, 1000, 20_000, 10, 1000, 15_000, 10, 1000].into_iter().enumerate() {
        if at == 3 {
            before = live();
        }
        let (mut ws, mut client) = connect(&listener).await;
        client.write_all(&Frame::binary(vec![1; len]).by(Role::Client)).expect("written");
        let message = ws.recv().await.expect("not the end").expect("a message");
        ws.send(message).await.expect("sent");
        connections.push((ws, client));
    }
    let held = (live() - before) / 5;
    println!("{held} bytes");
    assert!(held <= IDLE.cast_signed(), "{held} bytes each");
}

#[tokio::test]
async fn a_lent_echo_allocates_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (mut ws, mut client) = connect(&listener).await;
    let mut back = vec![0; 128 * 1024];
    for len in [16, 1000, 16_000] {
        talk(&mut ws, &mut client, &[len; 100], &mut back).await;
        let frame = Frame::binary(vec![1; len]).by(Role::Client);
        let header = if len < 126 { 2 } else { 4 };
        let before = Heap::calls();
        for _ in 0..1000 {
            client.write_all(&frame).expect("written");
            let (rx, tx) = ws.halves();
            let message = rx.recv(tx).await.expect("not the end").expect("a message");
            tx.feed(message).expect("fed");
            rx.flush(tx).await.expect("flushed");
            client.read_exact(&mut back[..header + len]).expect("an echo");
        }
        let calls = Heap::calls() - before;
        assert!(calls < 10, "{calls} allocations in 1000 echoes of {len} bytes");
    }
}

#[tokio::test]
async fn an_echo_task_is_small() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (mut ws, _client) = connect(&listener).await;
    let own = size_of_val(&ws);
    let lent = async move {
        let (rx, tx) = ws.halves();
        while let Some(Ok(message)) = rx.recv(tx).await {
            if tx.feed(message).is_err() {
                break;
            }
        }
    };
    let (mut ws, _client) = connect(&listener).await;
    let owned = async move {
        while let Some(Ok(message)) = ws.recv().await {
            if ws.send(message).await.is_err() {
                break;
            }
        }
    };
    let (lent, owned) = (size_of_val(&lent), size_of_val(&owned));
    println!("a connection: {own} bytes; an echo task: lent {lent}, owned {owned}");
    assert!(own <= 24, "{own} bytes beside the box that a connection is in");
    assert!(lent <= own + 100, "{lent} bytes");
    assert!(owned <= own + 200, "{owned} bytes");
}
