//! Starting a proxy: its config in a directory of its own, its ports free ones.

use std::{
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpListener as StdListener},
    path::Path,
    sync::Arc,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::process::Child;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

use super::{Failure, installed};

/// A program that stands in front of servers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) config: &'static str,
    pub(crate) arguments: &'static [&'static str],
}

pub(crate) const NGINX: Program = Program {
    name: "nginx",
    config: include_str!("nginx.conf"),
    arguments: &["-e", "stderr", "-p", ".", "-c", "config"],
};

pub(crate) const HAPROXY: Program =
    Program { name: "haproxy", config: include_str!("haproxy.cfg"), arguments: &["-db", "-f", "config"] };

/// A proxy that runs; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    pub(crate) tls_address: SocketAddr,
    /// What a client needs to trust it.
    pub(crate) tls: Arc<ClientConfig>,
    _child: Child,
}

impl Program {
    /// Starts the proxy in front of a server. `None` where the machine lacks it: that is told, and the test passes, except
    /// in continuous integration.
    pub(crate) async fn start(
        &self,
        test: &str,
        back: SocketAddr,
        sends_proxy_header: bool,
    ) -> Result<Option<Proxy>, Failure> {
        let Some(program) = installed::find(self.name, "our servers behind")? else { return Ok(None) };
        installed::several_times(async || self.try_start(&program, test, back, sends_proxy_header).await)
            .await
            .map(Some)
    }

    async fn try_start(
        &self,
        program: &Path,
        test: &str,
        back: SocketAddr,
        sends_proxy_header: bool,
    ) -> Result<Proxy, Failure> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proxied").join(test);
        match fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(&dir)?,
        }
        let tls = make_certificate(&dir)?;
        let (front, front_tls) = free_ports()?;
        let config = self
            .config
            .replace("FRONT_TLS", &front_tls.port().to_string())
            .replace("FRONT", &front.port().to_string())
            .replace("BACK", &back.port().to_string())
            .replace("SEND_PROXY", if sends_proxy_header { "send-proxy" } else { "" });
        fs::write(dir.join("config"), config)?;
        let ports = [front, front_tls].map(|address| address.port());
        let child = installed::start(program, self.arguments, &dir, ports).await?;
        Ok(Proxy { address: front, tls_address: front_tls, tls, _child: child })
    }
}

/// Two ports that nobody has.
fn free_ports() -> Result<(SocketAddr, SocketAddr), Failure> {
    let (one, other) = (StdListener::bind("127.0.0.1:0")?, StdListener::bind("127.0.0.1:0")?);
    Ok((one.local_addr()?, other.local_addr()?))
}

/// Writes a certificate and its key in the forms that the proxies read; gives what trusts it.
fn make_certificate(dir: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
    fs::write(dir.join("both.pem"), format!("{certificate}{key}"))?;
    fs::write(dir.join("cert.pem"), certificate)?;
    fs::write(dir.join("key.pem"), key)?;
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone())?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
