//! One connection, from the transport to the closing handshake.
//!
//! Idle connections are what a server has most of, so the task of one is kept small: the handshake has a future of its own
//! on the heap, which is gone when the connection is open, and so are the loop's variables but for two pointers.

use std::{
    fmt,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time,
};
use ws_stack::{AcceptError, CloseCode, Error, FirstRequest, WebSocket};

use super::{
    room,
    service::{Behaviour, Service},
    stop::Watch,
};
use crate::print;

/// The handshake of a connection; `None` when a page was all that was asked for.
type Opening<S> = Pin<Box<dyn Future<Output = Result<Option<Box<WebSocket<S>>>, AcceptError>> + Send>>;

/// Gives a connection its task.
pub(super) fn spawn(stream: TcpStream, peer: SocketAddr, service: &Arc<Service>, watch: Watch) {
    let peer = Peer::new(peer, service.verbose);
    // Without it a reply may wait for the acknowledgement of the one before. A failure costs that and nothing else.
    let _ = stream.set_nodelay(true);
    let shared = Arc::clone(service);
    if service.tls.is_some() {
        let opening = Box::pin(async move { open(secure(stream, &shared).await?, &shared).await });
        run(opening, service, watch, peer);
    } else {
        run(Box::pin(async move { open(stream, &shared).await }), service, watch, peer);
    }
}

/// Spawns what the service does with its connections.
fn run<S>(opening: Opening<S>, service: &Arc<Service>, mut watch: Watch, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match &service.behaviour {
        Behaviour::Echo => tokio::spawn(async move {
            if let Some(mut ws) = opened(opening, &mut watch, &peer).await {
                peer.tell(echo(&mut ws, &mut watch).await);
            }
        }),
        Behaviour::Broadcast(room) => {
            let room = Arc::clone(room);
            tokio::spawn(async move {
                if let Some(mut ws) = opened(opening, &mut watch, &peer).await {
                    peer.tell(room::attend(&room, &mut ws, &mut watch).await);
                }
            })
        }
    };
}

/// Waits for the handshake. A server that stops does not: the transport is dropped.
async fn opened<S>(opening: Opening<S>, watch: &mut Watch, peer: &Peer) -> Option<Box<WebSocket<S>>> {
    watch.or(opening).await?.map_err(|error| peer.tell::<AcceptError>(Err(error))).ok().flatten()
}

/// The opening handshake, or the page.
async fn open<S>(stream: S, service: &Service) -> Result<Option<Box<WebSocket<S>>>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match FirstRequest::read(stream, &service.config).await? {
        FirstRequest::Upgrade(upgrade) => Ok(Some(Box::new(upgrade.accept().await?))),
        FirstRequest::Plain(plain) => {
            let response = service.page.answer(plain.request());
            plain.respond(&response).await?;
            Ok(None)
        }
    }
}

/// TLS, within the time that a handshake may take.
async fn secure(
    stream: TcpStream,
    service: &Service,
) -> Result<tokio_rustls::server::TlsStream<TcpStream>, AcceptError> {
    let Some(tls) = &service.tls else { return Err(AcceptError::Left) };
    let accept = tls.0.accept(stream);
    match service.config.handshake_timeout {
        None => Ok(accept.await?),
        Some(timeout) => Ok(time::timeout(timeout, accept).await.map_err(|_| AcceptError::Left)??),
    }
}

/// Sends every message back, in the lent form: replies to one batch of messages leave in one write.
async fn echo<S>(ws: &mut WebSocket<S>, watch: &mut Watch) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (rx, tx) = ws.halves();
    loop {
        let next = watch.or(pin!(rx.recv(tx))).await;
        match next {
            Some(Some(message)) => tx.feed(message?)?,
            Some(None) => return Ok(()),
            None => return leave(ws).await,
        }
    }
}

/// Closes with 1001 because the server stops.
pub(super) async fn leave<S>(ws: &mut WebSocket<S>) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ws.close(CloseCode::GOING_AWAY, "server stops").await?;
    Ok(())
}

/// Whom to name when a connection fails: nobody, unless failures are told.
struct Peer(Option<Box<SocketAddr>>);

impl Peer {
    fn new(address: SocketAddr, verbose: bool) -> Self {
        Self(verbose.then(|| Box::new(address)))
    }

    fn tell<E: fmt::Display>(&self, result: Result<(), E>) {
        if let (Some(peer), Err(error)) = (&self.0, result) {
            print::error(format_args!("{peer}: {error}"));
        }
    }
}
