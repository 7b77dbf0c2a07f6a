//! How a server is set up.

mod connections;

use std::{fmt, io, sync::Arc};

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tokio::sync::{Mutex, mpsc, watch};
use ws_endpoint::{ServerConfig, Subprotocols, handshake::OriginPolicy};

use super::{
    Address, Answer, BindError, ClientError, Inner, Listener, Server, ServerError, ServerStream, acceptor,
    crowd::Crowd,
    handshake::Shared,
    hooks::{Hooks, OtherHooks},
    listener::Source,
    registry::Registry,
};

/// How many handshakes may be under way.
const MAX_HANDSHAKES: usize = 1024;

/// How many clients may wait in the system to be accepted.
const BACKLOG: u32 = 511;

/// How many open connections may wait for the application.
const READY: usize = 64;

/// How a server is set up; begun by [`Server::builder`]. Everything has a default.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use ws_tokio::{Server, http::StatusCode};
///
/// let server = Server::builder()
///     .path("/chat")
///     .subprotocols(["chat.v2", "chat.v1"])
///     .origins(["https://example.com"])
///     .idle_timeout(Duration::from_secs(600))
///     .authorize(|request, _peer| async move {
///         match request.headers().get("authorization") {
///             Some(token) if token == "Bearer sesame" => Ok("ali"),
///             _ => Err(StatusCode::UNAUTHORIZED),
///         }
///     })
///     .bind("127.0.0.1:0")
///     .await?;
/// # let _ = server;
/// # Ok(())
/// # }
/// ```
pub struct ServerBuilder<T = ()> {
    config: ServerConfig,
    /// `None` for the default, which depends on TLS.
    origins: Option<OriginPolicy>,
    /// Whether TLS ends here.
    over_tls: bool,
    sources: Vec<Source>,
    backlog: u32,
    max_handshakes: usize,
    hooks: Hooks<T>,
}

impl ServerBuilder {
    pub(super) fn new() -> Self {
        Self {
            config: ServerConfig::default(),
            origins: None,
            over_tls: false,
            sources: Vec::new(),
            backlog: BACKLOG,
            max_handshakes: MAX_HANDSHAKES,
            hooks: Hooks::default(),
        }
    }
}

/// Where it listens.
impl<T: Send + 'static> ServerBuilder<T> {
    /// Listens on this address, too: `"127.0.0.1:9001"`, `"[::]:80"` for all interfaces, `"localhost:0"` for a port that
    /// the system chooses. Of a name with several addresses the first that can be listened on is taken.
    #[must_use]
    pub fn listen(mut self, address: impl fmt::Display) -> Self {
        self.sources.push(Source::Tcp(address.to_string()));
        self
    }

    /// Listens on a Unix socket at this path, too. A socket file there on which nobody listens is replaced; ours is
    /// removed when the server stops.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(mut self, path: impl Into<std::path::PathBuf>) -> Self {
        self.sources.push(Source::Unix(path.into()));
        self
    }

    /// Takes connections from a listener of one's own, too.
    #[must_use]
    pub fn listener(mut self, listener: impl Listener) -> Self {
        self.sources.push(Source::Own(Box::new(listener)));
        self
    }

    /// How many clients may wait in the system to be accepted, for each TCP address: 511.
    #[must_use]
    pub fn backlog(mut self, backlog: u32) -> Self {
        self.backlog = backlog;
        self
    }

    /// Listens on this address, and starts.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    ///
    /// # Cancel safety
    /// As for [`start`](Self::start).
    pub async fn bind(self, address: impl fmt::Display) -> Result<Server<T>, BindError> {
        self.listen(address).start().await
    }

    /// Starts: from here on clients are accepted, each in a task of its own, in the runtime that this is called in.
    ///
    /// # Errors
    /// [`BindError`].
    ///
    /// # Cancel safety
    /// A future that is dropped leaves nothing.
    pub async fn start(mut self) -> Result<Server<T>, BindError> {
        if self.sources.is_empty() {
            return Err(BindError::Nowhere);
        }
        let mut listeners = Vec::with_capacity(self.sources.len());
        for source in self.sources {
            let address = source.name();
            let listener = source.bind(self.backlog).await;
            listeners.push(listener.map_err(|source| BindError::Listen { address, source })?);
        }
        self.config.policy.origins = self.origins.unwrap_or(match self.over_tls {
            true => OriginPolicy::SameHostOverTls,
            false => OriginPolicy::SameHost,
        });
        let (stop, stopping) = watch::channel(false);
        let (sender, ready) = mpsc::channel(READY);
        let registry = Arc::<Registry>::default();
        let crowd = Crowd::new(self.max_handshakes);
        let config = Arc::new(self.config);
        let shared = Arc::new(Shared { config, hooks: self.hooks, registry, stopping });
        let addresses = listeners.iter().map(|listener| listener.local_addr()).collect();
        for listener in listeners {
            tokio::spawn(acceptor::run(listener, Arc::clone(&shared), Arc::clone(&crowd), sender.clone()));
        }
        let inner = Inner { shared, crowd, addresses, stop, ready: Mutex::new(ready) };
        Ok(Server { inner: Arc::new(inner) })
    }
}

