//! From the answer to the connection.

use std::{
    future::{Future, poll_fn},
    mem,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Request;
use hyper::{
    rt::{Read, Write},
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};
use ws_endpoint::{Accepted, Opened};
use ws_tokio::{Address, Clients};

use crate::{
    Error,
    transport::{WebSocket, downcast, transport},
};

/// A connection to be: it opens when the HTTP server has sent the answer and handed the transport over.
///
/// Await it in a task of its own, because the HTTP server sends the answer only after its handler has returned.
/// [`with_request`](Self::with_request) gives the request, too. What the HTTP server has read behind the request is kept.
///
/// The time that it may take is the config's [`handshake_timeout`](ws_endpoint::ServerConfig::handshake_timeout), counted
/// from the moment when it was made.
///
/// # Errors
/// [`Error`].
///
/// # Cancel safety
/// The transport is dropped with it.
#[must_use = "a connection opens when this is awaited, in a task of its own"]
#[derive(Debug)]
pub struct Upgrading {
    on_upgrade: OnUpgrade,
    deadline: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    /// None when it has opened.
    accepted: Option<Box<Accepted>>,
    /// The request as it came, where it is not the one that was accepted.
    came: Option<Box<Request<()>>>,
    clients: Option<Clients>,
}

impl Upgrading {
    pub(crate) fn new(
        on_upgrade: OnUpgrade,
        accepted: Accepted,
        came: Option<Box<Request<()>>>,
        deadline: Option<Instant>,
    ) -> Self {
        Self { on_upgrade, deadline, timer: None, accepted: Some(Box::new(accepted)), came, clients: None }
    }

    /// The request that was accepted; `None` when this has given its connection.
    #[must_use]
    pub fn request(&self) -> Option<&Request<()>> {
        let accepted = self.accepted.as_deref()?;
        Some(self.came.as_deref().unwrap_or_else(|| accepted.request()))
    }

    /// Enters the connection into these when it opens: to count all that are open, to close them, and to shut down. A
    /// [`ws_tokio::Address`] in the request's extensions is the peer's; without one it is the transport's where that is TCP.
    pub fn tracked(mut self, clients: &Clients) -> Self {
        self.clients = Some(clients.clone());
        self
    }

    /// The connection, and the request that it came from with everything that middleware has put into it.
    ///
    /// # Errors
    /// As when this is awaited itself.
    ///
    /// # Cancel safety
    /// The transport is dropped with the future.
    pub async fn with_request(mut self) -> Result<(WebSocket, Request<()>), Error> {
        poll_fn(|cx| self.poll_open(cx)).await
    }

    /// The same over the very stream that the HTTP server was given in a `TokioIo<S>`: for a TLS stream or a type of your
    /// own, without a virtual call for each read and write.
    ///
    /// # Errors
    /// As when this is awaited itself, and [`Error::OtherTransport`] if the stream is no `S`.
    ///
    /// # Cancel safety
    /// The transport is dropped with the future.
    pub async fn over<S>(mut self) -> Result<(ws_tokio::WebSocket<S>, Request<()>), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        TokioIo<S>: Read + Write + Unpin + 'static,
    {
        poll_fn(|cx| {
            let upgraded = ready!(self.poll_upgraded(cx))?;
            let (io, read) = downcast(upgraded).map_err(|_| Error::OtherTransport)?;
            Poll::Ready(self.open(io, &read, None, cx))
        })
        .await
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<(WebSocket, Request<()>), Error>> {
        let (io, read) = transport(ready!(self.poll_upgraded(cx))?);
        let peer = io.tcp().and_then(|tcp| tcp.peer_addr().ok());
        Poll::Ready(self.open(io, &read, peer, cx))
    }

    fn poll_upgraded(&mut self, cx: &mut Context<'_>) -> Poll<Result<Upgraded, Error>> {
        if self.accepted.is_none() {
            return Poll::Pending; // It has given its connection, and has no second one.
        }
        if let Poll::Ready(upgraded) = Pin::new(&mut self.on_upgrade).poll(cx) {
            return Poll::Ready(upgraded.map_err(Error::NotHandedOver));
        }
        let Some(deadline) = self.deadline else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        timer.as_mut().poll(cx).map(|()| Err(Error::Timeout))
    }

    /// Makes the connection. A client that has left already makes none: there is nobody to talk to.
    fn open<S>(
        &mut self,
        mut io: S,
        read: &[u8],
        peer: Option<SocketAddr>,
        cx: &mut Context<'_>,
    ) -> Result<(ws_tokio::WebSocket<S>, Request<()>), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let accepted = self.accepted.take().ok_or(Error::Left)?;
        let mut space = [0; 1024];
        let mut more = ReadBuf::new(&mut space);
        let looked = Pin::new(&mut io).poll_read(cx, &mut more);
        let has_ended = matches!(looked, Poll::Ready(Ok(()))) && more.filled().is_empty();
        if read.is_empty() && (has_ended || matches!(looked, Poll::Ready(Err(_)))) {
            return Err(Error::Left);
        }
        let mut opened: Opened = accepted.open(Instant::now().into_std());
        let buf = opened.connection.receiver().buffer();
        buf.extend_from_slice(read);
        buf.extend_from_slice(more.filled());
        let request = mem::take(&mut opened.handshake.request).into_request();
        let request = *self.came.take().unwrap_or(request);
        let mut socket = ws_tokio::WebSocket::from_opened(io, opened);
        if let Some(clients) = self.clients.take() {
            let peer = request.extensions().get().cloned().or(peer.map(Address::Tcp));
            let peer = peer.unwrap_or_else(|| Address::Other("unknown".into()));
            clients.track(&mut socket, peer, request.uri().path());
        }
        Ok((socket, request))
    }
}

impl Future for Upgrading {
    type Output = Result<WebSocket, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_open(cx).map_ok(|(socket, _)| socket)
    }
}
