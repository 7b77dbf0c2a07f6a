//! One connection, from the transport to the closing handshake.
//!
//! Idle connections are what a server has most of, so the task of one is kept small. The handshake has a task of its own
//! among others of its kind, which is gone when the connection is open; the connection is on the heap in its exact size; and
//! what waits for messages holds nothing but pointers to it.

use std::{
    fmt,
    future::poll_fn,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::LocalSet,
    time,
};
use ws_stack::{AcceptError, CloseCode, Error, FirstRequest, WebSocket};

use super::{
    listen::NODELAY_IS_INHERITED,
    room,
    service::{Behaviour, Service},
    stop::Watch,
};
use crate::print;

/// What has come of a handshake; `None` when a page was all that was asked for.
type Opened<S> = Result<Option<WebSocket<S>>, AcceptError>;

/// Has a connection go through its handshake among the `crowd`, and gives it a task of its own when it is open.
pub(super) fn admit(
    crowd: &LocalSet,
    stream: TcpStream,
    peer: SocketAddr,
    service: &Arc<Service>,
    watch: Watch,
) {
    let peer = Peer::new(peer, service.verbose);
    if !NODELAY_IS_INHERITED {
        // Without it a reply may wait for the acknowledgement of the one before. A failure costs that and nothing else.
        let _ = stream.set_nodelay(true);
    }
    let service = Arc::clone(service);
    // On the heap by itself: a task's own memory is aligned to cache lines, and leaves holes between those that stay.
    if service.tls.is_some() {
        crowd.spawn_local(Box::pin(async move {
            run(open_secured(stream, &service).await, &service, watch, peer);
        }));
    } else {
        crowd.spawn_local(Box::pin(async move { run(open(stream, &service).await, &service, watch, peer) }));
    }
}

/// Spawns what the service does with its connections.
fn run<S>(opened: Opened<S>, service: &Arc<Service>, mut watch: Watch, peer: Peer)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut ws = match opened {
        Ok(Some(ws)) => ws,
        Ok(None) => return,
        Err(error) => return peer.tell::<AcceptError>(Err(error)),
    };
    peer.note_agreed(ws.subprotocol(), ws.extensions());
    match &service.behaviour {
        Behaviour::Echo => tokio::spawn(async move {
            let ended = poll_fn(|cx| poll_echo(&mut ws, &mut watch, cx)).await;
            match ended {
                Some(result) => peer.tell(result),
                None => peer.tell(Box::pin(leave(&mut ws)).await),
            }
        }),
        Behaviour::Broadcast(room) => {
            let room = Arc::clone(room);
            tokio::spawn(async move {
                peer.tell(room::attend(&room, &mut ws, &mut watch).await);
            })
        }
    };
}

/// The opening handshake, or the page.
async fn open<S>(stream: S, service: &Service) -> Opened<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match FirstRequest::read(stream, &service.config).await? {
        FirstRequest::Upgrade(upgrade) => Ok(Some(upgrade.accept().await?)),
        FirstRequest::Plain(plain) => {
            let response = service.page.answer(plain.request());
            Box::pin(plain.respond(&response)).await?;
            Ok(None)
        }
    }
}

/// TLS and the opening handshake, within the time of one handshake from the first byte on: who has used it up with TLS is
/// left a second to be told 408 and no more.
async fn open_secured(
    stream: TcpStream,
    service: &Service,
) -> Opened<tokio_rustls::server::TlsStream<TcpStream>> {
    let opening = async { open(secure(stream, service).await?, service).await };
    match service.config.handshake_timeout {
        None => opening.await,
        Some(timeout) => time::timeout(timeout.saturating_add(Duration::from_secs(1)), opening)
            .await
            .unwrap_or(Err(AcceptError::Left)),
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

/// Sends every message back, in the lent form: replies to one batch of messages leave in one write. Ready with `None`
/// when the server stops.
fn poll_echo<S>(
    ws: &mut WebSocket<S>,
    watch: &mut Watch,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<(), Error>>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (rx, tx) = ws.halves();
    loop {
        let fed = match rx.poll_recv(tx, cx) {
            Poll::Ready(Some(Ok(message))) => tx.feed(message).map_err(Error::from),
            Poll::Ready(Some(Err(error))) => Err(error),
            Poll::Ready(None) => return Poll::Ready(Some(Ok(()))),
            Poll::Pending => return watch.poll(cx).map(|()| None),
        };
        if fed.is_err() {
            return Poll::Ready(Some(fed));
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

    /// Tells what the opening handshake has agreed on.
    fn note_agreed(&self, subprotocol: Option<&str>, extensions: &[&str]) {
        if let Some(peer) = &self.0 {
            let subprotocol = subprotocol.unwrap_or("none");
            let extensions = if extensions.is_empty() { "none".to_owned() } else { extensions.join(", ") };
            print::error(format_args!("{peer}: open, subprotocol: {subprotocol}, extensions: {extensions}"));
        }
    }

    fn tell<E: fmt::Display>(&self, result: Result<(), E>) {
        if let (Some(peer), Err(error)) = (&self.0, result) {
            print::error(format_args!("{peer}: {error}"));
        }
    }
}
