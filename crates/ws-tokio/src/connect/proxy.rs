//! Which proxy a connection goes through, if any.

use std::sync::Arc;

use http::{
    HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION},
};
use ws_endpoint::handshake::{
    ClientRequest, ConnectRequest, InvalidHeader, ProxyAddress, ProxyExchange, ProxyKind, ProxyRequestError,
};

use super::{
    Connect,
    bypass::{Bypass, is_local},
    environment::{Environment, ProxyEnvironmentError},
};

/// What a client knows of proxies.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies {
    choice: Choice,
    /// Hosts to be connected to directly, whatever the choice.
    bypass: Bypass,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The TLS with the proxy itself.
    #[cfg(feature = "rustls-no-provider")]
    pub(super) tls: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
}

#[derive(Debug, Clone, Default)]
enum Choice {
    #[default]
    None,
    Fixed(Arc<ProxyAddress>),
    Environment(Arc<Environment>),
}

impl Proxies {
    /// The proxy for this request.
    pub(super) fn of(&self, request: &ClientRequest) -> Option<&ProxyAddress> {
        let (host, port) = (request.host(), request.port());
        if request.socket_path().is_some() || self.bypass.matches(host, port) {
            return None;
        }
        match &self.choice {
            Choice::None => None,
            Choice::Fixed(proxy) => Some(proxy),
            Choice::Environment(_) if is_local(host) => None,
            Choice::Environment(environment) => environment.proxy(request.is_tls(), host, port),
        }
    }

    /// What is said to the proxy.
    pub(super) fn exchange(
        &self,
        proxy: &ProxyAddress,
        request: &ClientRequest,
    ) -> Result<ProxyExchange, ProxyRequestError> {
        let (host, port) = (request.host(), request.port());
        if self.headers.is_empty() || proxy.kind() == ProxyKind::Socks5 {
            return ProxyExchange::new(proxy, host, port);
        }
        let mut connect = ConnectRequest::new(host, port)?;
        if let Some(credentials) = proxy.credentials() {
            connect = connect.credentials(credentials)?;
        }
        for (name, value) in &self.headers {
            connect = connect.header(name.clone(), value.clone())?;
        }
        Ok(connect.start().into())
    }
}

/// Through which proxy.
impl Connect {
    /// Connects through this proxy: by HTTP CONNECT for `http://` and `https://`, for `ws` and `wss` alike, or by SOCKS5.
    /// The proxy resolves the server's name. TLS with the server, for `wss`, is inside of the tunnel.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use ws_tokio::Connect;
    ///
    /// let proxy = "http://user:password@proxy.example:3128".parse()?;
    /// let ws = Connect::new("wss://example.com/")?.proxy(proxy).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn proxy(mut self, proxy: ProxyAddress) -> Self {
        self.options.proxies.choice = Choice::Fixed(Arc::new(proxy));
        self
    }

    /// Connects through the proxy that the environment names, if it does: `http_proxy` for `ws`, `https_proxy` for `wss`,
    /// or else `all_proxy`, for any host that is not in `no_proxy`. The names in capitals do as well, and those in small
    /// letters win; `HTTP_PROXY` is not heeded where `REQUEST_METHOD` is set, because a web server sets it from what a
    /// client sends. This machine itself is always connected to directly.
    ///
    /// `no_proxy` is a list: names with all that is below them, addresses, networks such as `10.0.0.0/8`, each with a port
    /// if it is for that alone, or `*`.
    ///
    /// The environment is read now, and not again.
    ///
    /// # Errors
    /// When a variable does not hold the address of a proxy.
    pub fn proxy_from_env(self) -> Result<Self, ProxyEnvironmentError> {
        self.proxy_from(|name| std::env::var(name).ok())
    }

    /// As [`proxy_from_env`](Self::proxy_from_env), with variables from elsewhere: a configuration, or a test.
    ///
    /// # Errors
    /// When a variable does not hold the address of a proxy.
    pub fn proxy_from(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ProxyEnvironmentError> {
        self.options.proxies.choice = Choice::Environment(Arc::new(Environment::read(variable)?));
        Ok(self)
    }

    /// Connects to these hosts directly, whatever proxy there is. The list has the form of `no_proxy`.
    #[must_use]
    pub fn no_proxy_for(mut self, hosts: &str) -> Self {
        self.options.proxies.bypass = Bypass::parse(hosts);
        self
    }

    /// Adds a header to the CONNECT that an HTTP proxy is sent; `Proxy-Authorization` wins over the address's credentials.
    /// A SOCKS5 proxy is sent none.
    ///
    /// # Errors
    /// [`ProxyRequestError::Header`] for one that the exchange sets itself, and for what cannot be sent.
    pub fn proxy_header<N, V>(mut self, name: N, value: V) -> Result<Self, ProxyRequestError>
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        // Tried at once, so that it fails here and not when it is sent.
        let invalid = |error: http::Error| ProxyRequestError::Header(InvalidHeader::Malformed(error));
        let name = name.try_into().map_err(|error| invalid(error.into()))?;
        let mut value = value.try_into().map_err(|error| invalid(error.into()))?;
        ConnectRequest::new("localhost", 80)?.header(name.clone(), value.clone())?;
        let secrets = [PROXY_AUTHORIZATION, AUTHORIZATION, COOKIE];
        value.set_sensitive(secrets.contains(&name));
        self.options.proxies.headers.push((name, value));
        Ok(self)
    }

    /// The TLS with an `https://` proxy; without it the platform's certificates are trusted. That with the server is
    /// [`tls`](Self::tls).
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn proxy_tls(mut self, config: Arc<tokio_rustls::rustls::ClientConfig>) -> Self {
        self.options.proxies.tls = Some(config);
        self
    }
}
