//! An endpoint in front of another service.

use std::{
    fmt,
    future::Future,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};

use http::{Request, Response, StatusCode, request::Parts};
use tower_layer::Layer;
use ws_endpoint::{ServerConfig, handshake::Refusal};
use ws_tokio::Clients;

use crate::{Error, Matcher, Upgrade, WebSocket, WebSocketService, head::is_plain, upgrade::runtime};

/// Puts a WebSocket endpoint in front of another service, which gets all requests that are not for it. Stack several, and
/// one port has several endpoints beside its pages.
///
/// ```no_run
/// # use std::{convert::Infallible, sync::Arc};
/// # use ws_hyper::{WebSocketLayer, endpoint::ServerConfig, http::{Request, Response}};
/// # use hyper::{body::Incoming, service::service_fn};
/// # use hyper_util::rt::TokioIo;
/// # use tower_layer::Layer as _;
/// # async fn example(stream: tokio::net::TcpStream) -> Result<(), hyper::Error> {
/// let pages = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new("a page\n".to_owned())) });
/// let echo = WebSocketLayer::new("/echo", Arc::default(), |mut ws, _request| async move {
///     while let Some(Ok(message)) = ws.recv().await {
///         if ws.send(message).await.is_err() {
///             break;
///         }
///     }
/// });
/// let http = hyper::server::conn::http1::Builder::new();
/// http.serve_connection(TokioIo::new(stream), echo.layer(pages)).with_upgrades().await
/// # }
/// ```
///
/// A request that is for the endpoint and does not ask for a WebSocket is answered 426, unless the endpoint
/// [shares its path](Self::share_path); one that breaks a rule, with the status for that. The handler runs in a task of its
/// own: one that panics ends its connection with 1011, if it still holds it, and no other; a matcher or a hook that panics is answered 500.
///
/// The answers' bodies are made of a `String`: `String`, `Full<Bytes>` and axum's `Body` can be. For another type, map the
/// inner service's body to one of these.
#[derive(Clone, Debug)]
pub struct WebSocketLayer {
    endpoint: Arc<Endpoint>,
}

/// What one endpoint is, shared by all services that the layer makes.
#[derive(Clone)]
pub(crate) struct Endpoint {
    matcher: Arc<dyn Matcher>,
    config: Arc<ServerConfig>,
    handler: Arc<Handler>,
    before: Arc<Before>,
    failed: Arc<Failed>,
    clients: Clients,
    shares_path: bool,
}

type Handler = dyn Fn(WebSocket, Request<()>) -> Handling + Send + Sync;
type Handling = Pin<Box<dyn Future<Output = ()> + Send>>;
type Before = dyn Fn(&mut Upgrade) -> Result<(), Refusal> + Send + Sync;
type Failed = dyn Fn(Error) + Send + Sync;

impl WebSocketLayer {
    /// An endpoint for the requests that `matcher` finds, a path mostly. The handler gets each connection with the request
    /// that it came from.
    pub fn new<H, F>(matcher: impl Matcher, config: Arc<ServerConfig>, handler: H) -> Self
    where
        H: Fn(WebSocket, Request<()>) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let endpoint = Endpoint {
            matcher: Arc::new(matcher),
            config,
            handler: Arc::new(move |socket, request| Box::pin(handler(socket, request))),
            before: Arc::new(|_| Ok(())),
            failed: Arc::new(drop),
            clients: Clients::default(),
            shares_path: false,
        };
        Self { endpoint: Arc::new(endpoint) }
    }

    /// Sets what happens before a request is accepted: it may choose the subprotocol, add headers to the answer, put values
    /// into the request's extensions for the handler, and refuse. What has to wait for something belongs into a layer of its
    /// own around this one.
    #[must_use]
    pub fn before<H>(mut self, hook: H) -> Self
    where
        H: Fn(&mut Upgrade) -> Result<(), Refusal> + Send + Sync + 'static,
    {
        Arc::make_mut(&mut self.endpoint).before = Arc::new(hook);
        self
    }

    /// Sets what is told of a connection that did not open though its request was accepted. Nobody is, by default.
    #[must_use]
    pub fn on_failed_upgrade(mut self, hook: impl Fn(Error) + Send + Sync + 'static) -> Self {
        Arc::make_mut(&mut self.endpoint).failed = Arc::new(hook);
        self
    }

    /// Enters each connection into these: to count all that are open, to close them, and to shut down. Several endpoints may
    /// share them.
    #[must_use]
    pub fn clients(mut self, clients: &Clients) -> Self {
        Arc::make_mut(&mut self.endpoint).clients = clients.clone();
        self
    }

    /// Leaves requests without an `Upgrade` header to the inner service, for a path that has a page, too.
    #[must_use]
    pub fn share_path(mut self) -> Self {
        Arc::make_mut(&mut self.endpoint).shares_path = true;
        self
    }
}

impl<S> Layer<S> for WebSocketLayer {
    type Service = WebSocketService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WebSocketService::new(inner, Arc::clone(&self.endpoint))
    }
}

impl Endpoint {
    /// Answers a request, or lets it go on because it is not for this endpoint.
    pub(crate) fn answer<B>(&self, request: Request<B>) -> ControlFlow<Response<String>, Request<B>> {
        let (mut head, body) = request.into_parts();
        // The caller's matcher and hook may panic. What they have touched is this request's alone, and is dropped.
        let answer = catch_unwind(AssertUnwindSafe(|| self.is_for_us(&head).then(|| self.accept(&mut head))));
        let failed = |_| Some(Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the server has failed")));
        match answer.unwrap_or_else(failed) {
            None => ControlFlow::Continue(Request::from_parts(head, body)),
            Some(answer) => ControlFlow::Break(answer.unwrap_or_else(Refusal::into_response)),
        }
    }

    fn is_for_us(&self, head: &Parts) -> bool {
        !(self.shares_path && is_plain(head)) && self.matcher.is_match(head)
    }

    fn accept(&self, head: &mut Parts) -> Result<Response<String>, Refusal> {
        let mut upgrade = Upgrade::from_parts(head, &self.config)?;
        (self.before)(&mut upgrade)?;
        let runtime = runtime()?;
        let (response, upgrading) = upgrade.accept()?;
        let upgrading = upgrading.tracked(&self.clients);
        let (handler, failed) = (Arc::clone(&self.handler), Arc::clone(&self.failed));
        runtime.spawn(async move {
            match upgrading.with_request().await {
                Ok((socket, request)) => handler(socket, request).await,
                Err(error) => failed(error),
            }
        });
        Ok(response)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("config", &self.config).finish_non_exhaustive()
    }
}
