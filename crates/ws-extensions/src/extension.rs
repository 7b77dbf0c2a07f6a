//! What an extension has to provide: a factory for sessions, one per connection.

use std::{borrow::Cow, fmt, sync::Arc};

use thiserror::Error;
use ws_frame::Rsv;

use crate::{codec::Codec, options::SessionOptions, params::Params};

/// An extension (RFC 6455 section 9): registered once in a [`Registry`](crate::Registry), shared by all connections.
///
/// It works on whole messages and never sees how they were cut into frames; control frames pass it by.
pub trait Extension: Send + Sync {
    /// The name in the header, a token. Asked once, at registration.
    fn name(&self) -> &'static str;

    /// The reserved bits that it may set on a message's first frame. Two extensions that want the same bit cannot be
    /// in use on one connection. Asked once, at registration.
    fn rsv(&self) -> Rsv;

    /// The client's side: begins an offer for one connection. `None` leaves the extension out this time.
    fn offer(&self, options: &SessionOptions) -> Option<Box<dyn Offer>>;

    /// The server's side: looks at what the client offered under this name, at least one entry, the most wanted
    /// first, and gives its answer and the session. `None` declines: the handshake goes on without the extension.
    fn accept(&self, offers: &[Params], options: &SessionOptions) -> Option<(Params, Session)>;
}

impl<T: Extension + ?Sized> Extension for Arc<T> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn rsv(&self) -> Rsv {
        (**self).rsv()
    }

    fn offer(&self, options: &SessionOptions) -> Option<Box<dyn Offer>> {
        (**self).offer(options)
    }

    fn accept(&self, offers: &[Params], options: &SessionOptions) -> Option<(Params, Session)> {
        (**self).accept(offers, options)
    }
}

/// What a client offered, until the server has answered. It may hold state of its own.
pub trait Offer: Send {
    /// One entry of the header for each, the most wanted first. Without any, nothing is offered.
    fn params(&self) -> &[Params];

    /// Judges the server's answer and begins the session.
    ///
    /// # Errors
    /// [`Refusal`] when the answer is not one that the offer allows; the handshake fails then.
    fn activate(self: Box<Self>, response: &Params) -> Result<Session, Refusal>;
}

/// Why a client does not accept what the server answered to an offer.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("{}{reason}", .parameter.as_ref().map(|name| format!("parameter {name}: ")).unwrap_or_default())]
pub struct Refusal {
    parameter: Option<String>,
    reason: Cow<'static, str>,
}

impl Refusal {
    /// The answer as a whole is not acceptable.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Refusal { parameter: None, reason: reason.into() }
    }

    /// One parameter is not acceptable, or is missing.
    pub fn parameter(name: impl Into<String>, reason: impl Into<Cow<'static, str>>) -> Self {
        Refusal { parameter: Some(name.into()), reason: reason.into() }
    }

    /// The parameter that is to blame, if it is a single one.
    pub fn parameter_name(&self) -> Option<&str> {
        self.parameter.as_deref()
    }

    /// What is wrong with it.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

/// An extension in use on one connection: a codec for each direction.
///
/// The directions are independent and may be used from different threads; state that they share is for the extension
/// to guard.
pub struct Session {
    /// Works on what was received.
    pub incoming: Box<dyn Codec>,
    /// Works on what is sent.
    pub outgoing: Box<dyn Codec>,
    /// Runs once, when both directions have released the session or the connection was dropped.
    pub on_close: Option<Box<dyn FnOnce() + Send>>,
}

impl Session {
    /// A session of these two codecs.
    pub fn new(incoming: impl Codec + 'static, outgoing: impl Codec + 'static) -> Self {
        Session { incoming: Box::new(incoming), outgoing: Box::new(outgoing), on_close: None }
    }

    /// The same, with something to do at the end.
    #[must_use]
    pub fn on_close(mut self, run: impl FnOnce() + Send + 'static) -> Self {
        self.on_close = Some(Box::new(run));
        self
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}
