//! The server's side of TLS.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context;
use tokio_rustls::TlsAcceptor;
use ws_stack::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};

use super::args::Args;

/// What the options ask for; `None` without TLS.
pub(super) fn acceptor(args: &Args, address: SocketAddr) -> anyhow::Result<Option<TlsAcceptor>> {
    let (certificates, key) = match (&args.tls_cert, &args.tls_key) {
        (Some(certificates), Some(key)) => read(certificates, key)?,
        _ if args.tls_self_signed => make(address)?,
        _ => return Ok(None),
    };
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .context("the certificate and the key do not fit")?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(certificates: &Path, key: &Path) -> anyhow::Result<Identity> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read certificates from {}", certificates.display()))?;
    anyhow::ensure!(!chain.is_empty(), "no certificate in {}", certificates.display());
    let key = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read a private key from {}", key.display()))?;
    Ok((chain, key))
}

/// A certificate for this machine's own names and the address that is listened on.
fn make(address: SocketAddr) -> anyhow::Result<Identity> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let host = address.ip().to_string();
    if !address.ip().is_unspecified() && !names.contains(&host) {
        names.push(host);
    }
    let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}
