//! The server's side of the opening handshake.

use std::{io, sync::Arc};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, Response};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{self, Duration},
};
use ws_endpoint::{
    AnyRequest, ServerConfig, ServerHandshake, UpgradeRequest,
    handshake::{Body, Refusal, RequestError, ResponseError, write_response},
};

use crate::{WebSocket, timer::Timer};

/// Why a transport did not become a connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was refused, and the client was told with this answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer cannot be made from what the caller gave.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The client left before its request was complete.
    #[error("client left during the opening handshake")]
    Left,
    /// The transport failed.
    #[error("transport failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
}

/// Accepts a connection on a transport, with everything at its default. Of TCP, set `TCP_NODELAY` before: what is
/// written is written in batches already.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:9001").await?;
/// let (stream, _) = listener.accept().await?;
/// stream.set_nodelay(true)?;
/// let mut ws = ws_tokio::accept(stream).await?;
/// ws.send("welcome").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`AcceptError`]. A client that sent a bad request has been answered.
///
/// # Cancel safety
/// A future that is dropped drops the transport.
pub async fn accept<S>(transport: S) -> Result<WebSocket<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    accept_with(transport, &Arc::default()).await
}

/// The same with a config that the connections of a server share.
///
/// # Errors
/// As for [`accept`].
///
/// # Cancel safety
/// As for [`accept`].
pub async fn accept_with<S>(transport: S, config: &Arc<ServerConfig>) -> Result<WebSocket<S>, AcceptError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    // In a box of its own, so that the handshake's state does not stay in the caller's future for as long as the
    // connection lives.
    Box::pin(async { Upgrade::read(transport, config).await?.accept().await }).await
}

/// A request for a WebSocket on a transport: to be inspected, and then accepted or refused.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use ws_tokio::{Upgrade, endpoint::handshake::Refusal, http::StatusCode};
/// # async fn example(stream: tokio::net::TcpStream) -> Result<(), ws_tokio::AcceptError> {
/// let upgrade = Upgrade::read(stream, &Arc::default()).await?;
/// if upgrade.request().uri().path() != "/chat" {
///     return upgrade.refuse(Refusal::new(StatusCode::NOT_FOUND, "nothing is here but /chat")).await;
/// }
/// let mut ws = upgrade.accept().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Upgrade<S> {
    exchange: Exchange<S>,
    request: UpgradeRequest,
}

/// The first request on a transport, of whatever kind.
#[derive(Debug)]
pub enum FirstRequest<S> {
    /// It asks for a WebSocket.
    Upgrade(Upgrade<S>),
    /// It is a plain request, to be answered by the caller.
    Plain(PlainRequest<S>),
}

/// A request that does not ask for a WebSocket.
#[derive(Debug)]
pub struct PlainRequest<S> {
    exchange: Exchange<S>,
    request: Request<()>,
}

/// A transport on which a handshake is under way.
#[derive(Debug)]
struct Exchange<S> {
    io: S,
    buf: BytesMut,
    deadline: Option<time::Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Upgrade<S> {
    /// Reads the request, checks it, and refuses one that breaks a rule with the right status.
    ///
    /// # Errors
    /// As for [`accept`].
    ///
    /// # Cancel safety
    /// As for [`accept`].
    pub async fn read(transport: S, config: &Arc<ServerConfig>) -> Result<Self, AcceptError> {
        let mut handshake = ServerHandshake::new(Arc::clone(config));
        let (exchange, request) = Exchange::new(transport, config).read(|buf| handshake.receive(buf)).await?;
        Ok(Self { exchange, request })
    }

    /// The request as it came.
    pub fn request(&self) -> &Request<()> {
        self.request.request()
    }

    /// What it asks for: host, origin, subprotocols, extensions, version.
    pub fn facts(&self) -> &ws_endpoint::handshake::Upgrade {
        self.request.upgrade()
    }

    /// Chooses the subprotocol, one of those requested, or none.
    ///
    /// # Errors
    /// [`ResponseError::UnrequestedSubprotocol`] for any other.
    pub fn choose_subprotocol(&mut self, chosen: Option<&str>) -> Result<(), ResponseError> {
        self.request.choose_subprotocol(chosen)
    }

    /// Adds a header to the answer that accepts, `Set-Cookie` for one.
    ///
    /// # Errors
    /// [`ResponseError::Header`] for those of the handshake, and for what cannot be sent.
    pub fn add_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), ResponseError> {
        self.request.add_header(name, value)
    }

