//! Starting a proxy: its config in a directory of its own, its ports free ones.

use std::{
    env, fs,
    io::{ErrorKind, Write as _},
    net::{SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    process::{Command as StdCommand, Stdio},
    sync::Arc,
    time::Duration,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

use super::Failure;

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
        let program = self.find();
        if let Err(error) =
            StdCommand::new(&program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status()
        {
            return self.missing(&error.to_string());
        }
        // Someone else may take a port between our look at it and the proxy's.
        let mut last = Failure::from("never tried");
        for _ in 0..5 {
            match self.try_start(&program, test, back, sends_proxy_header).await {
                Ok(proxy) => return Ok(Some(proxy)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Where it is installed: some systems keep such programs off an ordinary user's path.
    fn find(&self) -> PathBuf {
        let sbin = Path::new("/usr/sbin").join(self.name);
        if sbin.exists() { sbin } else { self.name.into() }
    }

    fn missing(&self, why: &str) -> Result<Option<Proxy>, Failure> {
        let what = format!("our servers behind {0}: {0} does not start: {why}", self.name);
        if env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1") {
            return Err(format!("not tested: {what}").into());
        }
        // Not by `eprintln`, whose output is kept back when a test passes.
        std::io::stderr().write_all(format!("not tested: {what}\n").as_bytes())?;
        Ok(None)
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
        let log = fs::File::create(dir.join("log"))?;
        let mut child = Command::new(program)
            .args(self.arguments)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        for address in [front, front_tls] {
            while TcpStream::connect(address).await.is_err() {
                if let Some(status) = child.try_wait()? {
                    let log = fs::read_to_string(dir.join("log"))?;
                    return Err(format!("{} has ended with {status}: {log}", self.name).into());
                }
                sleep(Duration::from_millis(10)).await; // It does not tell when it listens.
            }
        }
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
