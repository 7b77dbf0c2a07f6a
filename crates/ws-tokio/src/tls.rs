//! TLS for clients, by rustls.

use std::{io, sync::Arc};

use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, crypto, pki_types::ServerName},
};

use crate::ClientStream;

/// Puts TLS over a TCP connection. Without a config of the caller's, the platform's certificates are trusted.
pub(crate) async fn connect(
    tcp: TcpStream,
    host: &str,
    config: Option<Arc<ClientConfig>>,
) -> io::Result<ClientStream> {
    let config = match config {
        Some(config) => config,
        None => platform_config().map_err(io::Error::other)?,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let tls = TlsConnector::from(config).connect(name, tcp).await?;
    Ok(ClientStream::Tls(Box::new(tls)))
}

/// The provider is named, so that a program with two of them linked does not have to choose first.
fn platform_config() -> Result<Arc<ClientConfig>, tokio_rustls::rustls::Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(Arc::new(config))
}
