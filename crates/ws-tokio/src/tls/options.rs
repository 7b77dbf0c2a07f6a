//! What a client asks of TLS, in the words of its users.

use std::sync::Arc;

use rustls_platform_verifier::Verifier;
use tokio_rustls::rustls::{
    ClientConfig, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{
        CertificateDer, PrivateKeyDer, TrustAnchor,
        pem::{self, PemObject},
    },
};

use super::trust::AnyCertificate;

/// Whom a client trusts and who it says it is, towards TLS. [`build`](Self::build) makes of it what
/// [`Connect::tls`](crate::Connect::tls) takes.
///
/// By default the platform's certificates are trusted, no certificate is presented, TLS 1.2 and 1.3 are spoken, and ALPN
/// (RFC 7301) asks for `http/1.1`, the protocol of an opening handshake.
///
/// ```no_run
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::{Connect, TlsOptions};
///
/// let tls = TlsOptions::new().root_pem(&std::fs::read("our-authority.pem")?)?.build()?;
/// let connect = Connect::new("wss://internal.example/")?.tls(tls);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct TlsOptions {
    provider: Option<Arc<CryptoProvider>>,
    roots: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    trust: Trust,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    alpn: Option<Vec<Vec<u8>>>,
}

/// What is trusted besides the roots that were added.
#[derive(Debug, Clone, Copy, Default)]
enum Trust {
    #[default]
    Platform,
    Nobody,
    Anybody,
}

impl TlsOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts this authority too, beside the platform's.
    #[must_use]
    pub fn root(mut self, certificate: CertificateDer<'static>) -> Self {
        self.roots.push(certificate);
        self
    }

    /// Trusts all authorities of a PEM file too.
    ///
    /// # Errors
    /// [`pem::Error`] when it is no PEM, or holds no certificate.
    pub fn root_pem(mut self, pem: &[u8]) -> Result<Self, pem::Error> {
        self.roots.extend(certificates(pem)?);
        Ok(self)
    }

    /// Trusts the authorities that were added and no others: the platform's are left out.
    #[must_use]
    pub fn only_added_roots(mut self) -> Self {
        self.trust = Trust::Nobody;
        self
    }

    /// Trusts Mozilla's authorities, as they were when this was compiled, instead of the platform's.
    #[cfg(feature = "rustls-webpki-roots")]
    #[must_use]
    pub fn webpki_roots(mut self) -> Self {
        self.anchors.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        self.only_added_roots()
    }

    /// Trusts the authorities that the system's store lists, read as files now, instead of asking the platform about each
    /// certificate. Those that cannot be read are left out.
    ///
    /// # Errors
    /// When none can be read.
    #[cfg(feature = "rustls-native-roots")]
    pub fn native_roots(mut self) -> std::io::Result<Self> {
        let mut found = rustls_native_certs::load_native_certs();
        let mut store = RootCertStore::empty();
        if store.add_parsable_certificates(found.certs).0 == 0 {
            let none =
                || std::io::Error::new(std::io::ErrorKind::NotFound, "the system lists no authorities");
            return Err(found.errors.pop().map_or_else(none, std::io::Error::other));
        }
        self.anchors.append(&mut store.roots);
        Ok(self.only_added_roots())
    }

    /// Uses this provider of cryptography. Without it, the one that the application has installed for its process is used,
    /// or else ring, with the feature `rustls`.
    #[must_use]
    pub fn provider(mut self, provider: Arc<CryptoProvider>) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Presents this certificate to servers that ask for one: the chain, the client's own first, and its key.
    #[must_use]
    pub fn client_certificate(
        mut self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Self {
        self.identity = Some((chain, key));
        self
    }

    /// The same from PEM: the chain, and the key in PKCS #8, PKCS #1 or SEC1.
    ///
    /// # Errors
    /// [`pem::Error`] when either is no PEM, or does not hold what it should.
    pub fn client_certificate_pem(self, chain: &[u8], key: &[u8]) -> Result<Self, pem::Error> {
        let chain = certificates(chain)?;
        Ok(self.client_certificate(chain, PrivateKeyDer::from_pem_slice(key)?))
    }

    /// Asks for these protocols by ALPN instead of `http/1.1`; an empty list leaves ALPN out.
    #[must_use]
    pub fn alpn(mut self, protocols: impl IntoIterator<Item: Into<Vec<u8>>>) -> Self {
        self.alpn = Some(protocols.into_iter().map(Into::into).collect());
        self
    }

    /// Accepts any certificate, for any name, from anybody: whoever stands between client and server can read and change
    /// everything. For tests, and for nothing else. That the server has the certificate's key is still checked.
    #[must_use]
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.trust = Trust::Anybody;
        self
    }

    /// The config for rustls. To build it takes milliseconds, because the platform's
    /// certificates are loaded: build one, and share it.
    ///
    /// # Errors
    /// When there is no provider of cryptography, the platform's certificates cannot be loaded, a root is none, no root was added with
    /// [`only_added_roots`](Self::only_added_roots), or the key does not fit the client's certificate.
    pub fn build(self) -> Result<Arc<ClientConfig>, Error> {
        // The provider is named, so that a program with two of them linked does not have to choose first.
        let provider = match self.provider {
            Some(provider) => provider,
            None => default_provider()?,
        };
        let verifier = verifier(self.trust, self.roots, self.anchors, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        };
        config.alpn_protocols = self.alpn.unwrap_or_else(|| vec![b"http/1.1".to_vec()]);
        Ok(Arc::new(config))
    }
}

/// What the application has installed comes first.
fn default_provider() -> Result<Arc<CryptoProvider>, Error> {
    if let Some(installed) = CryptoProvider::get_default() {
        return Ok(Arc::clone(installed));
    }
    #[cfg(feature = "rustls")]
    return Ok(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()));
    #[cfg(not(feature = "rustls"))]
    Err(Error::General("no provider of cryptography: install one, or name one to TlsOptions".to_owned()))
}

fn verifier(
    trust: Trust,
    roots: Vec<CertificateDer<'static>>,
    anchors: Vec<TrustAnchor<'static>>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    let provider = Arc::clone(provider);
    match trust {
        Trust::Platform => Ok(Arc::new(Verifier::new_with_extra_roots(roots, provider)?)),
        Trust::Anybody => Ok(Arc::new(AnyCertificate(provider))),
        Trust::Nobody => {
            let mut store = RootCertStore { roots: anchors };
            for root in roots {
                store.add(root)?;
            }
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider);
            Ok(verifier.build().map_err(|error| Error::General(error.to_string()))?)
        }
    }
}

/// All certificates of a PEM file, of which there must be one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, pem::Error> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>()?;
    if found.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(found) }
}
