//! A port that answers more than WebSockets.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    AnyRequest, ServerConfig, ServerHandshake,
    handshake::{Body, write_response},
};

use super::{AcceptError, Upgrade, exchange::Exchange};

/// The first request on a transport, of whatever kind.
#[derive(Debug)]
pub enum FirstRequest<S> {
    /// It asks for a WebSocket.
    Upgrade(Upgrade<S>),
    /// It is a plain request, to be answered by the caller.
    Plain(PlainRequest<S>),
}

/// A request that does not ask for a WebSocket.
#[derive(Debug)]
pub struct PlainRequest<S> {
    exchange: Exchange<S>,
    request: Box<Request<()>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> FirstRequest<S> {
    /// Reads the first request on a transport. One that asks for a WebSocket and breaks a rule is refused.
    ///
    /// # Errors
    /// As for [`accept`](crate::accept).
    ///
    /// # Cancel safety
    /// As for [`accept`](crate::accept).
    pub async fn read(transport: S, config: &Arc<ServerConfig>) -> Result<Self, AcceptError> {
        let mut handshake = ServerHandshake::new(Arc::clone(config));
        // It stays where it is until there is a request: what moves on its way there would be held twice.
        let mut exchange = Exchange::new(transport, config);
        match exchange.read_all(|buf| handshake.receive_any(buf)).await {
            Ok(AnyRequest::Upgrade(request)) => Ok(Self::Upgrade(Upgrade::new(exchange, request))),
            Ok(AnyRequest::Plain(request)) => Ok(Self::Plain(PlainRequest { exchange, request })),
            Err(why) => exchange.give_up(why).await,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> PlainRequest<S> {
    /// The request.
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Answers it, and ends the transport. To HEAD the body is not sent.
    ///
    /// # Errors
    /// When the transport fails.
    ///
    /// # Cancel safety
    /// As for [`accept`](crate::accept).
    pub async fn respond<B: Body>(self, response: &Response<B>) -> io::Result<()> {
        let answer = answer_to(self.request.method(), write_response(response));
        self.exchange.end(&answer).await
    }
}

/// What of a response is sent: all but its body to HEAD (RFC 9110 section 9.3.2).
pub(crate) fn answer_to(method: &Method, mut response: Bytes) -> Bytes {
    let head = response.windows(4).position(|end| end == b"\r\n\r\n");
    if let (&Method::HEAD, Some(end)) = (method, head) {
        response.truncate(end + 4);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_head_has_the_length_of_a_body_and_none() {
        let response = write_response(&Response::new("a page"));
        assert_eq!(answer_to(&Method::GET, response.clone()), response);
        assert_eq!(answer_to(&Method::HEAD, response), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
    }
}
