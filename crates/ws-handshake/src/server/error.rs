use http::StatusCode;

use crate::field::InvalidHeader;
use crate::head::HeadError;
use crate::subprotocol::SubprotocolError;

/// Why a request was refused. Its text is what the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The head cannot be read.
    #[error("the request cannot be read: {0}")]
    Head(#[from] HeadError),
    /// The request is not HTTP/1.1.
    #[error("a WebSocket handshake is an HTTP/1.1 request: send it in that version")]
    HttpVersion,
    /// The method is not GET.
    #[error("a WebSocket handshake is a GET request: use that method")]
    Method,
    /// There is no `Upgrade`: a plain HTTP request.
    #[error("this address speaks WebSocket: connect with a WebSocket client")]
    MissingUpgrade,
    /// `Upgrade` does not contain `websocket`.
    #[error("the Upgrade header asks for another protocol: send \"Upgrade: websocket\"")]
    InvalidUpgrade,
    /// `Connection` does not contain `upgrade`.
    #[error(
        "the Connection header does not contain upgrade: send \"Connection: Upgrade\" and look for a proxy on the way that removes it"
    )]
    InvalidConnection,
    /// The request target is neither a path nor an absolute `http` or `ws` address.
    #[error("the request target is not valid: send a path that starts with /")]
    Target,
    /// `Host` is missing, occurs twice, or is no host.
    #[error("a request names its host once: send one valid Host header")]
    InvalidHost,
    /// The request declares a body.
    #[error("a WebSocket handshake has no body: send neither Content-Length nor Transfer-Encoding")]
    Body,
    /// `Sec-WebSocket-Key` is missing, occurs twice, or is not 16 bytes in base64.
    #[error("the Sec-WebSocket-Key header is not one key: send 16 random bytes in base64, once")]
    InvalidKey,
    /// `Sec-WebSocket-Version` is missing, occurs twice, or is a version that is not spoken here.
    #[error(
        "the Sec-WebSocket-Version header is not a version spoken here: send one of those in this answer's header"
    )]
    UnsupportedVersion,
    /// The path is not the one that is served.
    #[error("there is no WebSocket at this path")]
    Path,
    /// `Sec-WebSocket-Protocol` breaks a rule.
    #[error("the Sec-WebSocket-Protocol header is not valid: {0}")]
    InvalidSubprotocols(#[from] SubprotocolError),
    /// `Sec-WebSocket-Protocol` is not text.
    #[error("the Sec-WebSocket-Protocol header is not text")]
    SubprotocolsNotText,
    /// `Sec-WebSocket-Extensions` is malformed.
    #[error("the Sec-WebSocket-Extensions header is malformed")]
    InvalidExtensions,
    /// `Origin` occurs twice or is not text.
    #[error("a request names its origin at most once: send one valid Origin header or none")]
    InvalidOrigin,
    /// The origin is not permitted to connect.
    #[error("pages of this origin may not connect")]
    OriginNotPermitted,
    /// The request did not arrive in time. For the I/O layer.
    #[error("the request did not arrive in time")]
    Timeout,
    /// The server takes no more connections. For the I/O layer.
    #[error("the server takes no new connections: try again later")]
    Unavailable,
}

impl RequestError {
    /// The one status that answers this error.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Head(error) => error.status(),
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MissingUpgrade => StatusCode::UPGRADE_REQUIRED,
            Self::InvalidUpgrade
            | Self::InvalidConnection
            | Self::Target
            | Self::InvalidHost
            | Self::Body
            | Self::InvalidKey
            | Self::UnsupportedVersion
            | Self::InvalidSubprotocols(_)
            | Self::SubprotocolsNotText
            | Self::InvalidExtensions
            | Self::InvalidOrigin => StatusCode::BAD_REQUEST,
            Self::Path => StatusCode::NOT_FOUND,
            Self::OriginNotPermitted => StatusCode::FORBIDDEN,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An answer that cannot be made: the caller gave what may not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// A subprotocol that the client did not ask for (RFC 6455 section 4.2.2).
    #[error("the client did not ask for the subprotocol {0:?}")]
    UnrequestedSubprotocol(String),
    /// Extensions for a client that offered none (RFC 6455 section 9.1).
    #[error("the client offered no extensions")]
    UnofferedExtensions,
    /// The answer's extensions are empty or not visible ASCII.
    #[error("the answer's extensions are empty or cannot be sent")]
    InvalidExtensions,
    /// A header that cannot be added.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
}