/// Who is accepted.
impl<T: Send + 'static> ServerBuilder<T> {
    /// Serves this path alone; another one is refused with 404. Any path by default.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.config.policy.path = Some(path.into());
        self
    }

    /// Accepts pages of these origins, such as `https://example.com`, and of no other. Clients that name no origin always
    /// pass: only browsers do.
    ///
    /// By default the origin must be the host that the request was sent to, exactly, in host and port; where TLS ends here
    /// it must be `https`. Behind a proxy that changes the `Host` header, name the origins.
    #[must_use]
    pub fn origins<S: Into<String>>(mut self, origins: impl IntoIterator<Item = S>) -> Self {
        self.origins = Some(OriginPolicy::Listed(origins.into_iter().map(Into::into).collect()));
        self
    }

    /// Accepts pages of any origin. A page of another site then connects with the visitor's cookies: do not let those
    /// authorize.
    #[must_use]
    pub fn any_origin(mut self) -> Self {
        self.origins = Some(OriginPolicy::Any);
        self
    }

    /// Asks `hook` about each request that breaks no rule, with the client's address. What it gives is handed on as
    /// [`ServerConnection::data`](crate::ServerConnection::data); its error is the answer to the client: a status, a
    /// [`Refusal`](ws_endpoint::handshake::Refusal), any response.
    ///
    /// It has what is left of the handshake's time; then the client is told 503. The request is copied for it.
    #[must_use]
    pub fn authorize<U, E, R>(
        self,
        hook: impl Fn(Request<()>, Address) -> R + Send + Sync + 'static,
    ) -> ServerBuilder<U>
    where
        U: Send + 'static,
        E: Into<Answer>,
        R: Future<Output = Result<U, E>> + Send + 'static,
    {
        let Self { config, origins, over_tls, sources, backlog, max_handshakes, hooks } = self;
        let hooks = Hooks {
            authorize: Arc::new(move |request, peer| {
                let authorized = hook(request.request().clone(), peer.clone());
                Box::pin(async move { authorized.await.map_err(Into::into) })
            }),
            rest: hooks.rest,
        };
        ServerBuilder { config, origins, over_tls, sources, backlog, max_handshakes, hooks }
    }

    /// The most handshakes that may be under way: 1,024. At that bound the slowest gives way to a newcomer once it has
    /// had a second; before, newcomers wait in the backlog.
    #[must_use]
    pub fn max_handshakes(mut self, max: usize) -> Self {
        self.max_handshakes = max;
        self
    }
}

