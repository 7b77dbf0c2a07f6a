//! Answers to requests that do not become connections.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{CONNECTION, CONTENT_TYPE},
};
use ws_endpoint::handshake::{Body, Refusal, write_response};

use crate::accept::answer_to;

/// The answer to a request that does not become a connection, made from a status, a [`Refusal`], or any
/// [`Response`] with a body of text or bytes. The transport ends behind it.
///
/// ```
/// use ws_tokio::{Answer, endpoint::handshake::Refusal, http::{Response, StatusCode}};
///
/// let plain = Answer::from(StatusCode::FORBIDDEN);
/// let reasoned = Answer::from(Refusal::new(StatusCode::UNAUTHORIZED, "log in first"));
/// let page = Answer::from(Response::builder().header("content-type", "text/html").body("<h1>Chat</h1>")?);
/// assert_eq!(page.status(), StatusCode::OK);
/// # Ok::<(), ws_tokio::http::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    wire: Bytes,
}

impl Answer {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// What is sent to a request of this method.
    pub(super) fn bytes_for(self, method: &Method) -> Bytes {
        answer_to(method, self.wire)
    }
}

impl From<StatusCode> for Answer {
    fn from(status: StatusCode) -> Self {
        Refusal::new(status, status.canonical_reason().unwrap_or_else(|| status.as_str())).into()
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status(), wire: write_response(refusal.response()) }
    }
}

impl<B: Body> From<Response<B>> for Answer {
    /// A status from 100 to 199 would not end the exchange; 500 takes its place.
    fn from(mut response: Response<B>) -> Self {
        if response.status().is_informational() {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().entry(CONTENT_TYPE).or_insert(text);
        Self { status: response.status(), wire: write_response(&response) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_framed_and_ends_the_transport() {
        let not_an_end = Response::builder().status(101).body("x").expect("a response");
        for (answer, status) in [
            (Answer::from(StatusCode::FORBIDDEN), "403"),
            (Answer::from(Refusal::new(StatusCode::GONE, "moved")), "410"),
            (Answer::from(Response::new(vec![1_u8, 2])), "200"),
            (Answer::from(not_an_end), "500"),
        ] {
            assert_eq!(answer.status().as_str(), status);
            let wire = String::from_utf8_lossy(&answer.bytes_for(&Method::GET)).into_owned();
            let (head, body) = wire.split_once("\r\n\r\n").expect("a head");
            assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
            assert!(head.contains("\r\nConnection: close"), "{head}");
            assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{head}");
        }
    }
}
