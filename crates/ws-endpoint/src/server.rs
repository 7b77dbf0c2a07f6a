//! The server's side of the opening handshake.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use ws_driver::{Connection, MaskSource};
use ws_extensions::{Negotiated, Registry};
use ws_frame::Role;
use ws_handshake::{
    HeadReader, InvalidHeader, MAX_ADDED_HEADERS, Refusal, ResponseError, ServerPolicy, Upgrade, check,
    write_response,
};

use crate::{ConnectionOptions, options::HANDSHAKE_TIMEOUT};

/// How a server accepts connections, and how they behave then.
///
/// ```
/// use ws_endpoint::{ServerConfig, Subprotocols};
///
/// let mut config = ServerConfig::default();
/// config.policy.path = Some("/chat".to_owned());
/// config.subprotocols = Subprotocols::Supported(vec!["chat.v2".to_owned(), "chat.v1".to_owned()]);
/// config.connection.limits.max_message_len = 1 << 20;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Which requests are accepted.
    pub policy: ServerPolicy,
    /// Which of the requested subprotocols is chosen.
    pub subprotocols: Subprotocols,
    /// The extensions that the server can use.
    pub extensions: Registry,
    /// How an open connection behaves.
    pub connection: ConnectionOptions,
    /// From the first byte of the transport to the answer: 10 s, whatever trickles in. `None` is for ever.
    pub handshake_timeout: Option<Duration>,
}

#[cfg(feature = "deflate")]
impl ServerConfig {
    /// Answers permessage-deflate with these options, instead of any other extension. To use it beside others, register
    /// it in [`extensions`](Self::extensions).
    pub fn set_deflate(&mut self, options: ws_deflate::Options) {
        self.extensions = crate::options::with_deflate(options);
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            policy: ServerPolicy::default(),
            subprotocols: Subprotocols::default(),
            extensions: Registry::default(),
            connection: ConnectionOptions::default(),
            handshake_timeout: Some(HANDSHAKE_TIMEOUT),
        }
    }
}

/// Which subprotocol a server chooses (RFC 6455 section 1.9), unless the caller chooses itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Subprotocols {
    /// The first that the client requests.
    #[default]
    FirstRequested,
    /// The first that the client requests of those that the server supports; none if there is no such.
    Supported(Vec<String>),
    /// None.
    None,
}

impl Subprotocols {
    fn choose<'a>(&self, requested: &'a [String]) -> Option<&'a str> {
        match self {
            Self::FirstRequested => requested.first().map(String::as_str),
            Self::Supported(list) => requested.iter().find(|name| list.contains(name)).map(String::as_str),
            Self::None => None,
        }
    }
}

/// The server's side of an opening handshake: bytes in, a request that may be accepted or refused out.
#[derive(Debug)]
pub struct ServerHandshake {
    config: Arc<ServerConfig>,
    reader: HeadReader,
}

impl ServerHandshake {
    /// Begins. The config is shared by all connections of the server.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        let reader = HeadReader::new(config.policy.limits);
        Self { config, reader }
    }

    /// Looks for a request, whatever it asks for, and does not check it yet. `None` means that more bytes are needed;
    /// append them to the same buffer. Bytes behind the request, the first frames, stay in the buffer.
    ///
    /// # Errors
    /// A [`Refusal`] with the answer to what is no request, or too large a one.
    pub fn read(&mut self, buf: &mut BytesMut) -> Result<Option<Request<()>>, Refusal> {
        Ok(self.reader.read_request(buf)?)
    }

    /// Looks for the request in what has been received. `None` means that more bytes are needed; append them to the
    /// same buffer. Bytes behind the request, the first frames, stay in the buffer.
    ///
    /// # Errors
    /// A [`Refusal`] holds the answer to send; the transport ends behind it.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Result<Option<UpgradeRequest>, Refusal> {
        match self.reader.read_request(buf)? {
            Some(request) => UpgradeRequest::new(request, Arc::clone(&self.config)).map(Some),
            None => Ok(None),
        }
    }

    /// The same, but a request that is not for a WebSocket at all comes back as it is, to be answered by the caller: a
    /// page, say.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    pub fn receive_any(&mut self, buf: &mut BytesMut) -> Result<Option<AnyRequest>, Refusal> {
        let Some(request) = self.reader.read_request(buf)? else { return Ok(None) };
        if !request.headers().contains_key(http::header::UPGRADE) {
            return Ok(Some(AnyRequest::Plain(request)));
        }
        UpgradeRequest::new(request, Arc::clone(&self.config))
            .map(|request| Some(AnyRequest::Upgrade(request)))
    }
}

/// A request on a port that serves WebSockets and more.
#[derive(Debug)]
pub enum AnyRequest {
    /// It asks for a WebSocket.
    Upgrade(UpgradeRequest),
    /// It has no `Upgrade` header.
    Plain(Request<()>),
}

/// A request that breaks a rule, and what it is answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct RefusedRequest {
    /// The request as it came.
    pub request: Request<()>,
    /// The answer to send; the transport ends behind it.
    pub refusal: Refusal,
}

