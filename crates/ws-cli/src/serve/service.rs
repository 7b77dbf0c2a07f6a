//! What is served: the same for all connections.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio_rustls::TlsAcceptor;
use ws_stack::{ServerConfig, handshake::OriginPolicy};

use super::{
    args::{Args, Mode},
    page::Page,
    room::Room,
    tls,
};

/// How long a closing handshake may take.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What is served: the same for all connections.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) config: Arc<ServerConfig>,
    pub(super) tls: Option<Tls>,
    pub(super) behaviour: Behaviour,
    pub(super) page: Page,
    /// Whether the failures of single connections are told.
    pub(super) verbose: bool,
}

/// What becomes of a message.
#[derive(Debug)]
pub(super) enum Behaviour {
    Echo,
    Broadcast(Arc<Room>),
}

/// Which pages may connect.
fn origins(listed: &[String], over_tls: bool) -> anyhow::Result<OriginPolicy> {
    let is_same_host = listed.iter().any(|origin| origin == "same-host");
    anyhow::ensure!(
        !is_same_host || listed.len() == 1,
        "--origin same-host allows no other origin beside it"
    );
    Ok(match (listed.is_empty(), is_same_host, over_tls) {
        (true, _, _) => OriginPolicy::Any,
        (_, true, true) => OriginPolicy::SameHostOverTls,
        (_, true, false) => OriginPolicy::SameHost,
        _ => OriginPolicy::Listed(listed.to_vec()),
    })
}

/// The server's side of TLS.
pub(super) struct Tls(pub(super) TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Service {
    /// As the options say, to listen on `address`.
    pub(super) fn new(args: &Args, address: SocketAddr) -> anyhow::Result<Self> {
        let mut config = ServerConfig::default();
        config.connection.timeouts.close = Some(CLOSE_TIMEOUT);
        if let Some(max_message) = args.max_message {
            config.connection.limits.max_message_len = max_message;
        }
        if let Some(compression) = args.deflate {
            config.set_deflate(compression.options());
        }
        let tls = tls::acceptor(args, address)?.map(Tls);
        config.policy.origins = origins(&args.origin, tls.is_some())?;
        let behaviour = match args.mode {
            Mode::Echo => Behaviour::Echo,
            Mode::Broadcast => Behaviour::Broadcast(Arc::default()),
        };
        let mut service =
            Self { config: Arc::new(config), tls, behaviour, page: Page::default(), verbose: args.verbose };
        service.page = Page::new(&service.url(address), args.mode);
        Ok(service)
    }

    /// The address for clients.
    pub(super) fn url(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "wss" } else { "ws" };
        format!("{scheme}://{address}/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_any_the_servers_own_or_those_named() {
        let read = |listed: &[&str], over_tls| {
            let listed: Vec<_> = listed.iter().map(|&origin| origin.to_owned()).collect();
            origins(&listed, over_tls)
        };
        assert_eq!(read(&[], true).unwrap(), OriginPolicy::Any);
        assert_eq!(read(&["same-host"], false).unwrap(), OriginPolicy::SameHost);
        assert_eq!(read(&["same-host"], true).unwrap(), OriginPolicy::SameHostOverTls);
        let named = ["https://a.example", "https://b.example"];
        assert_eq!(read(&named, false).unwrap(), OriginPolicy::Listed(named.map(str::to_owned).to_vec()));
        assert!(read(&["same-host", "https://a.example"], false).is_err());
    }
}
