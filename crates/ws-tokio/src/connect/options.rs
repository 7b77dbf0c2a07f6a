//! What a [`Connect`](super::Connect) knows besides its public fields.

use std::{fmt, io, net::SocketAddr, pin::Pin, sync::Arc};

use ws_endpoint::handshake::{ClientRequest, DEFAULT_BODY_LIMIT, Redirect};

use super::proxy::Proxies;
use crate::ClientStream;

/// A future of a caller's.
pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a caller's hook says when it gives up.
pub(super) type HookError = Box<dyn std::error::Error + Send + Sync>;

/// Finds the addresses of a host.
pub(super) type Resolver = Arc<dyn Fn(String, u16) -> BoxFuture<io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// Makes a transport to a host and a port.
pub(super) type Connector = Arc<dyn Fn(String, u16) -> BoxFuture<io::Result<ClientStream>> + Send + Sync>;

/// Sees each request before it is sent.
pub(super) type RequestHook =
    Arc<dyn Fn(ClientRequest) -> BoxFuture<Result<ClientRequest, HookError>> + Send + Sync>;

/// Sees each redirect before it is followed.
pub(super) type RedirectHook =
    Arc<dyn Fn(Redirect) -> BoxFuture<Result<ClientRequest, HookError>> + Send + Sync>;

/// The private part of a [`Connect`](super::Connect).
#[derive(Clone)]
pub(super) struct Options {
    pub(super) resolver: Option<Resolver>,
    pub(super) connector: Option<Connector>,
    pub(super) nodelay: bool,
    pub(super) proxies: Proxies,
    pub(super) on_request: Option<RequestHook>,
    pub(super) max_redirects: usize,
    pub(super) on_redirect: Option<RedirectHook>,
    pub(super) max_body_len: usize,
    #[cfg(feature = "rustls-no-provider")]
    pub(super) tls: crate::tls::Names,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resolver: None,
            connector: None,
            nodelay: true,
            proxies: Proxies::default(),
            on_request: None,
            max_redirects: 0,
            on_redirect: None,
            max_body_len: DEFAULT_BODY_LIMIT,
            #[cfg(feature = "rustls-no-provider")]
            tls: crate::tls::Names::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("resolver", &self.resolver.as_ref().map(|_| "the caller's"))
            .field("connector", &self.connector.as_ref().map(|_| "the caller's"))
            .field("nodelay", &self.nodelay)
            .field("proxies", &self.proxies)
            .field("on_request", &self.on_request.as_ref().map(|_| "the caller's"))
            .field("max_redirects", &self.max_redirects)
            .field("on_redirect", &self.on_redirect.as_ref().map(|_| "the caller's"))
            .field("max_body_len", &self.max_body_len)
            .finish_non_exhaustive()
    }
}
