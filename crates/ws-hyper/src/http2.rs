//! WebSockets in streams of HTTP/2: extended CONNECT (RFC 8441).
//!
//! The opening handshake is the same but for what HTTP/2 says itself (section 5): the method and `:protocol` stand for
//! `Upgrade` and `Connection`, the key is not used, and the answer is a 2xx. So a request is translated for the rules of
//! RFC 6455, and the answer translated back.

use http::{
    Extensions, HeaderValue, Method, Request, Response, StatusCode, Version,
    header::{CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE},
    uri::Authority,
};
use hyper::ext::Protocol;
use ws_endpoint::handshake::Refusal;

/// What no two requests need to have different here: it proves nothing in HTTP/2.
const KEY: HeaderValue = HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAA==");

/// Whether a request is an extended CONNECT, to whatever protocol.
pub(crate) fn is_extended_connect<B>(request: &Request<B>) -> bool {
    request.method() == Method::CONNECT && request.extensions().get::<Protocol>().is_some()
}

/// Whether a request of this method is an extended CONNECT to a WebSocket.
pub(crate) fn is_websocket(method: &Method, extensions: &Extensions) -> bool {
    let protocol = extensions.get::<Protocol>();
    method == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

/// The request that asks for the same in HTTP/1.1. It has the extensions, too.
///
/// # Errors
/// 501 for another protocol (RFC 9220 section 3 says so for HTTP/3).
pub(crate) fn translate(request: &Request<()>) -> Result<Request<()>, Refusal> {
    if !is_websocket(request.method(), request.extensions()) {
        return Err(Refusal::new(StatusCode::NOT_IMPLEMENTED, "the only protocol here is websocket"));
    }
    let mut translated = request.clone();
    *translated.method_mut() = Method::GET;
    *translated.version_mut() = Version::HTTP_11;
    let authority = request.uri().authority().map(Authority::as_str);
    let host = authority.and_then(|authority| HeaderValue::from_str(authority).ok());
    let headers = translated.headers_mut();
    if let Some(host) = host {
        headers.entry(HOST).or_insert(host);
    }
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_KEY, KEY);
    Ok(translated)
}

/// The answer that accepts, as HTTP/2 gives it.
pub(crate) fn translate_back(mut response: Response<String>) -> Response<String> {
    *response.status_mut() = StatusCode::OK;
    for name in [UPGRADE, CONNECTION, SEC_WEBSOCKET_ACCEPT] {
        response.headers_mut().remove(name);
    }
    response
}
