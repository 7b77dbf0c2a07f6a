use http::Response;

use crate::field::InvalidHeader;
use crate::head::HeadError;
use crate::subprotocol::SubprotocolError;

/// A request that cannot be made: the caller gave what may not be sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientRequestError {
    /// The URI cannot be parsed. A host in another script than Latin is written in its ASCII form (`xn--`).
    #[error("the address is not a valid URI")]
    Uri(#[source] http::Error),
    /// The scheme is none of `ws`, `wss`, `http`, `https`, `ws+unix`.
    #[error("the address starts with none of ws://, wss://, http://, https:// and ws+unix:")]
    Scheme,
    /// The URI has no host, or one that is not valid.
    #[error("the address names no valid host and port")]
    Host,
    /// A `ws+unix` address without the path of a socket, with one that no file can have, or with something else than a
    /// path behind it. A colon in the socket's own path is written `%3A`.
    #[error("the address names no socket: write ws+unix:/path/to.sock:/url/path")]
    SocketPath,
    /// The URI has a fragment (RFC 6455 section 3); `#` in a path is written `%23`.
    #[error("the address has a fragment, which a WebSocket address may not have")]
    Fragment,
    /// A header that cannot be added.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// The origin is not ASCII (RFC 6454 section 7).
    #[error("an origin is ASCII: write its host in the form xn--")]
    Origin,
    /// The list of subprotocols breaks a rule.
    #[error(transparent)]
    Subprotocols(#[from] SubprotocolError),
    /// The offer of extensions is empty, or not visible ASCII.
    #[error("the offer of extensions is empty or cannot be sent")]
    InvalidExtensions,
    /// The user's name holds a colon, or name or password a control character (RFC 7617 section 2).
    #[error("a user's name holds no colon, and neither name nor password a control character")]
    Credentials,
}

/// A handshake that failed: the answer is not the one that opens a connection.
///
/// The transport is of no more use then, except for the body of an [`UnexpectedStatus`](Self::UnexpectedStatus).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The answer's head cannot be read.
    #[error("the answer cannot be read: {0}")]
    Head(#[from] HeadError),
    /// The server answered something else than 101. The bytes of the body, as far as they came, are still in the
    /// buffer; a [`BodyCollector`](crate::BodyCollector) reads them.
    #[error("the server answered {} instead of 101", .0.status())]
    UnexpectedStatus(Box<Response<()>>),
    /// More than [`MAX_INTERIM_RESPONSES`](crate::MAX_INTERIM_RESPONSES) answers with a status from 100 to 199.
    #[error("the server sends interim answers without end")]
    TooManyInterimResponses,
    /// The answer is HTTP/1.0, which knows no upgrade.
    #[error("the server answered in HTTP/1.0, which cannot be upgraded")]
    HttpVersion,
    /// `Upgrade` is not exactly `websocket`.
    #[error("the answer's Upgrade header is not websocket")]
    BadUpgrade,
    /// `Connection` does not contain `upgrade`.
    #[error("the answer's Connection header does not contain upgrade")]
    BadConnection,
    /// `Sec-WebSocket-Accept` is missing, doubled, or not the answer to our key.
    #[error("the answer's Sec-WebSocket-Accept does not fit the key that was sent")]
    BadAccept,
    /// `Sec-WebSocket-Protocol` is empty, occurs twice, or is not one token.
    #[error("the answer's Sec-WebSocket-Protocol is not one subprotocol")]
    InvalidSubprotocol,
    /// The server chose a subprotocol that was not requested.
    #[error("the server chose the subprotocol {0:?}, which was not requested")]
    UnrequestedSubprotocol(String),
    /// Subprotocols were requested and the server chose none.
    /// [`require_subprotocol`](crate::ClientRequest::require_subprotocol) can allow that.
    #[error("the server chose none of the requested subprotocols")]
    MissingSubprotocol,
    /// The server answered with extensions although none was offered.
    #[error("the server answered with extensions although none was offered")]
    UnrequestedExtensions,
    /// `Sec-WebSocket-Extensions` is not text.
    #[error("the answer's Sec-WebSocket-Extensions is not text")]
    InvalidExtensions,
    /// The handshake is over; there is nothing to receive any more.
    #[error("the handshake is over already")]
    Finished,
}
