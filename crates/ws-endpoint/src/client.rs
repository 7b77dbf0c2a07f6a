//! The client's side of the opening handshake.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use http::Request;
use thiserror::Error;
use ws_driver::{Connection, MaskSource};
use ws_extensions::{ClientOffer, NegotiationError, Registry};
use ws_frame::Role;
use ws_handshake::{ClientError, ClientRequest, ClientRequestError, Key, RandomSourceError};

use crate::{
    ConnectionOptions,
    options::HANDSHAKE_TIMEOUT,
    server::{Agreed, Opened},
};

/// The time that a client's hops may take together by default.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(30);

/// How a client connects, and how its connection behaves then.
///
/// ```
/// use ws_endpoint::ClientConfig;
///
/// let mut config = ClientConfig::default();
/// config.handshake_timeout = None;
/// config.connection.limits.max_message_len = 1 << 20;
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientConfig {
    /// The extensions that the client offers: permessage-deflate where the feature `deflate` is on, else none.
    pub extensions: Registry,
    /// How an open connection behaves.
    pub connection: ConnectionOptions,
    /// How long one hop may take, from connecting to the server's answer: 10 s. `None` is for ever.
    pub handshake_timeout: Option<Duration>,
    /// How long all hops may take together, where redirects are followed: 30 s. `None` is for ever.
    pub total_timeout: Option<Duration>,
    mask_source: Option<Arc<dyn Fn() -> MaskSource + Send + Sync>>,
}

impl ClientConfig {
    /// Offers permessage-deflate with these options, instead of any other extension.
    #[cfg(feature = "deflate")]
    pub fn set_deflate(&mut self, options: ws_deflate::Options) {
        self.extensions = crate::options::with_deflate(options);
    }

    /// Asks `source` for each connection's masking keys, in the place of the operating system's.
    pub fn set_mask_source(&mut self, source: impl Fn() -> MaskSource + Send + Sync + 'static) {
        self.mask_source = Some(Arc::new(source));
    }
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            extensions: extensions(),
            connection: ConnectionOptions::default(),
            handshake_timeout: Some(HANDSHAKE_TIMEOUT),
            total_timeout: Some(TOTAL_TIMEOUT),
            mask_source: None,
        }
    }
}

/// What clients offer unless told not to.
fn extensions() -> Registry {
    #[cfg(feature = "deflate")]
    return crate::options::with_deflate(ws_deflate::Options::default());
    #[cfg(not(feature = "deflate"))]
    Registry::new()
}

impl fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientConfig")
            .field("extensions", &self.extensions)
            .field("connection", &self.connection)
            .field("handshake_timeout", &self.handshake_timeout)
            .field("total_timeout", &self.total_timeout)
            .finish_non_exhaustive()
    }
}

/// Why a client's handshake cannot begin, or has failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientHandshakeError {
    /// The request cannot be made.
    #[error(transparent)]
    Request(#[from] ClientRequestError),
    /// There is no randomness for the key.
    #[error(transparent)]
    Random(#[from] RandomSourceError),
    /// The answer does not open a connection.
    #[error(transparent)]
    Response(#[from] ClientError),
    /// The answer's extensions are not acceptable.
    #[error("the answer's Sec-WebSocket-Extensions: {0}")]
    Extensions(#[from] NegotiationError),
}

/// The client's side of an opening handshake: the request's bytes out, the answer's in.
pub struct ClientHandshake {
    handshake: ws_handshake::ClientHandshake,
    offer: Option<ClientOffer>,
    connection: ConnectionOptions,
    mask_source: MaskSource,
}

impl ClientHandshake {
    /// Makes the request, with a key of its own and the offers of the extensions.
    ///
    /// # Errors
    /// [`ClientHandshakeError::Request`] and [`ClientHandshakeError::Random`].
    pub fn new(request: ClientRequest, config: &ClientConfig) -> Result<Self, ClientHandshakeError> {
        Self::with_key(request, config, Key::generate()?)
    }

    /// The same with a key that the caller gives, for tests that replay.
    ///
    /// # Errors
    /// [`ClientHandshakeError::Request`].
    pub fn with_key(
        request: ClientRequest,
        config: &ClientConfig,
        key: Key,
    ) -> Result<Self, ClientHandshakeError> {
        let offer = config.extensions.offer(&config.connection.session(Role::Client));
        let handshake = request.start(key, offer.header().map(str::to_owned))?;
        let mask_source = config.mask_source.as_ref().map_or(MaskSource::Os, |source| source());
        Ok(Self { handshake, offer: Some(offer), connection: config.connection.clone(), mask_source })
    }

    /// What is to be sent.
    #[must_use]
    pub fn request_bytes(&self) -> &Bytes {
        self.handshake.request_bytes()
    }

    /// The request as it is sent.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.handshake.request()
    }

    /// Looks for the answer in what has been received. `None` means that more bytes are needed; append them to the same
    /// buffer. Bytes behind the answer, the first frames, stay there and go into the receiver's buffer.
    ///
    /// # Errors
    /// [`ClientHandshakeError::Response`] and [`ClientHandshakeError::Extensions`]; the transport is to be dropped.
    pub fn receive(
        &mut self,
        buf: &mut BytesMut,
        now: Instant,
    ) -> Result<Option<Opened>, ClientHandshakeError> {
        let Some(answer) = self.handshake.receive(buf)? else { return Ok(None) };
        let offer = self.offer.take().ok_or(ClientError::Finished)?;
        let negotiated = offer.activate(answer.extensions.as_deref())?;
        let extensions = negotiated.names().collect();
        let config = self.connection.config(Role::Client, std::mem::take(&mut self.mask_source));
        let mut request = Request::new(());
        request.clone_from(self.handshake.request());
        Ok(Some(Opened {
            connection: Connection::new(config, negotiated, now),
            handshake: Agreed {
                request: request.into(),
                response: answer.response.into(),
                subprotocol: answer.subprotocol,
                extensions,
            },
        }))
    }
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake").field("handshake", &self.handshake).finish_non_exhaustive()
    }
}