/// What they are answered.
impl<T: Send + 'static> ServerBuilder<T> {
    /// Chooses the first requested subprotocol that is one of these. By default it is the first requested.
    #[must_use]
    pub fn subprotocols<S: Into<String>>(mut self, supported: impl IntoIterator<Item = S>) -> Self {
        self.config.subprotocols = Subprotocols::Supported(supported.into_iter().map(Into::into).collect());
        self
    }

    /// Lets `choose` choose among the requested subprotocols, most wanted first, or none. It is not asked where none was
    /// requested. To choose another one is an error, and the client is told 500.
    #[must_use]
    pub fn handle_protocols(
        self,
        choose: impl Fn(&[String], &Request<()>) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.with(|hooks| hooks.choose_subprotocol = Some(Box::new(choose)))
    }

    /// Adds a header to each answer that accepts.
    #[must_use]
    pub fn header(self, name: HeaderName, value: HeaderValue) -> Self {
        self.add_headers(move |_, headers| {
            headers.append(name.clone(), value.clone());
        })
    }

    /// Lets `add` add headers to the answer that accepts a request: `Set-Cookie` for one. Those of the handshake itself
    /// are an error, and the client is told 500.
    #[must_use]
    pub fn add_headers(self, add: impl Fn(&Request<()>, &mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.with(|hooks| hooks.add_headers.push(Box::new(add)))
    }

    /// Answers requests that ask for no WebSocket: pages, health checks. `None` answers 426, as without this. A body of
    /// the request is not read, and the transport ends behind the answer: for more, put the WebSockets into an HTTP server.
    #[must_use]
    pub fn pages<A, R>(self, pages: impl Fn(Request<()>, Address) -> R + Send + Sync + 'static) -> Self
    where
        A: Into<Answer>,
        R: Future<Output = Option<A>> + Send + 'static,
    {
        self.with(|hooks| {
            hooks.pages = Some(Box::new(move |request, peer| {
                let page = pages(request, peer);
                Box::pin(async move { page.await.map(Into::into) })
            }));
        })
    }

    /// Sees each request that breaks a rule, and may answer it in its own way. It is not asked about those that
    /// [`authorize`](Self::authorize) refuses, nor while the server shuts down.
    #[must_use]
    pub fn on_client_error(
        self,
        hook: impl Fn(&ClientError<'_>) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        self.with(|hooks| hooks.on_client_error = Some(Box::new(hook)))
    }

    /// Is told what goes wrong: the server itself goes on, and is silent without this.
    #[must_use]
    pub fn on_error(self, hook: impl Fn(&ServerError) + Send + Sync + 'static) -> Self {
        self.with(|hooks| hooks.on_error = Some(Box::new(hook)))
    }

    fn with(mut self, set: impl FnOnce(&mut OtherHooks)) -> Self {
        set(&mut self.hooks.rest);
        self
    }
}

/// TLS.
impl<T: Send + 'static> ServerBuilder<T> {
    /// TLS by rustls on every listener, within the time of the handshake. [`tls_config`](crate::tls_config) makes a
    /// config from files' contents.
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn tls(mut self, config: Arc<tokio_rustls::rustls::ServerConfig>) -> Self {
        self.over_tls = true;
        let acceptor = tokio_rustls::TlsAcceptor::from(config);
        self.with(|hooks| {
            hooks.secure = Some(Box::new(move |stream| {
                let accept = acceptor.accept(stream);
                Box::pin(async move { Ok(ServerStream::tls_over(accept.await?)) })
            }));
        })
    }

    /// Puts each transport through `accept` before the handshake, within its time: another TLS library, a header of a
    /// proxy's. For the default of [`origins`](Self::origins) it does not count as TLS.
    #[must_use]
    pub fn acceptor<R>(self, accept: impl Fn(ServerStream) -> R + Send + Sync + 'static) -> Self
    where
        R: Future<Output = io::Result<ServerStream>> + Send + 'static,
    {
        self.with(|hooks| hooks.secure = Some(Box::new(move |stream| Box::pin(accept(stream)))))
    }
}

impl<T> fmt::Debug for ServerBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("config", &self.config)
            .field("origins", &self.origins)
            .field("listeners", &self.sources.iter().map(Source::name).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