    /// Accepts: answers 101, and the transport is a connection.
    ///
    /// # Errors
    /// As for [`accept`].
    ///
    /// # Cancel safety
    /// As for [`accept`].
    pub async fn accept(self) -> Result<WebSocket<S>, AcceptError> {
        let Self { mut exchange, request } = self;
        let accepted = match request.accept() {
            Ok(accepted) => accepted,
            Err(refusal) => return exchange.refuse(refusal).await,
        };
        exchange.write(&accepted.response_bytes()).await?;
        let opened = accepted.open(Timer::now());
        Ok(WebSocket::opened(exchange.io, opened, &exchange.buf, false))
    }

    /// Refuses with any answer but 101, and ends the transport.
    ///
    /// # Errors
    /// Always: [`AcceptError::Refused`] with the answer, or what went wrong in sending it.
    ///
    /// # Cancel safety
    /// As for [`accept`].
    pub async fn refuse<T>(self, refusal: Refusal) -> Result<T, AcceptError> {
        self.exchange.refuse(refusal).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FirstRequest<S> {
    /// Reads the first request on a transport. One that asks for a WebSocket and breaks a rule is refused.
    ///
    /// # Errors
    /// As for [`accept`].
    ///
    /// # Cancel safety
    /// As for [`accept`].
    pub async fn read(transport: S, config: &Arc<ServerConfig>) -> Result<Self, AcceptError> {
        let mut handshake = ServerHandshake::new(Arc::clone(config));
        let exchange = Exchange::new(transport, config);
        let (exchange, request) = exchange.read(|buf| handshake.receive_any(buf)).await?;
        Ok(match request {
            AnyRequest::Upgrade(request) => Self::Upgrade(Upgrade { exchange, request }),
            AnyRequest::Plain(request) => Self::Plain(PlainRequest { exchange, request }),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PlainRequest<S> {
    /// The request.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Answers it, and ends the transport.
    ///
    /// # Errors
    /// When the transport fails.
    ///
    /// # Cancel safety
    /// As for [`accept`].
    pub async fn respond<B: Body>(self, response: &Response<B>) -> io::Result<()> {
        self.exchange.end(&write_response(response)).await
    }
}

/// How long a refused client may take to read its answer.
const LINGER: Duration = Duration::from_secs(2);

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    fn new(io: S, config: &ServerConfig) -> Self {
        let deadline = config.handshake_timeout.and_then(|timeout| time::Instant::now().checked_add(timeout));
        Self { io, buf: BytesMut::new(), deadline }
    }

    /// Reads until `parse` finds a request.
    async fn read<R>(
        mut self,
        mut parse: impl FnMut(&mut BytesMut) -> Result<Option<R>, Refusal>,
    ) -> Result<(Self, R), AcceptError> {
        loop {
            match self.fill().await {
                Ok(Some(0)) => return Err(AcceptError::Left),
                Ok(Some(_)) => {}
                Ok(None) => return self.refuse(RequestError::Timeout.into()).await,
                Err(error) => return Err(error.into()),
            }
            match parse(&mut self.buf) {
                Ok(Some(request)) => return Ok((self, request)),
                Ok(None) => {}
                Err(refusal) => return self.refuse(refusal).await,
            }
        }
    }

    /// Reads once; `None` when the time is up.
    async fn fill(&mut self) -> io::Result<Option<usize>> {
        self.buf.reserve(1024);
        let read = self.io.read_buf(&mut self.buf);
        match self.deadline {
            None => read.await.map(Some),
            Some(deadline) => time::timeout_at(deadline, read).await.ok().transpose(),
        }
    }

    async fn write(&mut self, bytes: &Bytes) -> Result<(), AcceptError> {
        let write = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        match self.deadline {
            None => write.await?,
            Some(deadline) => time::timeout_at(deadline, write).await.map_err(|_| AcceptError::Left)??,
        }
        Ok(())
    }

    async fn refuse<T>(self, refusal: Refusal) -> Result<T, AcceptError> {
        self.end(&write_response(refusal.response())).await?;
        Err(refusal.into())
    }

    /// Writes the last bytes, shuts down, and reads on for a moment: a transport that is dropped with unread bytes may
    /// forget what was written. How the client leaves then is its own affair.
    async fn end(mut self, bytes: &Bytes) -> io::Result<()> {
        let end = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await?;
            let mut left = if self.io.shutdown().await.is_ok() { 64 * 1024 } else { 0 };
            while left > 0 {
                self.buf.clear();
                self.buf.reserve(4096);
                match self.io.read_buf(&mut self.buf).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => left -= read.min(left),
                }
            }
            Ok(())
        };
        time::timeout(LINGER, end).await.unwrap_or(Ok(()))
    }
}
