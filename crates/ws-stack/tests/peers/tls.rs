//! TLS with a certificate of our own, which both sides are told to trust.

use std::{fs, path::Path, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ClientConfig, RootCertStore, ServerConfig,
        crypto::ring::default_provider,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use super::Failure;

const CERTIFICATE: &str = "cert.pem";
const KEY: &str = "key.pem";

/// Writes a certificate for this machine, and its key, where the peers read them.
pub(crate) fn make_certificate(dir: &Path) -> Result<(), Failure> {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    fs::create_dir_all(dir)?;
    fs::write(dir.join(KEY), signing_key.serialize_pem())?;
    fs::write(dir.join(CERTIFICATE), cert.pem())?;
    Ok(())
}

/// Our server's side.
pub(crate) fn acceptor(dir: &Path) -> Result<TlsAcceptor, Failure> {
    let certificate = CertificateDer::from_pem_file(dir.join(CERTIFICATE))?;
    let key = PrivateKeyDer::from_pem_file(dir.join(KEY))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Our client's side.
pub(crate) fn client_config(dir: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.join(CERTIFICATE))?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