/// A request for a WebSocket that breaks no rule: to be inspected, and then accepted or refused.
#[derive(Debug)]
pub struct UpgradeRequest {
    request: Request<()>,
    upgrade: Upgrade,
    config: Arc<ServerConfig>,
    subprotocol: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl UpgradeRequest {
    /// Checks a request that was read here or by an HTTP server.
    ///
    /// # Errors
    /// A [`Refusal`] holds the answer to send.
    pub fn new(request: Request<()>, config: Arc<ServerConfig>) -> Result<Self, Refusal> {
        Self::check(request, config).map_err(|refused| refused.refusal)
    }

    /// The same, and a request that breaks a rule comes back with its refusal.
    ///
    /// # Errors
    /// [`RefusedRequest`].
    pub fn check(request: Request<()>, config: Arc<ServerConfig>) -> Result<Self, Box<RefusedRequest>> {
        match check(&request, &config.policy) {
            Ok(upgrade) => {
                let subprotocol = config.subprotocols.choose(upgrade.subprotocols()).map(str::to_owned);
                Ok(Self { request, upgrade, config, subprotocol, headers: Vec::new() })
            }
            Err(refusal) => Err(Box::new(RefusedRequest { request, refusal })),
        }
    }

    /// The request as it came.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// What travels with the request inside of this program ([`http::Extensions`]): values that whoever looks at the
    /// request hands on to the connection.
    #[must_use]
    pub fn request_extensions_mut(&mut self) -> &mut http::Extensions {
        self.request.extensions_mut()
    }

    /// What it asks for: host, origin, subprotocols, extensions, version.
    #[must_use]
    pub fn upgrade(&self) -> &Upgrade {
        &self.upgrade
    }

    /// The subprotocol that will be chosen.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Chooses the subprotocol, one of those requested, or none.
    ///
    /// # Errors
    /// [`ResponseError::UnrequestedSubprotocol`] for any other.
    pub fn choose_subprotocol(&mut self, chosen: Option<&str>) -> Result<(), ResponseError> {
        if let Some(chosen) = chosen {
            self.upgrade.accept().subprotocol(chosen)?;
        }
        self.subprotocol = chosen.map(str::to_owned);
        Ok(())
    }

    /// Adds a header to the answer that accepts, `Set-Cookie` for one.
    ///
    /// # Errors
    /// [`ResponseError::Header`] for those of the handshake, for what cannot be sent, and for too many.
    pub fn add_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), ResponseError> {
        if self.headers.len() >= MAX_ADDED_HEADERS {
            return Err(InvalidHeader::TooMany.into());
        }
        self.upgrade.accept().header(name.clone(), value.clone())?;
        self.headers.push((name, value));
        Ok(())
    }

    /// Whether the extensions that the client offers can be read, which [`accept`](Self::accept) finds out too: for those
    /// who want every rule checked before they ask anybody whether to accept.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 for a malformed `Sec-WebSocket-Extensions`.
    pub fn check_extensions(&self) -> Result<(), Refusal> {
        self.respond(&Registry::new()).map(drop)
    }

    /// Accepts: negotiates the extensions and makes the answer.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 for a malformed `Sec-WebSocket-Extensions`.
    pub fn accept(self) -> Result<Accepted, Refusal> {
        let negotiated = self.respond(&self.config.extensions)?;
        let response = self
            .response(&negotiated)
            .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
        Ok(Accepted {
            response,
            subprotocol: self.subprotocol,
            negotiated,
            request: self.request,
            connection: self.config.connection.clone(),
        })
    }

    fn respond(&self, extensions: &Registry) -> Result<Negotiated, Refusal> {
        let options = self.config.connection.session(Role::Server);
        extensions.respond(self.upgrade.extensions(), &options).map_err(|error| {
            Refusal::new(StatusCode::BAD_REQUEST, format!("Sec-WebSocket-Extensions: {error}"))
        })
    }

    fn response(&self, negotiated: &Negotiated) -> Result<Response<()>, ResponseError> {
        let mut answer = self.upgrade.accept();
        if let Some(subprotocol) = &self.subprotocol {
            answer = answer.subprotocol(subprotocol)?;
        }
        if let Some(extensions) = &negotiated.header {
            answer = answer.extensions(extensions)?;
        }
        for (name, value) in &self.headers {
            answer = answer.header(name.clone(), value.clone())?;
        }
        Ok(answer.response())
    }
}

/// A connection that is open as soon as its answer has been sent.
#[derive(Debug)]
pub struct Accepted {
    request: Request<()>,
    response: Response<()>,
    subprotocol: Option<String>,
    negotiated: Negotiated,
    connection: ConnectionOptions,
}

impl Accepted {
    /// The client's request.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// The answer, for an HTTP server that sends it itself.
    #[must_use]
    pub fn response(&self) -> &Response<()> {
        &self.response
    }

    /// The answer's bytes.
    #[must_use]
    pub fn response_bytes(&self) -> Bytes {
        write_response(&self.response)
    }

    /// The connection, open since `now`. Bytes that came behind the request go into its receiver's buffer first.
    #[must_use]
    pub fn open(self, now: Instant) -> Opened {
        let extensions = self.negotiated.names().collect();
        let config = self.connection.config(Role::Server, MaskSource::Os);
        Opened {
            connection: Connection::new(config, self.negotiated, now),
            handshake: Agreed {
                request: self.request,
                response: self.response,
                subprotocol: self.subprotocol,
                extensions,
            },
        }
    }
}

/// An open connection, and what its opening handshake agreed on.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// What was agreed on.
    pub handshake: Agreed,
}

/// What an opening handshake has agreed on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Agreed {
    /// The client's request.
    pub request: Request<()>,
    /// The server's answer.
    pub response: Response<()>,
    /// The subprotocol in use.
    pub subprotocol: Option<String>,
    /// The names of the extensions in use, in the order of the answer.
    pub extensions: Vec<&'static str>,
}

impl ServerHandshake {
    /// The config, to be changed before the request has come.
    pub(crate) fn config(&mut self) -> &mut Arc<ServerConfig> {
        &mut self.config
    }
}

impl UpgradeRequest {
    /// The config, to be changed before the request is accepted.
    pub(crate) fn config(&mut self) -> &mut Arc<ServerConfig> {
        &mut self.config
    }
}
