//! TLS for attackers: certificates right and wrong, and either end of a connection.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::peer::{Ending, Seen, connect, seen};

/// A client's side of a connection.
pub(crate) type ClientStream = StreamOwned<ClientConnection, TcpStream>;

/// A server's side.
pub(crate) type ServerStream = StreamOwned<ServerConnection, TcpStream>;

/// Who a server says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// `localhost` and 127.0.0.1, signed by the authority.
    Right,
    /// Some other name.
    OtherName,
    /// The right name, but not any more.
    Expired,
    /// The right name, but not yet.
    NotYet,
    /// The right name, signed by itself.
    SelfSigned,
    /// The right name, signed by an authority of the same name that is another one.
    OtherAuthority,
}

/// An authority, and what it has signed.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    /// Its certificate as a file, for `--ca`.
    pub(crate) file: PathBuf,
    directory: PathBuf,
}

impl Authority {
    /// Makes one, with its files in this directory.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub(crate) fn new(directory: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(directory)?;
        let (issuer, certificate, pem) = authority()?;
        let file = directory.join("authority.pem");
        fs::write(&file, pem)?;
        Ok(Self { issuer, certificate, file, directory: directory.to_owned() })
    }

    /// The files of a certificate and its key, for `ws serve`.
    ///
    /// # Errors
    /// When they cannot be made or written.
    pub(crate) fn identity_files(&self) -> anyhow::Result<[PathBuf; 2]> {
        let key = KeyPair::generate()?;
        let certificate = localhost()?.signed_by(&key, &self.issuer)?;
        let files = [self.directory.join("server.pem"), self.directory.join("server.key")];
        fs::write(&files[0], certificate.pem())?;
        fs::write(&files[1], key.serialize_pem())?;
        Ok(files)
    }

    /// A client that trusts it.
    ///
    /// # Errors
    /// When its certificate is none.
    pub(crate) fn client(&self) -> anyhow::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?;
        Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
    }

    /// A server that is who it should be, or not.
    ///
    /// # Errors
    /// When its certificate cannot be made.
    pub(crate) fn server(&self, identity: Identity) -> anyhow::Result<Arc<ServerConfig>> {
        let key = KeyPair::generate()?;
        let mut params = localhost()?;
        let certificate = match identity {
            Identity::SelfSigned => params.self_signed(&key)?,
            Identity::OtherAuthority => params.signed_by(&key, &authority()?.0)?,
            Identity::Right => params.signed_by(&key, &self.issuer)?,
            Identity::OtherName => {
                let other = CertificateParams::new(["localhost.example".to_owned(), "127.0.0.2".to_owned()])?;
                other.signed_by(&key, &self.issuer)?
            }
            Identity::Expired => {
                params.not_before = date_time_ymd(2000, 1, 1);
                params.not_after = date_time_ymd(2001, 1, 1);
                params.signed_by(&key, &self.issuer)?
            }
            Identity::NotYet => {
                params.not_before = date_time_ymd(2999, 1, 1);
                params.not_after = date_time_ymd(3000, 1, 1);
                params.signed_by(&key, &self.issuer)?
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        Ok(Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key)?))
    }
}

fn localhost() -> anyhow::Result<CertificateParams> {
    Ok(CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()])?)
}

/// An authority, its certificate, and the same as text.
fn authority() -> anyhow::Result<(Issuer<'static, KeyPair>, CertificateDer<'static>, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new([])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let made = params.self_signed(&key)?;
    Ok((Issuer::new(params, key), made.der().clone(), made.pem()))
}

/// Connects under TLS.
///
/// # Errors
/// When there is no connection, or its TLS does not come about within five seconds.
pub(crate) fn open_tls(address: SocketAddr, config: &Arc<ClientConfig>) -> anyhow::Result<ClientStream> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut session = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    while session.is_handshaking() {
        session.complete_io(&mut stream).context("no TLS")?;
    }
    Ok(StreamOwned::new(session, stream))
}

/// Sends bytes under TLS, and gives what comes back until the end, `patience` at most. An end of the transport without one
/// of TLS counts as a reset.
///
/// # Errors
/// When there is no connection, or the answer cannot be read.
pub(crate) fn talk_tls(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    bytes: &[u8],
    patience: Duration,
) -> anyhow::Result<Seen> {
    let mut stream = open_tls(address, config)?;
    stream.write_all(bytes).context("nothing can be sent")?;
    let (received, ending) = read_end(&mut stream, patience)?;
    seen(&received, ending)
}

/// What comes until the end, and which end it is.
///
/// # Errors
/// When no time limit can be set.
pub(crate) fn read_end(stream: &mut ClientStream, patience: Duration) -> anyhow::Result<(Vec<u8>, Ending)> {
    let deadline = Instant::now() + patience;
    let (mut received, mut buf) = (Vec::new(), vec![0; 16 << 10]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok((received, Ending::Open));
        }
        stream.sock.set_read_timeout(Some(left))?;
        match stream.read(&mut buf) {
            Ok(0) => return Ok((received, Ending::Ended)),
            Ok(len) => received.extend_from_slice(&buf[..len]),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok((received, Ending::Open)),
                ErrorKind::Interrupted => {}
                _ => return Ok((received, Ending::Reset)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Whether a client that trusts the authority takes this identity.
    fn is_taken(authority: &Authority, identity: Identity) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let config = authority.server(identity).unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let mut session = ServerConnection::new(config).unwrap();
            while session.is_handshaking() && session.complete_io(&mut stream).is_ok() {}
        });
        let taken = open_tls(address, &authority.client().unwrap()).is_ok();
        server.join().unwrap();
        taken
    }

    #[test]
    fn only_the_right_identity_is_right() {
        let directory = std::env::temp_dir().join(format!("ws-attack-tls-{}", std::process::id()));
        let authority = Authority::new(&directory).unwrap();
        assert!(
            authority.identity_files().unwrap().iter().all(|file| file.exists()) && authority.file.exists()
        );
        fs::remove_dir_all(&directory).unwrap();
        assert!(is_taken(&authority, Identity::Right));
        for identity in [
            Identity::OtherName,
            Identity::Expired,
            Identity::NotYet,
            Identity::SelfSigned,
            Identity::OtherAuthority,
        ] {
            assert!(!is_taken(&authority, identity), "{identity:?}");
        }
    }
}
