//! TLS for clients, by rustls.

use std::{io, net::TcpStream, sync::Arc};

use rustls::{ClientConfig, ClientConnection, StreamOwned, crypto, pki_types::ServerName};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::ClientStream;

/// Puts TLS over a TCP connection; its handshake takes place with the first write. Without a config of the caller's, the
/// platform's certificates are trusted.
pub(crate) fn secure(
    tcp: TcpStream,
    host: &str,
    config: Option<Arc<ClientConfig>>,
) -> io::Result<ClientStream> {
    let config = match config {
        Some(config) => config,
        None => platform_config().map_err(io::Error::other)?,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    let tls = ClientConnection::new(config, name).map_err(io::Error::other)?;
    Ok(ClientStream::Tls(Box::new(StreamOwned::new(tls, tcp))))
}

/// The provider is named, so that a program with two of them linked does not have to choose first.
fn platform_config() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(Arc::new(config))
}
