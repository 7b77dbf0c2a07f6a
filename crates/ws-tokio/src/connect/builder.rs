//! The options of a [`Connect`], one method each.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    driver::{Limits, MaskSource, Timeouts},
    extensions::Registry,
    handshake::{ClientRequest, ClientRequestError, Redirect, Version},
};

use super::{
    Connect, ConnectError,
    options::{BoxFuture, HookError},
};
use crate::{ClientStream, WebSocket, transport::OtherStream};

/// What is asked of the server.
impl Connect {
    /// Adds a header; see [`ClientRequest::header`].
    ///
    /// # Errors
    /// [`ClientRequestError`] for one that the handshake sets itself, and for what cannot be sent.
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, ClientRequestError>
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        self.request = self.request.header(name, value)?;
        Ok(self)
    }

    /// The subprotocols to ask for, most wanted first; see [`ClientRequest::subprotocols`].
    ///
    /// # Errors
    /// [`ClientRequestError::Subprotocols`] for one that is not a token or occurs twice.
    pub fn subprotocols<I>(mut self, list: I) -> Result<Self, ClientRequestError>
    where
        I: IntoIterator<Item: Into<String>>,
    {
        self.request = self.request.subprotocols(list)?;
        Ok(self)
    }

    /// The origin to name. None is sent by default.
    ///
    /// # Errors
    /// [`ClientRequestError`] for what cannot be sent.
    pub fn origin(mut self, origin: &str) -> Result<Self, ClientRequestError> {
        self.request = self.request.origin(origin)?;
        Ok(self)
    }

    /// The version of the protocol to ask for: 13 by default.
    #[must_use]
    pub fn version(mut self, version: Version) -> Self {
        self.request = self.request.version(version);
        self
    }

    /// Basic authorization (RFC 7617). User information in the address wins over it.
    ///
    /// # Errors
    /// [`ClientRequestError::Credentials`] for a colon in the user's name and for control characters.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Result<Self, ClientRequestError> {
        self.request = self.request.basic_auth(user, password)?;
        Ok(self)
    }

    /// Shows the request to a hook before anything is connected for it, which may change it or give up; its answer is
    /// waited for under the deadlines. It comes behind all other options, and it is asked again by a client that
    /// reconnects: the place for a token that expires.
    ///
    /// It is asked again behind a redirect, too, as long as the server stays the same and TLS is not left: what it adds is
    /// not told to other servers. Those are the business of [`on_redirect`](Self::on_redirect).
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// # async fn fresh_token() -> std::io::Result<String> { Ok(String::new()) }
    /// use ws_tokio::Connect;
    ///
    /// let ws = Connect::new("wss://example.com/")?
    ///     .on_request(async |request| {
    ///         let token = fresh_token().await?;
    ///         Ok(request.header("authorization", format!("Bearer {token}"))?)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_request<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(ClientRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<ClientRequest, HookError>> + Send + 'static,
    {
        self.options.on_request = Some(Arc::new(move |request| Box::pin(hook(request))));
        self
    }

    /// Follows up to so many redirects; none by default, and 10 are plenty. A target may be relative, and its scheme `http`,
    /// `https`, `ws`, `wss` or `ws+unix`. Each hop has its own [`handshake_timeout`](Self::handshake_timeout), within
    /// [`total_timeout`](Self::total_timeout).
    ///
    /// Across hosts, ports and kinds of socket, and from TLS to plain text, credentials, cookies and a `Host` of the
    /// caller's are dropped; [`on_redirect`](Self::on_redirect) sees what, and may set them again.
    #[must_use]
    pub fn follow_redirects(mut self, max: usize) -> Self {
        self.options.max_redirects = max;
        self
    }

    /// Shows each redirect to a hook before it is followed: it gives the request that is sent then, or refuses.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use ws_tokio::Connect;
    ///
    /// let ws = Connect::new("wss://example.com/")?
    ///     .follow_redirects(10)
    ///     .on_redirect(async |redirect| {
    ///         if redirect.is_downgrade { Err("it leads out of TLS".into()) } else { Ok(redirect.request) }
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_redirect<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(Redirect) -> R + Send + Sync + 'static,
        R: Future<Output = Result<ClientRequest, HookError>> + Send + 'static,
    {
        self.options.on_redirect = Some(Arc::new(move |redirect| Box::pin(hook(redirect))));
        self
    }

    /// How much of the body of an answer other than 101 is kept in [`ConnectError::Refused`]: 64 KiB by default, 0 to not
    /// wait for it.
    #[must_use]
    pub fn max_body_len(mut self, len: usize) -> Self {
        self.options.max_body_len = len;
        self
    }
}

