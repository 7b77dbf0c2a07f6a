//! A request that was accepted, and the connection that it becomes.

use std::{fmt, ops::Deref, sync::OnceLock, time::Instant};

use bytes::Bytes;
use http::{Request, Response};
use ws_driver::{Connection, MaskSource};
use ws_extensions::Negotiated;
use ws_frame::Role;
use ws_handshake::{Acceptance, RequestHead};

use super::request::Asked;

/// A connection that is open as soon as its answer has been sent.
#[derive(Debug)]
pub struct Accepted {
    asked: Box<Asked>,
    /// `None` where no extension was agreed on.
    negotiated: Option<Box<Negotiated>>,
    answer: Acceptance,
    /// The answer, once somebody has looked at it.
    response: OnceLock<Box<Response<()>>>,
}

impl Accepted {
    pub(super) fn new(asked: Box<Asked>, negotiated: Option<Box<Negotiated>>, answer: Acceptance) -> Self {
        Self { asked, negotiated, answer, response: OnceLock::new() }
    }

    /// The client's request.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.asked.head.request()
    }

    /// The answer, for an HTTP server that sends it itself.
    #[must_use]
    pub fn response(&self) -> &Response<()> {
        self.response.get_or_init(|| Box::new(self.answer.response()))
    }

    /// The answer's bytes.
    #[must_use]
    pub fn response_bytes(&self) -> Bytes {
        self.answer.bytes()
    }

    /// The answer in any form.
    #[must_use]
    pub fn answer(&self) -> &Acceptance {
        &self.answer
    }

    /// The connection, open since `now`. Bytes that came behind the request go into its receiver's buffer first.
    #[inline]
    #[must_use]
    pub fn open(self, now: Instant) -> Opened {
        let Self { asked, negotiated, answer, response } = self;
        let response = Answer { made: response, acceptance: Some(answer) };
        let config = asked.config.connection.config(Role::Server, MaskSource::Os);
        let extensions = negotiated.as_ref().map(|agreed| agreed.names().collect()).unwrap_or_default();
        let connection = match negotiated {
            None => Connection::without_extensions(config, now),
            Some(negotiated) => Connection::new(config, *negotiated, now),
        };
        let Asked { head, subprotocol, .. } = *asked;
        Opened { connection, handshake: Agreed { request: head, response, subprotocol, extensions } }
    }
}

/// An open connection, and what its opening handshake agreed on.
#[derive(Debug)]
pub struct Opened {
    /// The connection.
    pub connection: Connection,
    /// What was agreed on.
    pub handshake: Agreed,
}

/// What an opening handshake has agreed on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Agreed {
    /// The client's request.
    pub request: RequestHead,
    /// The server's answer.
    pub response: Answer,
    /// The subprotocol in use.
    pub subprotocol: Option<String>,
    /// The names of the extensions in use, in the order of the answer.
    pub extensions: Vec<&'static str>,
}

/// A server's answer, a [`Response`] for those who look at it: a server's own is made when that is first done.
#[derive(Default)]
pub struct Answer {
    made: OnceLock<Box<Response<()>>>,
    /// `None` where it came as a response.
    acceptance: Option<Acceptance>,
}

impl Answer {
    /// The answer, to be kept.
    #[must_use]
    pub fn into_response(mut self) -> Response<()> {
        self.made.take().map_or_else(|| self.make(), |made| *made)
    }

    fn make(&self) -> Response<()> {
        self.acceptance.as_ref().map(Acceptance::response).unwrap_or_default()
    }
}

impl Deref for Answer {
    type Target = Response<()>;

    fn deref(&self) -> &Response<()> {
        self.made.get_or_init(|| Box::new(self.make()))
    }
}

impl From<Response<()>> for Answer {
    fn from(response: Response<()>) -> Self {
        Self { made: OnceLock::from(Box::new(response)), acceptance: None }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
