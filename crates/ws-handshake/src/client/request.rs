use std::path::Path;

use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
    SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Uri};

use super::redirect::CONFIDENTIAL;
use super::target::{Target, basic};
use super::{ClientHandshake, ClientRequestError};
use crate::field::InvalidHeader;
use crate::head::HeadLimits;
use crate::header::SEC_WEBSOCKET_ORIGIN;
use crate::{Key, Version, field, host, subprotocol};

/// What the handshake says itself, and what would declare a body.
const RESERVED: [HeaderName; 9] = [
    UPGRADE,
    CONNECTION,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_ACCEPT,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
];

/// A client's request before it is sent: where to, and what to ask for.
///
/// ```
/// use ws_handshake::{ClientRequest, Key};
///
/// let request = ClientRequest::new("wss://example.com/chat?room=1")?
///     .subprotocols(["chat.v2", "chat.v1"])?
///     .origin("https://example.com")?
///     .header("x-request-id", "42")?;
/// assert!(request.is_tls());
/// assert_eq!((request.host(), request.port()), ("example.com", 443));
///
/// let handshake = request.start(Key::generate()?, Some("permessage-deflate".to_owned()))?;
/// assert!(handshake.request_bytes().starts_with(b"GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientRequest {
    pub(super) target: Target,
    version: Version,
    pub(super) headers: HeaderMap,
    origin: Option<HeaderValue>,
    pub(super) authorization: Option<HeaderValue>,
    subprotocols: Vec<String>,
    require_subprotocol: bool,
    limits: HeadLimits,
}

impl ClientRequest {
    /// A request to an address with the scheme `ws` or `wss`; `http` and `https` mean the same. Characters beyond ASCII
    /// in the path are percent-encoded.
    ///
    /// User information (`ws://user:password@host/`) is taken out of the address and sent as Basic authorization.
    ///
    /// `ws+unix:/path/to.sock:/url/path` is a Unix socket on this machine, or whatever the I/O layer opens by a path. The
    /// URL's path may be left out, and is `/` then. The path of the socket is percent-decoded, so that `%3A`, `%3F`,
    /// `%23` and `%25` stand for `:`, `?`, `#` and `%` in it; no other character needs it. `Host` is `localhost`.
    ///
    /// # Errors
    ///
    /// [`ClientRequestError`] for another scheme, a missing or invalid host, no path of a socket, a fragment, what is not
    /// a URI, and user information that cannot be sent.
    pub fn new(address: &str) -> Result<Self, ClientRequestError> {
        Ok(Self::to(Target::parse(address)?))
    }

