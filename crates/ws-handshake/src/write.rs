//! The wire form of a request's or a response's head, with a short body behind it.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use crate::header::write_name;

/// What may not stand in a request target: percent-encoding leaves visible ASCII alone.
const NOT_IN_TARGET: &AsciiSet = &CONTROLS.add(b' ');

/// What [`write_request`] and [`write_response`] take as a body: nothing, text or bytes.
pub trait Body: sealed::Sealed {}

mod sealed {
    pub trait Sealed {
        fn bytes(&self) -> &[u8];
    }
}

macro_rules! body {
    ($($type:ty => |$body:ident| $bytes:expr;)*) => {$(
        impl sealed::Sealed for $type {
            fn bytes(&self) -> &[u8] {
                let $body = self;
                $bytes
            }
        }
        impl Body for $type {}
    )*};
}

body! {
    () => |_body| &[];
    &str => |body| body.as_bytes();
    String => |body| body.as_bytes();
    Cow<'static, str> => |body| body.as_bytes();
    &[u8] => |body| body;
    Vec<u8> => |body| body;
    Bytes => |body| body;
}

/// The bytes of a response: status line, headers in their order, body.
///
/// `Content-Length` is written from the body, whatever the headers say, so the reader always knows where the response
/// ends; a status that has no body, 101 among them, is written without it. No CR, LF or NUL that a caller has set can
/// reach the wire: [`HeaderValue`] holds none, and the reason phrase is the registered one.
///
/// ```
/// use http::{Response, StatusCode};
/// use ws_handshake::write_response;
///
/// let response = Response::builder().status(StatusCode::FORBIDDEN).body("not from there\n")?;
/// let wire = write_response(&response);
/// assert_eq!(wire, "HTTP/1.1 403 Forbidden\r\nContent-Length: 15\r\n\r\nnot from there\n");
/// # Ok::<(), http::Error>(())
/// ```
#[must_use]
pub fn write_response<B: Body>(response: &Response<B>) -> Bytes {
    let status = response.status();
    let mut wire = Vec::with_capacity(512);
    wire.extend_from_slice(b"HTTP/1.1 ");
    wire.extend_from_slice(status.as_str().as_bytes());
    wire.push(b' ');
    wire.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    wire.extend_from_slice(b"\r\n");
    // RFC 9110 section 8.6: no Content-Length with 1xx and 204; a 304 has no body either.
    let has_body =
        !status.is_informational() && status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED;
    let body = has_body.then(|| response.body().bytes());
    write_headers(response.headers(), &[], &mut wire);
    finish(body, &mut wire);
    wire.into()
}

/// The bytes of a request: request line, `Host` first and the other headers in their order, body.
///
/// The target is written in origin form, for CONNECT in authority form (RFC 9112 section 3.2). `Host` comes from the
/// URI where the headers have none. `Content-Length` is written when there is a body. No CR, LF or NUL that a caller
/// has set can reach the wire.
#[must_use]
pub fn write_request<B: Body>(request: &Request<B>) -> Bytes {
    let uri = request.uri();
    let mut wire = Vec::with_capacity(512);
    wire.extend_from_slice(request.method().as_str().as_bytes());
    wire.push(b' ');
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    // User information never leaves us in clear (RFC 9110 section 4.2.4).
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let is_connect = request.method() == Method::CONNECT;
    let path = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    if !is_connect && !path.starts_with(['/', '*']) {
        // A URI may leave out the path in front of its query.
        wire.push(b'/');
    }
    let target = if is_connect { authority } else { path };
    wire.extend(percent_encode(target.as_bytes(), NOT_IN_TARGET).flat_map(str::bytes));
    wire.extend_from_slice(b" HTTP/1.1\r\n");
    // RFC 9110 section 7.2: a user agent ought to send Host first.
    match request.headers().get(HOST) {
        Some(host) => write_header(&HOST, host.as_bytes(), &mut wire),
        None => write_header(&HOST, authority.as_bytes(), &mut wire),
    }
    write_headers(request.headers(), &[HOST], &mut wire);
    let body = request.body().bytes();
    finish((!body.is_empty()).then_some(body), &mut wire);
    wire.into()
}

fn write_headers(headers: &HeaderMap, written: &[HeaderName], wire: &mut Vec<u8>) {
    for (name, value) in headers {
        // The body's length is ours to say.
        if !written.contains(name) && *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
            write_header(name, value.as_bytes(), wire);
        }
    }
}

fn write_header(name: &HeaderName, value: &[u8], wire: &mut Vec<u8>) {
    write_name(name, wire);
    wire.extend_from_slice(b": ");
    wire.extend_from_slice(value);
    wire.extend_from_slice(b"\r\n");
}

fn finish(body: Option<&[u8]>, wire: &mut Vec<u8>) {
    if let Some(body) = body {
        write_header(&CONTENT_LENGTH, HeaderValue::from(body.len()).as_bytes(), wire);
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(body.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_written_is_the_body_s() {
        let response = Response::builder()
            .status(400)
            .header("content-length", "3")
            .header("transfer-encoding", "chunked")
            .header("x-a", "b")
            .body("why\n".to_owned())
            .unwrap();
        assert_eq!(
            write_response(&response),
            "HTTP/1.1 400 Bad Request\r\nX-A: b\r\nContent-Length: 4\r\n\r\nwhy\n"
        );
    }

    #[test]
    fn statuses_without_a_body_are_written_without_one() {
        for (status, line) in
            [(101, "101 Switching Protocols"), (204, "204 No Content"), (304, "304 Not Modified")]
        {
            let response = Response::builder().status(status).body("lost").unwrap();
            assert_eq!(write_response(&response), format!("HTTP/1.1 {line}\r\n\r\n"));
        }
        let unknown = Response::builder().status(599).body(()).unwrap();
        assert_eq!(write_response(&unknown), "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn a_target_has_the_form_of_its_method() {
        for (method, uri, line) in [
            ("GET", "http://example.com/a?b=c", "GET /a?b=c HTTP/1.1"),
            ("GET", "http://user:secret@example.com", "GET / HTTP/1.1"),
            ("GET", "http://example.com?b=c", "GET /?b=c HTTP/1.1"),
            ("GET", "http://example.com/\u{e9}", "GET /%C3%A9 HTTP/1.1"),
            ("CONNECT", "user:secret@example.com:443", "CONNECT example.com:443 HTTP/1.1"),
        ] {
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            let wire = write_request(&request);
            assert!(wire.starts_with(format!("{line}\r\nHost: example.com").as_bytes()), "{wire:?}");
            assert!(!wire.windows(6).any(|part| part == b"secret"));
        }
    }
}
