//! Five hundred connections that stay: heartbeats, a broadcast to all, the shutdown.
#![cfg(unix)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit, setrlimit};
use tokio::{sync::Notify, task::JoinSet};
use ws_tokio::{
    Address, Connect, Group, MemberOptions, Server, SlowConsumer,
    endpoint::driver::{CloseCode, Event, Prepared},
};

const CONNECTIONS: usize = 500;

/// Counts to a number, and tells when it is reached.
#[derive(Default)]
struct Count {
    reached: AtomicUsize,
    changed: Notify,
}

impl Count {
    fn one_more(&self) {
        self.reached.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    async fn until(&self, wanted: usize) {
        while self.reached.load(Ordering::Relaxed) < wanted {
            self.changed.notified().await;
        }
    }
}

/// What the clients have seen together.
#[derive(Default)]
struct Seen {
    /// Clients that were sent a ping.
    alive: Count,
    messages: Count,
}

async fn stay(address: Address, seen: Arc<Seen>) -> u16 {
    let connect = Connect::new(&format!("ws://{address}/")).expect("an address");
    let mut ws = connect.open().await.expect("accepted");
    let mut is_alive = false;
    while let Some(event) = ws.recv_event().await {
        match event.expect("a healthy connection") {
            Event::Message(message) => {
                assert_eq!(message.as_bytes(), b"to all");
                seen.messages.one_more();
            }
            Event::Ping(_) if !is_alive => {
                is_alive = true;
                seen.alive.one_more();
            }
            _ => {}
        }
    }
    ws.closed().expect("closed").code
}

#[tokio::test]
async fn five_hundred_connections_live_hear_and_leave() {
    // Both ends are here.
    let (soft, hard) = getrlimit(RLIMIT_NOFILE).expect("a limit");
    setrlimit(RLIMIT_NOFILE, soft.max(hard.min(4096)), hard).expect("a limit below the hard one");

    // Every address has ports of its own; Linux has a whole network of them.
    let hosts = if cfg!(target_os = "linux") { 4 } else { 1 };
    let mut builder = Server::builder().keepalive(Duration::from_millis(200), Duration::from_secs(20));
    for host in 1..=hosts {
        builder = builder.listen(format_args!("127.0.0.{host}:0"));
    }
    let server = builder.start().await.expect("it listens");
    let addresses = server.local_addrs();
    let group = Group::new();
    let (handles, members) = (server.clone(), group.clone());
    let serving = tokio::spawn(async move {
        handles
            .serve(|conn| {
                let mut member = members.subscribe(MemberOptions::new(SlowConsumer::Wait));
                let mut ws = conn.into_socket();
                async move {
                    let (rx, tx) = ws.halves();
                    while let Some(message) = member.recv(rx, tx).await {
                        message?;
                    }
                    Ok::<_, ws_tokio::Error>(())
                }
            })
            .await;
    });

    let seen = Arc::<Seen>::default();
    let mut clients = JoinSet::new();
    for address in addresses.iter().cycle().take(CONNECTIONS) {
        clients.spawn(stay(address.clone(), Arc::clone(&seen)));
    }
    seen.alive.until(CONNECTIONS).await;
    assert_eq!((server.clients().len(), group.count()), (CONNECTIONS, CONNECTIONS));

    let tally = group.send(&Prepared::new("to all")).await;
    assert_eq!((tally.queued, tally.dropped), (CONNECTIONS, 0));
    seen.messages.until(CONNECTIONS).await;

    let report = server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(30)).await;
    assert_eq!((report.answered, report.unanswered), (CONNECTIONS, vec![]));
    while let Some(code) = clients.join_next().await {
        assert_eq!(code.expect("no panic"), 1001);
    }
    serving.await.expect("no panic");
    assert_eq!(group.count(), 0);
}
