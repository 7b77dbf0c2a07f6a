//! A request for a WebSocket: to be inspected, and then accepted or refused.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Request, StatusCode};
use ws_extensions::{Negotiated, Registry};
use ws_frame::Role;
use ws_handshake::{
    AcceptBuilder, InvalidHeader, MAX_ADDED_HEADERS, Refusal, RequestHead, ResponseError, Upgrade, check,
};

use super::{Accepted, ServerConfig};

/// A request that breaks a rule, and what it is answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct RefusedRequest {
    /// The request as it came.
    pub request: Request<()>,
    /// The answer to send; the transport ends behind it.
    pub refusal: Refusal,
}

/// A request for a WebSocket that breaks no rule: to be inspected, and then accepted or refused.
#[derive(Debug)]
pub struct UpgradeRequest(Box<Asked>);

/// In a box, which goes from hand to hand until the connection is open.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) head: RequestHead,
    pub(super) upgrade: Upgrade,
    pub(super) config: Arc<ServerConfig>,
    pub(super) subprotocol: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl UpgradeRequest {
    /// Checks a request that was read here or by an HTTP server.
    ///
    /// # Errors
    /// A [`Refusal`] holds the answer to send.
    pub fn new(request: Request<()>, config: Arc<ServerConfig>) -> Result<Self, Refusal> {
        Self::check(request, config).map_err(|refused| refused.refusal)
    }

    /// The same, and a request that breaks a rule comes back with its refusal.
    ///
    /// # Errors
    /// [`RefusedRequest`].
    pub fn check(request: Request<()>, config: Arc<ServerConfig>) -> Result<Self, Box<RefusedRequest>> {
        match check(&request, &config.policy) {
            Ok(upgrade) => Ok(Self::judged(request.into(), upgrade, config)),
            Err(refusal) => Err(Box::new(RefusedRequest { request, refusal })),
        }
    }

    /// A request that was found to break no rule.
    pub(super) fn judged(head: RequestHead, upgrade: Upgrade, config: Arc<ServerConfig>) -> Self {
        let subprotocol = config.subprotocols.choose(upgrade.subprotocols()).map(str::to_owned);
        Self(Box::new(Asked { head, upgrade, config, subprotocol, headers: Vec::new() }))
    }

    /// The request as it came. Of one that was read here, headers and all are parsed by the first call.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.0.head.request()
    }

    /// What travels with the request inside of this program ([`http::Extensions`]): values that whoever looks at the
    /// request hands on to the connection.
    #[must_use]
    pub fn request_extensions_mut(&mut self) -> &mut http::Extensions {
        self.0.head.request_mut().extensions_mut()
    }

    /// What it asks for: host, origin, subprotocols, extensions, version.
    #[must_use]
    pub fn upgrade(&self) -> &Upgrade {
        &self.0.upgrade
    }

    /// The subprotocol that will be chosen.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.0.subprotocol.as_deref()
    }

    /// Chooses the subprotocol, one of those requested, or none.
    ///
    /// # Errors
    /// [`ResponseError::UnrequestedSubprotocol`] for any other.
    pub fn choose_subprotocol(&mut self, chosen: Option<&str>) -> Result<(), ResponseError> {
        if let Some(chosen) = chosen {
            self.0.upgrade.accept().subprotocol(chosen)?;
        }
        self.0.subprotocol = chosen.map(str::to_owned);
        Ok(())
    }

    /// Adds a header to the answer that accepts, `Set-Cookie` for one.
    ///
    /// # Errors
    /// [`ResponseError::Header`] for those of the handshake, for what cannot be sent, and for too many.
    pub fn add_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), ResponseError> {
        if self.0.headers.len() >= MAX_ADDED_HEADERS {
            return Err(InvalidHeader::TooMany.into());
        }
        self.0.upgrade.accept().header(name.clone(), value.clone())?;
        self.0.headers.push((name, value));
        Ok(())
    }

    /// Whether the extensions that the client offers can be read, which [`accept`](Self::accept) finds out too: for those
    /// who want every rule checked before they ask anybody whether to accept.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 for a malformed `Sec-WebSocket-Extensions`.
    pub fn check_extensions(&self) -> Result<(), Refusal> {
        if self.0.upgrade.extensions().is_none() { Ok(()) } else { self.respond(&Registry::new()).map(drop) }
    }

    /// Accepts: negotiates the extensions and makes the answer.
    ///
    /// # Errors
    /// A [`Refusal`] with 400 for a malformed `Sec-WebSocket-Extensions`.
    pub fn accept(self) -> Result<Accepted, Refusal> {
        // Without an offer nothing is agreed on (RFC 6455 section 9.1), whatever the server knows.
        let offered = self.0.upgrade.extensions().is_some();
        let negotiated = if offered { Some(self.respond(&self.0.config.extensions)?) } else { None };
        let negotiated = negotiated.filter(|negotiated| !negotiated.agreed.is_empty()).map(Box::new);
        let answer = self
            .answer(negotiated.as_deref())
            .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error))?
            .finish();
        Ok(Accepted::new(self.0, negotiated, answer))
    }

    fn respond(&self, extensions: &Registry) -> Result<Negotiated, Refusal> {
        let options = self.0.config.connection.session(Role::Server);
        extensions.respond(self.0.upgrade.extensions(), &options).map_err(|error| {
            Refusal::new(StatusCode::BAD_REQUEST, format!("Sec-WebSocket-Extensions: {error}"))
        })
    }

    fn answer(&self, negotiated: Option<&Negotiated>) -> Result<AcceptBuilder<'_>, ResponseError> {
        let mut answer = self.0.upgrade.accept();
        if let Some(subprotocol) = &self.0.subprotocol {
            answer = answer.subprotocol(subprotocol)?;
        }
        if let Some(extensions) = negotiated.and_then(|negotiated| negotiated.header.as_ref()) {
            answer = answer.extensions(extensions)?;
        }
        for (name, value) in &self.0.headers {
            answer = answer.header(name.clone(), value.clone())?;
        }
        Ok(answer)
    }

    /// The config, to be changed before the request is accepted.
    pub(crate) fn config(&mut self) -> &mut Arc<ServerConfig> {
        &mut self.0.config
    }
}
