//! TLS with a certificate of its own.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsAcceptor, TlsConnector, client,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig, crypto,
        pki_types::{PrivateKeyDer, ServerName},
    },
    server,
};

/// A server for `localhost`, and a client that trusts it.
pub fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let provider = Arc::new(crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    (Arc::new(client), Arc::new(server))
}

/// TLS over two ends of a transport.
pub async fn over<C, S>(client: C, server: S) -> (client::TlsStream<C>, server::TlsStream<S>)
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (client_config, server_config) = configs();
    let name = ServerName::try_from("localhost").expect("a name");
    let (client, server) = tokio::join!(
        TlsConnector::from(client_config).connect(name, client),
        TlsAcceptor::from(server_config).accept(server)
    );
    (client.expect("the client's handshake"), server.expect("the server's handshake"))
}
