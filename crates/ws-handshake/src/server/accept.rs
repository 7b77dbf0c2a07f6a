use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, TRANSFER_ENCODING, UPGRADE,
};
use http::{Response, StatusCode};

use super::{ResponseError, Upgrade};
use crate::field::InvalidHeader;
use crate::key::ACCEPT_LEN;
use crate::{AcceptKey, accept_key, field, write_response};

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
    /// `None` for most answers.
    added: Option<Box<Added>>,
}

/// What stands behind the headers that every answer has.
#[derive(Clone, Debug, Default)]
struct Added {
    subprotocol: Option<HeaderValue>,
    extensions: Option<HeaderValue>,
    headers: HeaderMap,
}

impl<'a> AcceptBuilder<'a> {
    pub(super) fn new(upgrade: &'a Upgrade) -> Self {
        Self { upgrade, added: None }
    }

    /// The subprotocol to speak, one of those that the client asked for. None by default.
    ///
    /// # Errors
    ///
    /// [`UnrequestedSubprotocol`](ResponseError::UnrequestedSubprotocol) for any other.
    pub fn subprotocol(mut self, chosen: &str) -> Result<Self, ResponseError> {
        let is_requested = self.upgrade.subprotocols().iter().any(|requested| requested == chosen);
        let value = HeaderValue::from_str(chosen).ok().filter(|_| is_requested);
        let value = value.ok_or_else(|| ResponseError::UnrequestedSubprotocol(chosen.to_owned()))?;
        self.added().subprotocol = Some(value);
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
        let value = field::visible(answer.as_ref()).ok_or(ResponseError::InvalidExtensions)?;
        self.added().extensions = Some(value);
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
        field::append(&mut self.added().headers, name, value)?;
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

    fn added(&mut self) -> &mut Added {
        self.added.get_or_insert_default()
    }

    /// The answer: 101, `Upgrade`, `Connection`, `Sec-WebSocket-Accept`, subprotocol, extensions, the caller's headers
    /// (RFC 6455 section 4.2.2).
    #[must_use]
    pub fn response(self) -> Response<()> {
        self.finish().response()
    }

    /// The same, made up but not yet in any form: for whoever needs its bytes alone, or both forms.
    #[must_use]
    pub fn finish(self) -> Acceptance {
        Acceptance { accept: accept_key(self.upgrade.key()), added: self.added }
    }
}

/// The answer that opens the connection, to be had as a response and as bytes. Made by [`AcceptBuilder::finish`].
#[derive(Clone, Debug)]
pub struct Acceptance {
    accept: AcceptKey,
    added: Option<Box<Added>>,
}

impl Acceptance {
    /// The answer as an HTTP server takes it.
    #[must_use]
    pub fn response(&self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept.header_value());
        if let Some(added) = &self.added {
            if let Some(subprotocol) = &added.subprotocol {
                headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol.clone());
            }
            if let Some(extensions) = &added.extensions {
                headers.insert(SEC_WEBSOCKET_EXTENSIONS, extensions.clone());
            }
            headers.extend(added.headers.clone());
        }
        response
    }

    /// The answer as it is sent: what [`write_response`] makes of [`response`](Self::response).
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.lend_bytes(Bytes::copy_from_slice)
    }

    /// The same, lent: where nothing was added it costs no allocation.
    pub fn lend_bytes<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        if self.added.is_some() { look(&write_response(&self.response())) } else { look(&self.plain()) }
    }

    /// The answer to which nothing was added.
    fn plain(&self) -> [u8; START.len() + ACCEPT_LEN + END.len()] {
        let mut wire = [0; START.len() + ACCEPT_LEN + END.len()];
        let (start, rest) = wire.split_at_mut(START.len());
        let (accept, end) = rest.split_at_mut(ACCEPT_LEN);
        start.copy_from_slice(START);
        accept.copy_from_slice(self.accept.as_bytes());
        end.copy_from_slice(END);
        wire
    }
}

/// What stands around the accept key.
const START: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
const END: &[u8] = b"\r\n\r\n";
