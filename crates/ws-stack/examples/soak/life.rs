//! A client's life, from its first packet to its last.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use ws_stack::{BoxError, Connect, WebSocket};
use ws_testkit::Rng;

use super::{
    leave::{self, Way},
    stop::Stop,
    talk::{self, PATIENCE},
    tally::Tally,
};

/// So many places share an address: each address has some 28,000 ports, and those that were left rest for a minute. One that
/// is taken again before may have to wait.
const PLACES: u64 = 100;

/// One in so many asks for a page, and one sends half of a request and is gone.
const STRAYS: usize = 50;

/// A place among the clients: it lives one life after the other.
pub(crate) struct Visitor {
    server: SocketAddr,
    from: Ipv4Addr,
    pause: usize,
    turns: Arc<Semaphore>,
    tally: Arc<Tally>,
    pub(crate) stop: Stop,
}

impl Visitor {
    pub(crate) fn new(
        server: SocketAddr,
        place: u64,
        pause: usize,
        turns: Arc<Semaphore>,
        tally: Arc<Tally>,
        stop: Stop,
    ) -> Self {
        let host = u8::try_from(1 + place / PLACES % 250).unwrap_or(1);
        Self { server, from: Ipv4Addr::new(127, 0, 0, host), pause, turns, tally, stop }
    }

    /// Lives the life of this seed.
    pub(crate) async fn live(&self, seed: u64) {
        let mut rng = Rng::new(seed);
        let lived = match rng.below(STRAYS) {
            0 => self.ask_for_a_page().await,
            1 => self.ask_halfway(&mut rng).await,
            _ => self.visit(&mut rng).await,
        };
        if let Err(error) = lived {
            self.tally.fails(seed, &error.to_string());
        }
    }

    /// Opens a connection, talks, and leaves.
    async fn visit(&self, rng: &mut Rng) -> Result<(), BoxError> {
        let way = Way::choose(rng);
        let tcp = self.dial(way).await?;
        self.tally.begins();
        let lived = async {
            let mut ws = self.open(tcp, rng).await?;
            let mut stop = self.stop.clone();
            talk::talk(&mut ws, rng, self.pause, &self.tally, &mut stop).await?;
            leave::leave(ws, way, rng, stop).await.map_err(|error| format!("{way:?}: {error}").into())
        };
        let lived = lived.await;
        self.tally.ends();
        lived
    }

    async fn dial(&self, way: Way) -> Result<TcpStream, BoxError> {
        let _turn = self.turns.acquire().await?;
        let socket = TcpSocket::new_v4()?;
        if way == Way::LeaveUnread {
            socket.set_recv_buffer_size(4_096)?;
        }
        socket.bind((self.from, 0).into())?;
        let tcp =
            timeout(PATIENCE, socket.connect(self.server)).await.map_err(|_| "it did not connect")??;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    async fn open(&self, tcp: TcpStream, rng: &mut Rng) -> Result<WebSocket<TcpStream>, BoxError> {
        let mut connect = Connect::new(&format!("ws://{}/", self.server))?.handshake_timeout(Some(PATIENCE));
        if rng.once_in(3) {
            connect = connect.without_extensions();
        }
        Ok(connect.over(tcp).await?)
    }

    /// No WebSocket at all: it must be answered like any HTTP request, and the connection ended.
    async fn ask_for_a_page(&self) -> Result<(), BoxError> {
        let mut tcp = self.dial(Way::Close).await?;
        tcp.write_all(format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", self.server).as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, tcp.read_to_end(&mut answer)).await.map_err(|_| "a page did not come")??;
        if answer.starts_with(b"HTTP/1.1 ") { Ok(()) } else { Err("what came is no page".into()) }
    }

    /// Is gone before its request is whole.
    async fn ask_halfway(&self, rng: &mut Rng) -> Result<(), BoxError> {
        const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgr";
        let mut tcp = self.dial(Way::Close).await?;
        Ok(tcp.write_all(&HEAD[..rng.below(HEAD.len())]).await?)
    }
}
