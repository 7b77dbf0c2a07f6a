//! TLS for servers, by rustls.

use std::sync::Arc;

use thiserror::Error;
use tokio_rustls::rustls::{
    self, ServerConfig, crypto,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};

/// Why there is no config for TLS.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsConfigError {
    /// The certificates or the key cannot be read.
    #[error("cannot read {what}: {source}")]
    Pem {
        /// Which of the two.
        what: &'static str,
        /// Why.
        source: pem::Error,
    },
    /// There is no certificate.
    #[error("there is no certificate: give a PEM file with the server's certificate and those that sign it")]
    NoCertificate,
    /// They do not fit each other, or cannot be used.
    #[error("the certificate and the key cannot be used: {0}")]
    Rustls(#[from] rustls::Error),
    /// A certificate cannot be made.
    #[cfg(feature = "self-signed")]
    #[error("cannot make a certificate: {0}")]
    SelfSigned(#[from] rcgen::Error),
}

/// A config for [`ServerBuilder::tls`](crate::ServerBuilder::tls): the certificates, the server's own first, and its
/// key, both as PEM. TLS 1.2 and 1.3, by ring; no client certificates are asked for.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::{Server, tls_config};
///
/// let config = tls_config(&std::fs::read("chain.pem")?, &std::fs::read("key.pem")?)?;
/// let server = Server::builder().tls(config).bind("[::]:443").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`TlsConfigError`].
pub fn tls_config(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, TlsConfigError> {
    let failed = |what| move |source| TlsConfigError::Pem { what, source };
    let chain = CertificateDer::pem_slice_iter(certificates).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(failed("the certificates"))?;
    if chain.is_empty() {
        return Err(TlsConfigError::NoCertificate);
    }
    from_der(chain, PrivateKeyDer::from_pem_slice(key).map_err(failed("the key"))?)
}

/// The provider is named, so that a program with two of them linked does not have to choose first.
fn from_der(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, TlsConfigError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// A certificate that nobody has signed, for development: clients must be told to trust it.
///
/// ```
/// # fn example() -> Result<(), ws_tokio::TlsConfigError> {
/// use ws_tokio::{SelfSigned, Server};
///
/// let own = SelfSigned::new(["localhost", "127.0.0.1"])?;
/// let server = Server::builder().tls(own.config());
/// println!("trust this: {}", own.pem());
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "self-signed")]
#[derive(Debug, Clone)]
pub struct SelfSigned {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
    pem: String,
}

#[cfg(feature = "self-signed")]
impl SelfSigned {
    /// Makes a key, and a certificate for these host names and addresses.
    ///
    /// # Errors
    /// [`TlsConfigError`] for what is no name.
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Result<Self, TlsConfigError> {
        let names: Vec<_> = names.into_iter().map(Into::into).collect();
        let made = rcgen::generate_simple_self_signed(names)?;
        let certificate = made.cert.der().clone();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = from_der(vec![certificate.clone()], key.into())?;
        Ok(Self { config, certificate, pem: made.cert.pem() })
    }

    /// For [`ServerBuilder::tls`](crate::ServerBuilder::tls).
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The certificate, for clients that shall trust it.
    #[must_use]
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }
}
