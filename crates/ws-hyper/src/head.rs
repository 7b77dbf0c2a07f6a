//! A request's head: as it came, and as the rules of RFC 6455 read it.

use http::{Request, request::Parts};
use ws_endpoint::handshake::{self, Refusal};

#[cfg(feature = "http2")]
use crate::http2;

/// A request's head.
#[derive(Debug)]
pub(crate) struct Head {
    /// A request in the form of HTTP/1.1.
    pub(crate) request: Request<()>,
    /// The request as it came, where that is another form.
    pub(crate) came: Option<Box<Request<()>>>,
}

impl Head {
    /// # Errors
    /// A [`Refusal`] for an extended CONNECT to something else than a WebSocket.
    pub(crate) fn new(request: Request<()>) -> Result<Self, Refusal> {
        #[cfg(feature = "http2")]
        if http2::is_extended_connect(&request) {
            let translated = http2::translate(&request)?;
            return Ok(Self { request: translated, came: Some(Box::new(request)) });
        }
        Ok(Self { request, came: None })
    }

    /// The head of a request, its body left where it is.
    pub(crate) fn copy<B>(request: &Request<B>) -> Request<()> {
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.version_mut() = request.version();
        *head.headers_mut() = request.headers().clone();
        *head.extensions_mut() = request.extensions().clone();
        head
    }
}

/// Whether a request asks for a WebSocket at all: GET, `Connection` with `upgrade`, `Upgrade` with `websocket`; with the
/// feature `http2`, an extended CONNECT to `websocket`, too. All others are for another handler.
#[must_use]
pub fn is_upgrade<B>(request: &Request<B>) -> bool {
    #[cfg(feature = "http2")]
    if http2::is_websocket(request.method(), request.extensions()) {
        return true;
    }
    handshake::is_upgrade(request)
}

/// Whether a request asks for no other protocol, of whatever kind: for a page.
pub(crate) fn is_plain(head: &Parts) -> bool {
    #[cfg(feature = "http2")]
    if http2::is_websocket(&head.method, &head.extensions) {
        return false;
    }
    !head.headers.contains_key(http::header::UPGRADE)
}
