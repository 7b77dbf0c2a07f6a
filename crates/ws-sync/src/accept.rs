//! The server's side of the opening handshake.

use std::{io, sync::Arc, time::Instant};

use http::{HeaderName, HeaderValue, Request, Response};
use thiserror::Error;
use ws_endpoint::{
    Endpoint, Event, Failure, ServerConfig, SetHeaderError, UpgradeRequest,
    handshake::{Body, Refusal},
};

use crate::{Transport, WebSocket, pump::Pump};

/// Why a stream did not become a connection.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The request was refused, and the client was told with this answer.
    #[error(transparent)]
    Refused(Refusal),
    /// The request did not come in time, or was not decided on in time; the client was told so.
    #[error("opening handshake not finished within the deadline")]
    Timeout,
    /// The client left during the opening handshake.
    #[error("client left during the opening handshake")]
    Left,
    /// The transport failed.
    #[error("transport failed during the opening handshake: {0}")]
    Io(#[from] io::Error),
}

/// Accepts a connection on a stream, with everything at its default. Of TCP, set `TCP_NODELAY` before: what is written is
/// written in batches already.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = std::net::TcpListener::bind("127.0.0.1:9001")?;
/// let (stream, _) = listener.accept()?;
/// stream.set_nodelay(true)?;
/// let mut ws = ws_sync::accept(stream)?;
/// ws.send("welcome")?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`AcceptError`]. A client that sent a bad request has been answered.
pub fn accept<S: Transport>(stream: S) -> Result<WebSocket<S>, AcceptError> {
    accept_with(stream, &Arc::default())
}

/// The same with a config that the connections of a server share.
///
/// # Errors
/// As for [`accept`].
pub fn accept_with<S: Transport>(stream: S, config: &Arc<ServerConfig>) -> Result<WebSocket<S>, AcceptError> {
    Upgrade::read(stream, config)?.accept()
}

/// A request on a stream: to be inspected, and then accepted, refused, or answered otherwise.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use ws_sync::{Upgrade, endpoint::handshake::Refusal, http::StatusCode};
/// # fn example(stream: std::net::TcpStream) -> Result<(), ws_sync::AcceptError> {
/// let upgrade = Upgrade::read(stream, &Arc::default())?;
/// if upgrade.request().uri().path() != "/chat" {
///     return upgrade.refuse(Refusal::new(StatusCode::NOT_FOUND, "nothing is here but /chat"));
/// }
/// let mut ws = upgrade.accept()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Upgrade<S> {
    pump: Pump<S>,
    /// A copy of the request, which the endpoint has until it is answered.
    request: Request<()>,
}

impl<S: Transport> Upgrade<S> {
    /// Reads the request. One that asks for a WebSocket and breaks a rule is refused; one that asks for something else
    /// comes out, and is refused by [`accept`](Self::accept).
    ///
    /// # Errors
    /// As for [`accept`].
    pub fn read(stream: S, config: &Arc<ServerConfig>) -> Result<Self, AcceptError> {
        let mut pump = Pump::new(stream, Endpoint::server(config, Instant::now()));
        while pump.next() {
            if let Event::Request(request) = pump.endpoint.event() {
                let request = request.clone();
                return Ok(Self { pump, request });
            }
        }
        Err(error(pump))
    }

    /// The request as it came.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// What it asks for, if it asks for a WebSocket, and the choice of the subprotocol.
    pub fn upgrade(&mut self) -> Option<&mut UpgradeRequest> {
        self.pump.endpoint.upgrade()
    }

    /// Adds a header to the answer that accepts, `Set-Cookie` for one. Whether it was taken: the first value of a name
    /// counts, unless it is one that repeats.
    ///
    /// # Errors
    /// [`SetHeaderError`] for those of the handshake, and for what cannot be sent.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<bool, SetHeaderError> {
        self.pump.endpoint.set_header(name, value)
    }

    /// Accepts: answers 101, and the stream is a connection.
    ///
    /// # Errors
    /// As for [`accept`].
    pub fn accept(self) -> Result<WebSocket<S>, AcceptError> {
        let Self { mut pump, .. } = self;
        pump.endpoint.start(Instant::now());
        if pump.open() { Ok(WebSocket { pump }) } else { Err(error(pump)) }
    }

    /// Refuses with any answer but 101, and ends the stream.
    ///
    /// # Errors
    /// Always: [`AcceptError::Refused`] with the answer, or what went wrong in sending it.
    pub fn refuse<T>(self, refusal: Refusal) -> Result<T, AcceptError> {
        let Self { mut pump, .. } = self;
        if let Err(refusal) = pump.endpoint.refuse(refusal) {
            return Err(AcceptError::Refused(refusal)); // there is nobody to be told any more
        }
        while pump.next() {}
        Err(error(pump))
    }

    /// Answers with an ordinary response, a page say, and ends the stream.
    ///
    /// # Errors
    /// When the transport fails.
    pub fn respond<B: Body>(self, response: &Response<B>) -> io::Result<()> {
        let Self { mut pump, .. } = self;
        pump.endpoint.respond(response);
        while pump.next() {}
        pump.take_failure().map_or(Ok(()), Err)
    }
}

/// Why it did not open.
fn error<S: Transport>(mut pump: Pump<S>) -> AcceptError {
    let io = pump.take_failure();
    match (pump.endpoint.into_failure(), io) {
        (Some(Failure::Refused(refusal)), _) => AcceptError::Refused(refusal),
        (Some(Failure::Timeout), _) => AcceptError::Timeout,
        (_, Some(io)) => AcceptError::Io(io),
        _ => AcceptError::Left,
    }
}