    /// As [`new`](Self::new), for a parsed URI. Note that [`Uri`] drops a fragment while it parses, and that it cannot
    /// name a Unix socket.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn from_uri(uri: &Uri) -> Result<Self, ClientRequestError> {
        Ok(Self::to(Target::from_uri(uri)?))
    }

    fn to(target: Target) -> Self {
        Self {
            target,
            version: Version::V13,
            headers: HeaderMap::new(),
            origin: None,
            authorization: None,
            subprotocols: Vec::new(),
            require_subprotocol: true,
            limits: HeadLimits::default(),
        }
    }

    /// Adds a header. `Host`, `Origin` and `Authorization` replace what would be sent otherwise; an explicit
    /// `Authorization` wins over the address's user information and over [`basic_auth`](Self::basic_auth).
    ///
    /// # Errors
    ///
    /// [`Header`](ClientRequestError::Header) for those that the handshake sets itself and those that declare a body,
    /// for what cannot be sent, and for more than [`MAX_ADDED_HEADERS`](crate::MAX_ADDED_HEADERS);
    /// [`Host`](ClientRequestError::Host) for a `Host` that is none, [`Origin`](ClientRequestError::Origin) for an
    /// origin that is not ASCII.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, ClientRequestError>
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        let (name, mut value) = field::parse(name, value, &RESERVED)?;
        if name == HOST && value.to_str().ok().and_then(host::split).is_none() {
            return Err(ClientRequestError::Host);
        }
        if name != HOST && CONFIDENTIAL.contains(&name) {
            value.set_sensitive(true);
        }
        if name == ORIGIN || name == SEC_WEBSOCKET_ORIGIN {
            if value.to_str().is_err() {
                return Err(ClientRequestError::Origin);
            }
            self.origin = Some(value);
        } else if name == HOST || name == AUTHORIZATION {
            self.headers.insert(name, value);
        } else {
            field::append(&mut self.headers, name, value)?;
        }
        Ok(self)
    }

    /// Takes out every header of this name that was added, so that what would be sent otherwise is sent. One that a
    /// redirect should not carry to another server, for example.
    #[must_use]
    pub fn without_header(mut self, name: &HeaderName) -> Self {
        self.headers.remove(name);
        if *name == ORIGIN || *name == SEC_WEBSOCKET_ORIGIN {
            self.origin = None;
        }
        self
    }

    /// The subprotocols to ask for, most wanted first. Replaces an earlier list; an empty one asks for none.
    ///
    /// # Errors
    ///
    /// [`Subprotocols`](ClientRequestError::Subprotocols) for one that is not a token or occurs twice, and for more
    /// than [`MAX_SUBPROTOCOLS`](crate::MAX_SUBPROTOCOLS).
    pub fn subprotocols<I>(mut self, list: I) -> Result<Self, ClientRequestError>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        let list: Vec<String> = list.into_iter().map(Into::into).collect();
        subprotocol::collect(list.iter().map(String::as_str))?;
        self.subprotocols = list;
        Ok(self)
    }

    /// Whether an answer without a subprotocol fails the handshake when some were requested. It does by default, as
    /// browsers have it; RFC 6455 would let it pass.
    #[must_use]
    pub fn require_subprotocol(mut self, required: bool) -> Self {
        self.require_subprotocol = required;
        self
    }

    /// The origin to name. None is sent by default.
    ///
    /// # Errors
    ///
    /// [`Origin`](ClientRequestError::Origin) for one that is not ASCII,
    /// [`Header`](ClientRequestError::Header) for what cannot be sent.
    pub fn origin(self, origin: &str) -> Result<Self, ClientRequestError> {
        self.header(ORIGIN, origin)
    }

    /// The version of the protocol to ask for. 13 by default.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// Basic authorization (RFC 7617). User information in the address wins over it.
    ///
    /// # Errors
    ///
    /// [`Credentials`](ClientRequestError::Credentials) for a colon in the user's name and for control characters.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Result<Self, ClientRequestError> {
        self.authorization = Some(basic(user.as_bytes(), password.as_bytes())?);
        Ok(self)
    }

    /// How large the answer's head may be.
    #[must_use]
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether the transport is to be TLS. It never is for a Unix socket.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.target.tls
    }

    /// The host to connect to, and to name to TLS: an IPv6 address without its brackets. `localhost` for a Unix socket,
    /// where [`socket_path`](Self::socket_path) says what to connect to.
    #[must_use]
    pub fn host(&self) -> &str {
        host::without_brackets(&self.target.host)
    }

    /// The port to connect to, 80 for a Unix socket, where it means nothing.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.target.port()
    }

    /// The path of the Unix socket to connect to, in the place of host and port. `None` for addresses of the network.
    ///
    /// ```
    /// use ws_handshake::ClientRequest;
    ///
    /// let request = ClientRequest::new("ws+unix:/run/chat.sock:/room?id=1")?;
    /// assert_eq!(request.socket_path().and_then(|path| path.to_str()), Some("/run/chat.sock"));
    /// assert_eq!(request.uri()?, "ws://localhost/room?id=1");
    /// # Ok::<(), ws_handshake::ClientRequestError>(())
    /// ```
    #[must_use]
    pub fn socket_path(&self) -> Option<&Path> {
        self.target.socket_path()
    }

    /// The address as text, its scheme `ws`, `wss` or `ws+unix`, without user information and without a default port:
    /// for people to read, and good for [`new`](Self::new).
    #[must_use]
    pub fn address(&self) -> String {
        self.target.address()
    }

    /// The address that the request goes to, its scheme `ws` or `wss`, without user information. That of a Unix socket
    /// has the host `localhost`; [`address`](Self::address) names the socket.
    ///
    /// # Errors
    ///
    /// [`Uri`](ClientRequestError::Uri) when the address is too long for one.
    pub fn uri(&self) -> Result<Uri, ClientRequestError> {
        self.target.uri()
    }

    /// Fixes the request with a `key` used for no other handshake, and with the value of `Sec-WebSocket-Extensions`.
    ///
    /// # Errors
    ///
    /// [`InvalidExtensions`](ClientRequestError::InvalidExtensions) for an offer that is empty or cannot be sent.
    #[expect(clippy::needless_pass_by_value, reason = "the offer is made for this one request")]
    pub fn start(self, key: Key, extensions: Option<String>) -> Result<ClientHandshake, ClientRequestError> {
        let mut request = Request::new(());
        *request.uri_mut() = self.target.uri()?;
        let invalid = |error: http::header::InvalidHeaderValue| InvalidHeader::Malformed(error.into());
        let headers = request.headers_mut();
        headers.insert(HOST, self.target.authority().try_into().map_err(invalid)?);
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_KEY, key.header_value());
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(self.version.as_str()));
        if let Some(origin) = self.origin {
            let name = if self.version == Version::V8 { SEC_WEBSOCKET_ORIGIN } else { ORIGIN };
            headers.insert(name, origin);
        }
        if !self.subprotocols.is_empty() {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, self.subprotocols.join(", ").try_into().map_err(invalid)?);
        }
        if let Some(offer) = &extensions {
            // RFC 6455 section 9.1: a list of at least one.
            let value = field::visible(offer).ok_or(ClientRequestError::InvalidExtensions)?;
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, value);
        }
        if let Some(authorization) = self.target.authorization.or(self.authorization) {
            headers.insert(AUTHORIZATION, authorization);
        }
        // The caller's last, so that theirs replace ours where `header` let them through.
        headers.extend(self.headers);
        let offered = extensions.is_some();
        Ok(ClientHandshake::new(
            request,
            &key,
            self.subprotocols,
            self.require_subprotocol,
            offered,
            self.limits,
        ))
    }
}
