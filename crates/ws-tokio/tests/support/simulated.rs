//! A network that is simulated, of hosts with clocks of their own: its links can be cut, held up or slow. The same seed is
//! the same story.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::Instant;
use turmoil::{
    Builder, Sim,
    net::{TcpListener, TcpStream},
};
use ws_tokio::{Address, ClientStream, Connect, Error, Listener, Server, ServerStream, WebSocket};

/// What the host of the server is called.
pub const SERVER: &str = "server";

/// The network's grain: nothing is more exact than some of these.
pub const TICK: Duration = Duration::from_millis(20);

/// A network whose delays are drawn from this seed: up to a tenth of a second.
pub fn network(seed: u64) -> Sim<'static> {
    Builder::new()
        .rng_seed(seed)
        .enable_random_order()
        .tick_duration(TICK)
        .simulation_duration(Duration::from_secs(3_600))
        .tcp_capacity(4_096)
        .build()
}

/// Where a server of this network listens.
struct Simulated(TcpListener);

impl Listener for Simulated {
    async fn accept(&mut self) -> std::io::Result<(ServerStream, Address)> {
        let (stream, peer) = self.0.accept().await?;
        Ok((ServerStream::new(stream), peer.into()))
    }

    fn local_addr(&self) -> Address {
        Address::Other(SERVER.into())
    }
}

/// A server that echoes, and tells how each of its connections has ended.
pub async fn start(story: Story) -> turmoil::Result<Server> {
    let listener = Simulated(TcpListener::bind("0.0.0.0:80").await?);
    let server = Server::builder().listener(listener).start().await?;
    let serving = server.clone();
    tokio::spawn(async move {
        serving
            .serve(move |mut conn| {
                let story = story.clone();
                async move {
                    let ended = echo(&mut conn.socket).await;
                    let code = conn.socket.closed().map(|closed| closed.code);
                    story.tell(format_args!("server: {ended:?} {code:?}"));
                }
            })
            .await;
    });
    Ok(server)
}

async fn echo(ws: &mut WebSocket<ServerStream>) -> Result<(), Error> {
    let (rx, tx) = ws.halves();
    while let Some(message) = rx.recv(tx).await {
        tx.feed(message?)?;
    }
    Ok(())
}

/// The software of the server's host.
pub fn serve(
    story: &Story,
) -> impl Fn() -> std::pin::Pin<Box<dyn Future<Output = turmoil::Result>>> + 'static {
    let story = story.clone();
    move || {
        let story = story.clone();
        Box::pin(async move {
            let _server = start(story).await?;
            std::future::pending().await
        })
    }
}

/// A client of the server.
pub fn connect() -> Connect {
    let address = format!("ws://{SERVER}/");
    Connect::new(&address).expect("an address").connector(|host, port| TcpStream::connect((host, port)))
}

/// Sends something and receives it again.
pub async fn ask(ws: &mut WebSocket<ClientStream>, text: &str) -> Result<(), Error> {
    ws.send(text).await?;
    let answer = ws.recv().await.ok_or(Error::Lost)??;
    assert_eq!(answer.as_text(), Some(text));
    Ok(())
}

/// What happened, and when.
#[derive(Clone, Default)]
pub struct Story(Arc<Mutex<Vec<(Duration, String)>>>);

impl Story {
    pub fn tell(&self, what: impl fmt::Display) {
        self.note(turmoil::sim_elapsed().expect("told inside of a simulation"), what);
    }

    /// The same from outside.
    pub fn note(&self, now: Duration, what: impl fmt::Display) {
        self.0.lock().expect("no panic").push((now, what.to_string()));
    }

    pub fn has(&self, part: &str) -> bool {
        self.all().iter().any(|(_, told)| told.contains(part))
    }

    pub fn all(&self) -> Vec<(Duration, String)> {
        self.0.lock().expect("no panic").clone()
    }

    /// Waits until something was told that has this in it, and gives all of it.
    pub async fn until(&self, part: &str) -> String {
        loop {
            if let Some((_, told)) = self.all().into_iter().find(|(_, told)| told.contains(part)) {
                return told;
            }
            tokio::time::sleep(TICK).await;
        }
    }
}

/// That it took from `least` to `most` seconds since then, give or take what the network adds.
pub fn assert_took(since: Instant, least: u64, most: u64) {
    let took = since.elapsed();
    let (least, most) = (Duration::from_secs(least), Duration::from_secs(most));
    assert!(least <= took && took <= most + Duration::from_millis(500), "{took:?}");
}
