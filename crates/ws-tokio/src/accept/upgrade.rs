//! A request for a WebSocket: to be inspected, and then accepted or refused.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    ServerConfig, ServerHandshake, UpgradeRequest,
    handshake::{Refusal, ResponseError},
};

use super::{
    AcceptError,
    exchange::{Exchange, Unread},
};
use crate::{
    WebSocket,
    home::{Lending, lending},
};

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

impl<S: AsyncRead + AsyncWrite + Unpin> Upgrade<S> {
    /// Reads the request, checks it, and refuses one that breaks a rule with the right status.
    ///
    /// # Errors
    /// As for [`accept`](crate::accept).
    ///
    /// # Cancel safety
    /// As for [`accept`](crate::accept).
    pub async fn read(transport: S, config: &Arc<ServerConfig>) -> Result<Self, AcceptError> {
        let mut handshake = ServerHandshake::new(Arc::clone(config));
        let mut exchange = Exchange::new(transport, config);
        match exchange.read_all(|buf| handshake.receive(buf)).await {
            Ok(request) => Ok(Self::new(exchange, request)),
            Err(why) => exchange.give_up(why).await,
        }
    }

    pub(crate) fn new(exchange: Exchange<S>, request: UpgradeRequest) -> Self {
        Self { exchange, request }
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

    /// Accepts: answers 101, and the transport is a connection. A client that has ended its side of the transport already
    /// gets no answer.
    ///
    /// # Errors
    /// As for [`accept`](crate::accept).
    ///
    /// # Cancel safety
    /// As for [`accept`](crate::accept).
    pub fn accept(self) -> impl Future<Output = Result<WebSocket<S>, AcceptError>>
    where
        S: Send + 'static,
    {
        self.open(Some(lending)) // no future around it that would hold all of it twice
    }

    /// The same for a transport that is borrowed, or bound to its thread; see
    /// [`WebSocket::from_opened_local`].
    ///
    /// # Errors
    /// As for [`accept`](crate::accept).
    ///
    /// # Cancel safety
    /// As for [`accept`](crate::accept).
    pub fn accept_local(self) -> impl Future<Output = Result<WebSocket<S>, AcceptError>> {
        self.open(None)
    }

    /// The answer is made before there is a future, which then holds everything once.
    fn open(self, lending: Option<Lending<S>>) -> impl Future<Output = Result<WebSocket<S>, AcceptError>> {
        let Self { mut exchange, request } = self;
        let accepted = request.accept().map_err(Box::new);
        async move {
            if let Ok(accepted) = &accepted {
                exchange.send(accepted.answer()).await?;
            }
            match accepted {
                Ok(accepted) => Ok(exchange.into_socket(accepted, lending).0),
                Err(refusal) => exchange.give_up(Unread::Refused(*refusal)).await,
            }
        }
    }

    /// Refuses with any answer but 101, and ends the transport.
    ///
    /// # Errors
    /// Always: [`AcceptError::Refused`] with the answer, or what went wrong in sending it.
    ///
    /// # Cancel safety
    /// As for [`accept`](crate::accept).
    pub async fn refuse<T>(self, refusal: Refusal) -> Result<T, AcceptError> {
        self.exchange.refuse(refusal).await
    }
}
