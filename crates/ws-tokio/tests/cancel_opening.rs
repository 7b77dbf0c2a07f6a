//! Openings, listeners and waits that are dropped at each of their polls: what is dropped ends, what is kept goes on.

mod support;

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use support::{
    mock::{Mock, Wire, mock},
    poll_once,
    visitor::pipes,
};
use tokio::{sync::Semaphore, task::yield_now};
use ws_testkit::Frame;
use ws_tokio::{
    Clients, Connect, FirstRequest, Group, MemberOptions, Server, SlowConsumer, Upgrade,
    endpoint::{
        driver::{CloseCode, Config, DataKind, Prepared},
        frame::Role,
        handshake::Refusal,
    },
    http::{Request, Response, StatusCode},
};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const PAGE: &str = "GET /page HTTP/1.1\r\nHost: a\r\n\r\n";

/// What an opening does with a transport, to its end.
type Opening = fn(Mock) -> Pin<Box<dyn Future<Output = ()>>>;

const OPENINGS: [(&str, &str, &str, Opening); 8] = [
    ("accept", REQUEST, "101", |io| Box::pin(async { drop(ws_tokio::accept(io).await.expect("accepted")) })),
    ("accept_local", REQUEST, "101", |io| {
        Box::pin(async { drop(ws_tokio::accept_local(io).await.expect("accepted")) })
    }),
    ("accept_with a page", PAGE, "426", |io| {
        Box::pin(async { drop(ws_tokio::accept_with(io, &Arc::default()).await.expect_err("refused")) })
    }),
    ("Upgrade::accept", REQUEST, "101", |io| {
        Box::pin(async {
            let upgrade = Upgrade::read(io, &Arc::default()).await.expect("a request");
            drop(upgrade.accept().await.expect("accepted"));
        })
    }),
    ("Upgrade::accept_local", REQUEST, "101", |io| {
        Box::pin(async {
            let upgrade = Upgrade::read(io, &Arc::default()).await.expect("a request");
            drop(upgrade.accept_local().await.expect("accepted"));
        })
    }),
    ("Upgrade::refuse", REQUEST, "403", |io| {
        Box::pin(async {
            let upgrade = Upgrade::read(io, &Arc::default()).await.expect("a request");
            let refusal = Refusal::new(StatusCode::FORBIDDEN, "not today");
            drop(upgrade.refuse::<()>(refusal).await.expect_err("refused"));
        })
    }),
    ("FirstRequest::respond", PAGE, "200", |io| {
        Box::pin(async {
            match FirstRequest::read(io, &Arc::default()).await.expect("a request") {
                FirstRequest::Plain(plain) => {
                    plain.respond(&Response::new("a page\n")).await.expect("answered");
                }
                other => panic!("{other:?}"),
            }
        })
    }),
    ("NotUpgraded::respond", "", "426", |io| {
        Box::pin(async {
            let request = Request::get("/").header("host", "a").body(()).expect("a request");
            let refused = Upgrade::from_request(io, request, b"", &Arc::default()).expect_err("no WebSocket");
            drop(refused.respond::<()>().await.expect_err("refused"));
        })
    }),
];

/// A transport that is pending before each call, and moves a few bytes at a time.
fn hostile(input: &str) -> (Mock, Wire) {
    let (io, wire) = mock();
    wire.state().stutters = true;
    wire.state().step = 7;
    for bytes in input.as_bytes().chunks(7) {
        wire.push(bytes);
    }
    wire.end(Ok(()));
    (io, wire)
}

