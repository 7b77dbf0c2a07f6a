use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, TRANSFER_ENCODING, UPGRADE,
};
use http::{Response, StatusCode};

use super::{ResponseError, Upgrade};
use crate::field::InvalidHeader;
use crate::{accept_key, field};

/// What the handshake says itself, and what a 101 may not say (RFC 9110 section 8.6, RFC 9112 section 6.1).
const RESERVED: [HeaderName; 7] = [
    UPGRADE,
    CONNECTION,
    SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_EXTENSIONS,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
];

/// The answer that opens the connection, in the making. Begun by [`Upgrade::accept`].
#[derive(Clone, Debug)]
pub struct AcceptBuilder<'a> {
    upgrade: &'a Upgrade,
    subprotocol: Option<HeaderValue>,
    extensions: Option<HeaderValue>,
    headers: HeaderMap,
}

impl<'a> AcceptBuilder<'a> {
    pub(super) fn new(upgrade: &'a Upgrade) -> Self {
        Self { upgrade, subprotocol: None, extensions: None, headers: HeaderMap::new() }
    }

    /// The subprotocol to speak, one of those that the client asked for. None by default.
    ///
    /// # Errors
    ///
    /// [`UnrequestedSubprotocol`](ResponseError::UnrequestedSubprotocol) for any other.
    pub fn subprotocol(mut self, chosen: &str) -> Result<Self, ResponseError> {
        let is_requested = self.upgrade.subprotocols().iter().any(|requested| requested == chosen);
        let value = HeaderValue::from_str(chosen).ok().filter(|_| is_requested);
        self.subprotocol =
            Some(value.ok_or_else(|| ResponseError::UnrequestedSubprotocol(chosen.to_owned()))?);
        Ok(self)
    }

    /// The value of `Sec-WebSocket-Extensions`: the answer to what the client offered. None by default.
    ///
    /// # Errors
    ///
    /// [`UnofferedExtensions`](ResponseError::UnofferedExtensions) when the client offered none,
    /// [`InvalidExtensions`](ResponseError::InvalidExtensions) for what is empty or cannot be sent.
    pub fn extensions(mut self, answer: impl AsRef<str>) -> Result<Self, ResponseError> {
        if self.upgrade.extensions().is_none() {
            return Err(ResponseError::UnofferedExtensions);
        }
        self.extensions = Some(field::visible(answer.as_ref()).ok_or(ResponseError::InvalidExtensions)?);
        Ok(self)
    }

    /// Adds a header, `Set-Cookie` for one. It comes behind those of the handshake.
    ///
    /// # Errors
    ///
    /// [`Header`](ResponseError::Header) for those of the handshake and those that declare a body, for what cannot be
    /// sent, and for more than [`MAX_ADDED_HEADERS`](crate::MAX_ADDED_HEADERS).
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, ResponseError>
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        let (name, value) = field::parse(name, value, &RESERVED)?;
        field::append(&mut self.headers, name, value)?;
        Ok(self)
    }

    /// Whether [`header`](Self::header) would take this name, for whoever gathers headers before there is a request.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader::Reserved`] for those of the handshake and those that declare a body.
    pub fn check_name(name: &HeaderName) -> Result<(), InvalidHeader> {
        if RESERVED.contains(name) { Err(InvalidHeader::Reserved(name.clone())) } else { Ok(()) }
    }

    /// The answer: 101, `Upgrade`, `Connection`, `Sec-WebSocket-Accept`, subprotocol, extensions, the caller's headers
    /// (RFC 6455 section 4.2.2).
    #[must_use]
    pub fn response(self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept_key(self.upgrade.key()).header_value());
        if let Some(subprotocol) = self.subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        if let Some(extensions) = self.extensions {
            headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions);
        }
        headers.extend(self.headers);
        response
    }
}
