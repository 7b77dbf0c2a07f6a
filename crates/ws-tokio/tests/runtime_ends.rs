//! A runtime that is shut down with connections on it: they end, who holds one outside is told, and nothing hangs or panics.

mod support;

use std::{sync::mpsc, thread, time::Duration};

use support::visitor::{self, REQUEST};
use tokio::{
    io::AsyncWriteExt as _,
    net::TcpStream,
    runtime::{Builder, Runtime},
    time::timeout,
};
use ws_testkit::Frame;
use ws_tokio::{
    Error, Group, Handle, MemberOptions, Server, ServerStream, SlowConsumer, WebSocket,
    endpoint::{
        driver::{CloseCode, Prepared},
        frame::Role,
    },
};

const IN_TIME: Duration = Duration::from_secs(20);

/// A runtime with one thread, and one with two.
fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.worker_threads(2).enable_all().build().expect("a runtime"))
}

/// Ends a runtime; that this may hang is what is asked.
fn end(runtime: Runtime) {
    let (done, ended) = mpsc::channel();
    let ends = thread::spawn(move || {
        drop(runtime);
        done.send(()).expect("waited for");
    });
    ended.recv_timeout(IN_TIME).expect("the runtime does not end, or panics");
    ends.join().expect("no panic");
}

/// A server that echoes, and connections of clients in each state: half a request, idle, half a frame, a Close without an end,
/// and an echo that is not read.
async fn visited() -> (Server, Vec<TcpStream>) {
    let server = Server::builder().bind("127.0.0.1:0").await.expect("it listens");
    let serves = server.clone();
    tokio::spawn(async move {
        let echo = |mut conn: ws_tokio::ServerConnection| async move {
            while let Some(message) = conn.socket.recv().await {
                conn.socket.send(message?).await?;
            }
            Ok::<_, Error>(())
        };
        serves.serve(echo).await;
    });
    let address = server.local_addrs()[0].tcp().expect("TCP");
    let behind: [&[u8]; 5] = [
        b"",
        b"",
        &Frame::text("cut").by(Role::Client)[..5],
        &Frame::close(1000, "").by(Role::Client),
        &Frame::binary(vec![0; 4 << 20]).by(Role::Client),
    ];
    let mut clients = Vec::new();
    for (number, behind) in behind.into_iter().enumerate() {
        let mut client = TcpStream::connect(address).await.expect("connected");
        let request = REQUEST.as_bytes();
        if number == 0 {
            client.write_all(&request[..request.len() / 2]).await.expect("written");
        } else {
            client.write_all(request).await.expect("written");
            visitor::answer(&mut client).await;
            client.write_all(behind).await.expect("written");
        }
        clients.push(client);
    }
    (server, clients)
}

#[test]
fn every_connection_of_a_server_ends_with_its_runtime() {
    for runtime in runtimes() {
        let (server, clients) = runtime.block_on(visited());
        let clients: Vec<_> = clients
            .into_iter()
            .map(|client| {
                let client = client.into_std().expect("TCP");
                client.set_nonblocking(false).expect("set");
                client.set_read_timeout(Some(IN_TIME)).expect("set");
                client
            })
            .collect();
        end(runtime);
        for (number, mut client) in clients.into_iter().enumerate() {
            let mut rest = Vec::new();
            let read = std::io::Read::read_to_end(&mut client, &mut rest);
            let timed_out = read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            assert!(!timed_out, "the connection of client {number} is still open");
        }
        assert!(server.clients().is_empty());
    }
}

/// What is held outside of the runtime that ends.
struct Held {
    ws: WebSocket<ServerStream>,
    dropped: WebSocket<ServerStream>,
    handle: Handle,
    group: Group,
    /// The other ends, which do nothing.
    _clients: [WebSocket<TcpStream>; 3],
    _server: Server,
}

async fn held() -> Held {
    let server = Server::builder().bind("127.0.0.1:0").await.expect("it listens");
    let mut clients = Vec::new();
    let mut sockets = Vec::new();
    for _ in 0..3 {
        let (client, conn) = visitor::pair(&server).await;
        clients.push(client);
        sockets.push(conn.socket);
    }
    let [mut ws, dropped, spawned] = <[_; 3]>::try_from(sockets).expect("three");
    ws.send("hello").await.expect("sent");
    // It waits, so that its timer runs.
    assert!(support::poll_once(ws.recv()).is_pending());
    let (handle, group) = (spawned.spawn(8), Group::new());
    group.add(&handle.sender(), MemberOptions::new(SlowConsumer::Wait)).expect("open");
    let _clients = <[_; 3]>::try_from(clients).expect("three");
    Held { ws, dropped, handle, group, _clients, _server: server }
}

#[test]
fn who_holds_something_of_a_runtime_that_has_ended_is_told() {
    for runtime in runtimes() {
        let Held { mut ws, dropped, mut handle, group, _clients, _server } = runtime.block_on(held());
        end(runtime);
        drop(dropped);
        let [next, _] = runtimes();
        next.block_on(async {
            let received = timeout(IN_TIME, ws.recv()).await.expect("in time");
            assert!(matches!(received, Some(Err(_))), "{received:?}");
            assert!(timeout(IN_TIME, ws.recv()).await.expect("in time").is_none(), "told once");
            assert!(timeout(IN_TIME, ws.send("late")).await.expect("in time").is_err());
            let closed = timeout(IN_TIME, ws.close(CloseCode::NORMAL, "")).await.expect("in time");
            assert!(closed.is_err() || closed.is_ok_and(|closed| !closed.is_some_and(|it| it.is_clean())));

            let received = timeout(IN_TIME, handle.recv()).await.expect("in time");
            assert!(matches!(received, Some(Err(Error::Lost))), "{received:?}");
            assert!(timeout(IN_TIME, handle.send("late")).await.expect("in time").is_err());
            let _nothing_waits = timeout(IN_TIME, handle.flush()).await.expect("in time");
            let tally = timeout(IN_TIME, group.send(&Prepared::new("news"))).await.expect("in time");
            assert_eq!(tally.queued, 0);
        });
        drop(ws);
    }
}

/// Timers of tokio belong to their runtime, and panic when it has gone. That is the task's own, and nothing is left behind.
#[test]
fn who_takes_a_connection_that_has_waited_to_another_runtime_is_unwound_alone() {
    for runtime in runtimes() {
        let (mut ws, mut peer) = support::facing_raw(Role::Server, 1 << 16);
        let (mut other, mut other_peer) = support::facing_raw(Role::Server, 1 << 16);
        runtime.block_on(async {
            assert!(support::poll_once(ws.recv()).is_pending(), "its timer runs");
        });
        end(runtime);
        let [next, _] = runtimes();
        next.block_on(async {
            let polls = tokio::spawn(async move {
                let _waits = ws.recv().await;
            });
            let ended = timeout(IN_TIME, polls).await.expect("in time");
            assert!(ended.expect_err("a timer of a runtime that has gone").is_panic());
            assert_eq!(timeout(IN_TIME, peer.recv()).await.expect("in time"), None);
            other_peer.send(Frame::text("hello")).await;
            let message = timeout(IN_TIME, other.recv()).await.expect("in time").expect("not the end");
            assert_eq!(message.expect("a message").as_text(), Some("hello"));
        });
    }
}
