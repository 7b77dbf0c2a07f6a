//! One TLS handshake: under which name, with which config.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, pki_types::ServerName},
};

use super::TlsOptions;

/// What a server is called towards TLS, and the config that is used when the caller gave none.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    /// For this host, another name: that of its certificate.
    named: Option<(String, ServerName<'static>)>,
    /// Whether the name is sent (RFC 6066 section 3).
    pub(crate) sni: bool,
    /// The platform's trust, loaded once for all connections of one client, so that their sessions are resumed.
    default: Arc<OnceLock<Arc<ClientConfig>>>,
}

impl Default for Names {
    fn default() -> Self {
        Self { named: None, sni: true, default: Arc::default() }
    }
}

impl Names {
    /// Calls this host by another name.
    pub(crate) fn call(&mut self, host: &str, name: ServerName<'static>) {
        self.named = Some((host.to_owned(), name));
    }

    /// What is needed for a handshake with this host.
    pub(crate) fn session(&self, host: &str, config: Option<&Arc<ClientConfig>>) -> io::Result<Session> {
        let mut config = match config {
            Some(config) => Arc::clone(config),
            None => self.default_config()?,
        };
        if !self.sni && config.enable_sni {
            Arc::make_mut(&mut config).enable_sni = false;
        }
        let name = match &self.named {
            Some((of, name)) if of == host => name.clone(),
            _ => ServerName::try_from(host.to_owned()).map_err(io::Error::other)?,
        };
        Ok(Session { config, name })
    }

    fn default_config(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.default.get() {
            return Ok(Arc::clone(config));
        }
        let config = TlsOptions::new().build().map_err(io::Error::other)?;
        Ok(Arc::clone(self.default.get_or_init(|| config)))
    }
}

/// A handshake to be made.
#[derive(Debug)]
pub(crate) struct Session {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Session {
    pub(crate) async fn over<S>(self, transport: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        TlsConnector::from(self.config).connect(self.name, transport).await
    }
}