#[tokio::test]
async fn an_opening_that_is_dropped_at_any_poll_drops_its_transport() {
    for (name, input, status, opening) in OPENINGS {
        let mut whole = Vec::new();
        for polls in 0.. {
            let (io, wire) = hostile(input);
            let mut future = opening(io);
            let done = (0..polls).any(|_| poll_once(future.as_mut()).is_ready());
            drop(future);
            assert!(wire.is_dropped(), "{name}, {polls} polls");
            let written = wire.written();
            assert!(
                written.starts_with(&whole),
                "{name}, {polls} polls: nothing is written twice or taken back"
            );
            whole = written;
            if done {
                assert!(polls > 10, "{name}: each step was cut: {polls}");
                break;
            }
        }
        let answer = String::from_utf8(whole).expect("text");
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains("\r\n\r\n"),
            "{name}: {answer}"
        );
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{name}: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_is_dropped_at_any_poll_drops_its_transport() {
    type Opened = Pin<Box<dyn Future<Output = bool>>>;
    let ways: [fn(Connect, Mock) -> Opened; 2] = [
        |connect, io| Box::pin(async { connect.over(io).await.is_ok() }),
        |connect, io| Box::pin(async { connect.over_local(io).await.is_ok() }),
    ];
    for way in ways {
        for polls in 0.. {
            let (io, wire) = hostile("");
            let mut future = way(Connect::new("ws://example.com/chat").expect("an address"), io);
            if (0..polls).any(|_| poll_once(future.as_mut()).is_ready()) {
                assert!(
                    wire.written().ends_with(b"\r\n\r\n"),
                    "all of the request has left before it is given up"
                );
                assert!(polls > 20, "each step was cut: {polls}");
                break;
            }
            drop(future);
            assert!(wire.is_dropped(), "{polls} polls");
            let written = String::from_utf8(wire.written()).expect("text");
            assert!("GET /chat HTTP/1.1\r\n".starts_with(&written[..written.len().min(20)]), "{written}");
            assert!(polls < 1_000, "it never ends");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_dropped_while_it_starts_listens_nowhere() {
    for polls in 0.. {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address");
        drop(taken);
        let mut start = Box::pin(Server::builder().listen("localhost:0").bind(address));
        let mut started = None;
        for _ in 0..polls {
            if let Poll::Ready(server) = poll_once(start.as_mut()) {
                started = Some(server.expect("it listens"));
                break;
            }
            yield_now().await;
        }
        drop(start);
        let Some(server) = started else {
            assert!(std::net::TcpListener::bind(address).is_ok(), "{polls} polls: the port is free");
            continue;
        };
        assert_eq!(server.local_addrs().len(), 2);
        break;
    }
}

#[tokio::test]
async fn a_serve_that_is_dropped_accepts_no_more_and_its_handlers_go_on() {
    let (dial, pipe) = pipes();
    let server = Server::builder().listener(pipe).start().await.expect("it listens");
    let served = Arc::new(AtomicUsize::new(0));
    let serve = || {
        let served = Arc::clone(&served);
        server.serve(move |mut conn| {
            served.fetch_add(1, Ordering::Relaxed);
            async move {
                while let Some(message) = conn.socket.recv().await {
                    conn.socket.send(message?).await?;
                }
                Ok::<_, ws_tokio::Error>(())
            }
        })
    };
    let mut clients = Vec::new();
    for number in 1..=5 {
        let opens = async {
            clients.push(dial.connect().await);
            while served.load(Ordering::Relaxed) < number {
                yield_now().await;
            }
        };
        tokio::select! {
            () = serve() => panic!("the server goes on"),
            () = opens => {}
        }
        // Nobody serves now, and all who were served are still.
        for client in &mut clients {
            client.send("still here?").await.expect("sent");
            let message = client.recv().await.expect("not the end").expect("a message");
            assert_eq!(message.as_text(), Some("still here?"));
        }
    }
    let waiting = dial.connect().await;
    for _ in 0..50 {
        yield_now().await;
    }
    assert_eq!(served.load(Ordering::Relaxed), 5, "who comes now waits");
    assert!(server.accept().await.is_some(), "and is not lost");
    drop(waiting);
}

#[tokio::test]
async fn a_shutdown_of_clients_that_is_dropped_has_told_them_and_is_waited_for_again() {
    for polls in 1..5 {
        let clients = Clients::default();
        let (mut ws, mut peer) = support::facing_raw(Role::Server, 4096);
        clients.track(&mut ws, ws_tokio::Address::Other("pipe".into()), "/");
        let task = tokio::spawn(async move { ws.recv().await.is_none() });
        let shutdown = || clients.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(5));
        {
            let mut dropped = Box::pin(shutdown());
            for _ in 0..polls {
                assert!(poll_once(dropped.as_mut()).is_pending());
            }
        }
        assert_eq!(peer.recv().await, Some(Frame::close(1001, "")), "{polls} polls");
        peer.send(Frame::close(1001, "")).await;
        let report = shutdown().await;
        assert_eq!((report.answered, report.unanswered.len()), (1, 0));
        assert!(task.await.expect("no panic"));
        assert_eq!(peer.recv().await, None, "it is told once");
    }
}

#[tokio::test]
async fn what_is_sent_to_all_but_one_is_queued_once_by_the_first_poll() {
    for polls in 0..4 {
        let group = Group::new();
        let members: Vec<_> = (0..3)
            .map(|_| {
                let (ws, peer) = support::facing_raw(Role::Server, 4096);
                let handle = ws.spawn(1);
                let id = group.add(&handle.sender(), MemberOptions::new(SlowConsumer::Wait)).expect("open");
                (handle, peer, id)
            })
            .collect();
        for _ in 0..20 {
            yield_now().await;
        }
        {
            let news = Prepared::new("news");
            let mut sends = Box::pin(group.send_except(&news, members[0].2));
            _ = (0..polls).any(|_| poll_once(sends.as_mut()).is_ready());
        }
        for (number, (handle, mut peer, _)) in members.into_iter().enumerate() {
            // Its own message comes behind the others'.
            handle.send("own").await.expect("sent");
            if polls > 0 && number > 0 {
                assert_eq!(peer.recv().await, Some(Frame::text("news")), "{polls} polls");
            }
            assert_eq!(peer.recv().await, Some(Frame::text("own")), "{polls} polls");
        }
    }
}

#[tokio::test]
async fn a_member_that_drops_its_wait_for_the_next_message_misses_none() {
    for polls in 1..4 {
        let group = Group::new();
        let mut member = group.subscribe(MemberOptions::new(SlowConsumer::Wait));
        for number in ["one", "two", "three"] {
            {
                let mut next = Box::pin(member.next());
                assert!((0..polls).all(|_| poll_once(next.as_mut()).is_pending()), "nothing was sent yet");
                assert_eq!(group.try_send(&Prepared::new(number), None).queued, 1);
            }
            let message = poll_once(member.next());
            assert!(matches!(message, Poll::Ready(Some(message)) if message.as_bytes() == number.as_bytes()));
        }
    }
}

#[tokio::test]
async fn a_message_writer_may_be_finished_again_when_that_was_dropped() {
    for polls in 1..12 {
        let (io, wire) = mock();
        wire.state().stutters = true;
        wire.state().step = 1;
        let mut ws = support::open(io, Config::new(Role::Server));
        let mut message = ws.message_writer(DataKind::Binary).expect("open");
        tokio::io::AsyncWriteExt::write_all(&mut message, b"all of it").await.expect("taken");
        loop {
            let mut finish = Box::pin(message.finish());
            let done = (0..polls).find_map(|_| match poll_once(finish.as_mut()) {
                Poll::Ready(done) => Some(done),
                Poll::Pending => None,
            });
            if let Some(done) = done {
                done.expect("finished");
                break;
            }
        }
        drop(message);
        let frames = ws_testkit::read_frames(Role::Server, &wire.written());
        assert_eq!(frames, [Frame::binary("all of it")], "{polls} polls");
    }
}

/// A resolver that waits is dropped with the client; the next attempt asks anew.
#[tokio::test]
async fn a_hook_of_a_client_is_dropped_with_it() {
    struct Held(Arc<AtomicUsize>);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let (held, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    for polls in 1..4 {
        let (held_too, gate) = (Arc::clone(&held), Arc::clone(&gate));
        let connect = Connect::new("ws://service.test/").expect("an address").resolver(move |_, port| {
            held_too.fetch_add(1, Ordering::Relaxed);
            let (held, gate) = (Held(Arc::clone(&held_too)), Arc::clone(&gate));
            async move {
                let _held = held;
                let _never = gate.acquire().await;
                Ok(vec![([127, 0, 0, 1], port).into()])
            }
        });
        let mut future = Box::pin(connect.open());
        for _ in 0..polls {
            assert!(poll_once(future.as_mut()).is_pending());
        }
        assert_eq!(held.load(Ordering::Relaxed), 1, "it is asked once");
        drop(future);
        assert_eq!(held.load(Ordering::Relaxed), 0, "{polls} polls");
    }
}