/// How the connection behaves.
impl Connect {
    /// The bounds on memory.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.connection.limits = limits.into();
        self
    }

    /// How long an open connection waits for its peer.
    #[must_use]
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config.connection.timeouts = timeouts.into();
        self
    }

    /// How long one hop may take, from the lookup of a name to the server's answer: 10 s by default. `None` is for ever.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.handshake_timeout = timeout;
        self
    }

    /// How long all hops may take together: 30 s by default. `None` is for ever.
    #[must_use]
    pub fn total_timeout(mut self, timeout: Option<Duration>) -> Self {
        self.config.total_timeout = timeout;
        self
    }

    /// Offers permessage-deflate with these options, instead of any other extension.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, options: ws_endpoint::deflate::Options) -> Self {
        self.config.set_deflate(options);
        self
    }

    /// Offers these extensions; an empty registry offers none.
    #[must_use]
    pub fn extensions(mut self, extensions: Registry) -> Self {
        self.config.extensions = extensions;
        self
    }

    /// Offers no extension: no compression either.
    #[must_use]
    pub fn without_extensions(self) -> Self {
        self.extensions(Registry::new())
    }

    /// Asks `source` for each connection's masking keys, in the place of the operating system's.
    #[must_use]
    pub fn mask_source(mut self, source: impl Fn() -> MaskSource + Send + Sync + 'static) -> Self {
        self.config.set_mask_source(source);
        self
    }
}

/// How the transport is made.
impl Connect {
    /// Looks up the addresses of hosts, of a proxy's too, with a function of the caller's instead of the system's. It is
    /// not asked for addresses that stand there in figures.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use ws_tokio::Connect;
    ///
    /// let ws = Connect::new("ws://service.example/")?
    ///     .resolver(async |_host, port| Ok(vec![([10, 0, 0, 7], port).into()]))
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resolver<F, R>(mut self, resolver: F) -> Self
    where
        F: Fn(String, u16) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        self.options.resolver = Some(Arc::new(move |host, port| Box::pin(resolver(host, port))));
        self
    }

    /// Makes each transport with a function of the caller's, given the host and the port: a tunnel, a pipe to a program, a
    /// network that is simulated. It has as long as a connection of TCP would.
    ///
    /// What it gives is spoken to as it is: there is no lookup, no proxy, and no TLS either, so where the address is one of
    /// `wss` that is for the function to do. [`over`](Self::over) takes a single transport that is there already;
    /// this is for [`Reconnect`](crate::Reconnect) and for redirects, which need one after the other.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use tokio::net::TcpStream;
    /// use ws_tokio::{Connect, Reconnect};
    ///
    /// let tunnel = async |_host, _port| TcpStream::connect("127.0.0.1:2222").await;
    /// let connections = Reconnect::new(Connect::new("ws://service.example/")?.connector(tunnel));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn connector<F, R, S>(mut self, connector: F) -> Self
    where
        F: Fn(String, u16) -> R + Send + Sync + 'static,
        R: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        self.options.connector = Some(Arc::new(move |host, port| {
            let connected = connector(host, port);
            Box::pin(async move { Ok(ClientStream::Other(OtherStream::new(connected.await?))) })
        }));
        self
    }

    /// Whether small writes leave at once (`TCP_NODELAY`): they do by default.
    #[must_use]
    pub fn nodelay(mut self, nodelay: bool) -> Self {
        self.options.nodelay = nodelay;
        self
    }

    /// The TLS of `wss`; [`TlsOptions`](crate::TlsOptions) makes one. It is used for every hop, a client certificate with
    /// it.
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn tls(mut self, config: Arc<tokio_rustls::rustls::ClientConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Calls the server by this name towards TLS, instead of the address's host: it is sent, and the certificate must be
    /// for it. The hosts that redirects lead to keep their own names.
    ///
    /// # Errors
    /// When it is no name of a host.
    #[cfg(feature = "rustls-no-provider")]
    pub fn server_name(
        mut self,
        name: &str,
    ) -> Result<Self, tokio_rustls::rustls::pki_types::InvalidDnsNameError> {
        let name = tokio_rustls::rustls::pki_types::ServerName::try_from(name.to_owned())?;
        self.options.tls.call(self.request.host(), name);
        Ok(self)
    }

    /// Sends no name to TLS (no SNI). The certificate must still be for the server.
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn without_sni(mut self) -> Self {
        self.options.tls.sni = false;
        self
    }
}

impl IntoFuture for Connect {
    type Output = Result<WebSocket<ClientStream>, ConnectError>;
    type IntoFuture = BoxFuture<Self::Output>;

    /// [`open`](Connect::open), with what is said there about cancelling.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}
