//! A request of an HTTP server that asks for a WebSocket: inspected, then accepted or refused.

use std::sync::Arc;

use http::{Extensions, HeaderName, HeaderValue, Request, Response, StatusCode, request::Parts};
use hyper::upgrade::OnUpgrade;
use tokio::{runtime::Handle, time::Instant};
use ws_endpoint::{
    ServerConfig, UpgradeRequest,
    handshake::{self, Refusal, ResponseError},
};

#[cfg(feature = "http2")]
use crate::http2;
use crate::{Upgrading, head::Head};

/// Accepts a request: checks it, negotiates subprotocol and extensions, and makes the answer.
///
/// The answer must be returned to the HTTP server as it is; the connection opens when that has sent it. The body is empty
/// and of a type that every HTTP server takes; `response.map(..)` turns it into another one. To look at the request before
/// it is accepted, use [`Upgrade`].
///
/// ```no_run
/// # use std::{convert::Infallible, sync::Arc};
/// # use ws_hyper::{http::{Request, Response}, endpoint::ServerConfig};
/// async fn handle<B>(
///     mut request: Request<B>,
///     config: Arc<ServerConfig>,
/// ) -> Result<Response<String>, Infallible> {
///     if !ws_hyper::is_upgrade(&request) {
///         return Ok(Response::new("a page\n".to_owned()));
///     }
///     Ok(match ws_hyper::upgrade(&mut request, &config) {
///         Ok((response, upgrading)) => {
///             tokio::spawn(async move {
///                 let mut ws = upgrading.await?;
///                 while let Some(message) = ws.recv().await {
///                     ws.send(message?).await?;
///                 }
///                 Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
///             });
///             response
///         }
///         Err(refusal) => refusal.into_response(),
///     })
/// }
/// ```
///
/// # Errors
/// A [`Refusal`] holds the answer to send instead: 426 for a plain request, 400, 403 or 405 for one that breaks a rule,
/// 505 for HTTP/1.0. The HTTP server's connection ends behind it, because bytes that follow may be frames.
pub fn upgrade<B>(
    request: &mut Request<B>,
    config: &Arc<ServerConfig>,
) -> Result<(Response<String>, Upgrading), Refusal> {
    Upgrade::new(request, config)?.accept()
}

/// A request for a WebSocket that breaks no rule: to be inspected, and then accepted or refused.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use ws_hyper::{Upgrade, Upgrading, endpoint::handshake::Refusal, http::{Request, Response, StatusCode, header}};
/// # fn example<B>(request: &mut Request<B>) -> Result<(Response<String>, Upgrading), Refusal> {
/// let mut upgrade = Upgrade::new(request, &Arc::default())?;
/// let Some(user) = upgrade.request().headers().get(header::AUTHORIZATION).cloned() else {
///     return Err(Refusal::new(StatusCode::UNAUTHORIZED, "log in first"));
/// };
/// // For whoever talks to the client then: it comes back with the request.
/// upgrade.extensions_mut().insert(user);
/// upgrade.accept()
/// # }
/// ```
///
/// To refuse, return [`Refusal::into_response`] or any other response but one with status 101, and drop this.
#[derive(Debug)]
pub struct Upgrade {
    request: UpgradeRequest,
    /// See [`Head::came`].
    came: Option<Box<Request<()>>>,
    on_upgrade: OnUpgrade,
    deadline: Option<Instant>,
}

impl Upgrade {
    /// Checks a request. Its head is copied, so that it stays with the connection; what hyper needs to hand the connection
    /// over is taken out of its extensions.
    ///
    /// # Errors
    /// A [`Refusal`] holds the answer to send. It is 500 where the HTTP server does not hand connections over.
    pub fn new<B>(request: &mut Request<B>, config: &Arc<ServerConfig>) -> Result<Self, Refusal> {
        let on_upgrade = request.extensions_mut().remove();
        Self::from_head(Head::new(Head::copy(request))?, on_upgrade, config)
    }

    /// The same for the parts of a request.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    pub fn from_parts(parts: &mut Parts, config: &Arc<ServerConfig>) -> Result<Self, Refusal> {
        let on_upgrade = parts.extensions.remove();
        Self::from_head(Head::new(Request::from_parts(parts.clone(), ()))?, on_upgrade, config)
    }

    pub(crate) fn from_head(
        head: Head,
        on_upgrade: Option<OnUpgrade>,
        config: &Arc<ServerConfig>,
    ) -> Result<Self, Refusal> {
        // The client's mistakes first.
        let request = UpgradeRequest::new(head.request, Arc::clone(config))?;
        let on_upgrade = on_upgrade.ok_or_else(not_upgradable)?;
        let deadline = config.handshake_timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Ok(Self { request, came: head.came, on_upgrade, deadline })
    }

    /// The request as it came.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.came.as_deref().unwrap_or_else(|| self.request.request())
    }

    /// What it asks for: host, origin, subprotocols, extensions, version.
    #[must_use]
    pub fn facts(&self) -> &handshake::Upgrade {
        self.request.upgrade()
    }

    /// The extensions of the request, to put something in for whoever gets
    /// [the request with the connection](Upgrading::with_request).
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        match &mut self.came {
            Some(came) => came.extensions_mut(),
            None => self.request.request_extensions_mut(),
        }
    }

    /// The subprotocol that will be chosen.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.request.subprotocol()
    }

    /// Chooses the subprotocol, one of those requested, or none.
    ///
    /// # Errors
    /// [`ResponseError::UnrequestedSubprotocol`] for any other.
    pub fn choose_subprotocol(&mut self, chosen: Option<&str>) -> Result<(), ResponseError> {
        self.request.choose_subprotocol(chosen)
    }

    /// Adds a header to the answer that accepts, `Set-Cookie` for one.
    ///
    /// # Errors
    /// [`ResponseError::Header`] for those of the handshake, for what cannot be sent, and for too many.
    pub fn add_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<(), ResponseError> {
        self.request.add_header(name, value)
    }

    /// Accepts: negotiates the extensions and makes the answer; see [`upgrade`].
    ///
    /// # Errors
    /// A [`Refusal`] with 400 for a malformed `Sec-WebSocket-Extensions`.
    pub fn accept(self) -> Result<(Response<String>, Upgrading), Refusal> {
        let accepted = self.request.accept()?;
        let response = accepted.response().clone().map(|()| String::new());
        #[cfg(feature = "http2")]
        let response = if self.came.is_some() { http2::translate_back(response) } else { response };
        Ok((response, Upgrading::new(self.on_upgrade, accepted, self.came, self.deadline)))
    }
}

/// Where a connection is served.
///
/// # Errors
/// A refusal with 500 outside of tokio.
pub(crate) fn runtime() -> Result<Handle, Refusal> {
    Handle::try_current().map_err(|_| not_upgradable())
}

/// The answer of a server that was not told to serve upgrades, or whose middleware has taken the transport away.
pub(crate) fn not_upgradable() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "this server does not hand its connections over")
}
