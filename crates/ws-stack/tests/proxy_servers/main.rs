//! Our client through proxies that others run: squid (HTTP CONNECT) and Dante (SOCKS5), where they are installed.

#[path = "../installed/mod.rs"]
mod installed;
mod program;

use std::{io, sync::Arc, time::Duration};

use installed::Failure;
use program::Program;
use rcgen::generate_simple_self_signed;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls};
use ws_stack::{
    ClientStream, CloseCode, Connect, ConnectError, ProxyFailure, TlsOptions, WebSocket,
    handshake::{ConnectError as HttpProxyError, ProxyError, Socks5Error, Socks5Refusal},
};

/// Our server, plain and under TLS, and a certificate for `localhost` that all of the test have.
struct Server {
    plain: u16,
    tls: u16,
    trust: Arc<rustls::ClientConfig>,
    /// Certificate and key.
    pem: String,
}

impl Server {
    async fn start() -> Result<Self, Failure> {
        let made = generate_simple_self_signed(["localhost".to_owned()])?;
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        let config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (plain, tls) = (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let ports = (plain.local_addr()?.port(), tls.local_addr()?.port());
        tokio::spawn(async move {
            while let Ok((stream, _)) = plain.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        tokio::spawn(async move {
            while let Ok((stream, _)) = tls.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move { serve(acceptor.accept(stream).await?).await });
            }
        });
        let trust = TlsOptions::new().only_added_roots().root(made.cert.der().clone()).build()?;
        let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
        Ok(Self { plain: ports.0, tls: ports.1, trust, pem })
    }

    /// A client that finds no name by itself, through this proxy.
    fn through(&self, proxy: &str, address: &str) -> Result<Connect, Failure> {
        let connect = Connect::new(address)?.proxy(proxy.parse()?);
        let ours = [self.plain, self.tls];
        let connect = connect.resolver(move |host, port| async move {
            // The TLS proxy has the servers' name, and another port.
            if host != "localhost" || ours.contains(&port) {
                return Err(io::Error::other("the proxy finds the servers"));
            }
            Ok(vec![([127, 0, 0, 1], port).into()])
        });
        Ok(connect.tls(Arc::clone(&self.trust)).proxy_tls(Arc::clone(&self.trust)))
    }

    fn addresses(&self) -> [String; 2] {
        [format!("ws://localhost:{}/", self.plain), format!("wss://localhost:{}/", self.tls)]
    }
}

/// Greets before it is spoken to, then echoes.
async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<(), Failure> {
    let mut ws = ws_stack::accept(stream).await?;
    ws.send("hello").await?;
    while let Some(message) = ws.recv().await {
        ws.send(message?).await?;
    }
    Ok(())
}

/// A conversation with messages of all sizes, and a close that is one.
async fn talk(mut ws: WebSocket<ClientStream>) -> Result<(), Failure> {
    assert_eq!(ws.recv().await.ok_or("the end")??.as_text(), Some("hello"));
    for len in [0, 1, 125, 126, 65_536, 1 << 20] {
        let payload: Vec<u8> = (0..len).map(|n: usize| n.to_le_bytes()[0]).collect();
        let (sent, echo) = (payload.clone(), ws.send(payload));
        echo.await?;
        let message = ws.recv().await.ok_or("the end")??;
        assert_eq!(message.as_bytes(), sent, "{len}");
    }
    let closed = ws.close(CloseCode::NORMAL, "done").await?.ok_or("no end")?;
    assert!(closed.is_clean() && closed.code == 1000);
    Ok(())
}

async fn within<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    timeout(Duration::from_secs(60), future).await?
}

/// Name and password are `user` and `secret`.
const USERS: &str = "user:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\n";

fn squid(pem: &str) -> Program {
    Program {
        name: "squid",
        config: include_str!("squid.conf").to_owned(),
        arguments: &["-N", "-f", "config"],
        ports: &["OPEN", "ASKS", "TLS"],
        files: vec![("both.pem", pem.to_owned()), ("users", USERS.to_owned())],
    }
}

fn dante(method: &str) -> Program {
    Program {
        name: "danted",
        config: include_str!("dante.conf").replace("METHOD", method),
        arguments: &["-N", "1", "-f", "config", "-p", "pid"],
        ports: &["OPEN"],
        files: Vec::new(),
    }
}

#[tokio::test]
async fn squid_opens_tunnels_for_ws_and_wss() -> Result<(), Failure> {
    let server = Server::start().await?;
    let Some(squid) = squid(&server.pem).start().await? else { return Ok(()) };
    let [open, asks, tls] = squid.ports[..] else { return Err("three ports".into()) };
    for proxy in [
        format!("http://127.0.0.1:{open}"),
        format!("http://user:secret@127.0.0.1:{asks}"),
        format!("https://localhost:{tls}"),
    ] {
        for address in server.addresses() {
            within(async { talk(server.through(&proxy, &address)?.await?).await }).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn squid_refuses_with_a_status_that_is_told() -> Result<(), Failure> {
    let server = Server::start().await?;
    let Some(squid) = squid(&server.pem).start().await? else { return Ok(()) };
    let [open, asks, _] = squid.ports[..] else { return Err("three ports".into()) };
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let here = &server.addresses()[0];
    let there = format!("ws://localhost:{closed}/");
    for (proxy, address, status, transient) in [
        (format!("http://127.0.0.1:{asks}"), here, 407, false),
        (format!("http://user:wrong@127.0.0.1:{asks}"), here, 407, false),
        (format!("http://127.0.0.1:{open}"), &"ws://localhost:9/".to_owned(), 403, false),
        (format!("http://127.0.0.1:{open}"), &there, 503, true),
    ] {
        let error =
            within(async { Ok(server.through(&proxy, address)?.await.err()) }).await?.ok_or("opened")?;
        let ConnectError::Proxy { error: ProxyFailure::Answer(ProxyError::Connect(cause)), .. } = &error
        else {
            return Err(error.into());
        };
        let answer = match cause {
            HttpProxyError::AuthenticationRequired(answer) | HttpProxyError::Refused(answer) => answer,
            cause => return Err(format!("{cause:?}").into()),
        };
        assert_eq!((answer.status().as_u16(), error.is_transient()), (status, transient), "{address}");
        assert_eq!(answer.headers().contains_key("proxy-authenticate"), status == 407);
    }
    Ok(())
}

#[tokio::test]
async fn dante_opens_tunnels_for_ws_and_wss_and_says_why_not() -> Result<(), Failure> {
    let server = Server::start().await?;
    let Some(dante) = dante("none").start().await? else { return Ok(()) };
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
    let proxy = format!("socks5h://127.0.0.1:{}", dante.ports[0]);
    for address in server.addresses() {
        within(async { talk(server.through(&proxy, &address)?.await?).await }).await?;
        let by_number = address.replace("ws://localhost", "ws://127.0.0.1");
        within(async { talk(server.through(&proxy, &by_number)?.await?).await }).await?;
    }
    for (address, expected) in [
        (format!("ws://localhost:{closed}/"), Socks5Refusal::ConnectionRefused),
        ("ws://localhost:9/".to_owned(), Socks5Refusal::NotAllowed),
    ] {
        let error =
            within(async { Ok(server.through(&proxy, &address)?.await.err()) }).await?.ok_or("opened")?;
        assert_eq!(socks5(&error), Some(Socks5Error::Refused(expected)), "{error:?}");
        assert_eq!(error.is_transient(), expected == Socks5Refusal::ConnectionRefused);
    }
    Ok(())
}

#[tokio::test]
async fn dante_does_not_take_strangers() -> Result<(), Failure> {
    let server = Server::start().await?;
    let Some(dante) = dante("username").start().await? else { return Ok(()) };
    for (user, expected) in [("", None), ("ws-stack-nobody:wrong@", Some(()))] {
        let proxy = format!("socks5://{user}127.0.0.1:{}", dante.ports[0]);
        let address = &server.addresses()[0];
        let error =
            within(async { Ok(server.through(&proxy, address)?.await.err()) }).await?.ok_or("opened")?;
        match (socks5(&error), expected) {
            (Some(Socks5Error::NoAcceptableMethod), None) => {}
            (Some(Socks5Error::AuthenticationFailed(status)), Some(())) => assert_ne!(status, 0),
            (cause, _) => return Err(format!("{cause:?}: {error:?}").into()),
        }
        assert!(!error.is_transient());
    }
    Ok(())
}

/// What a SOCKS5 proxy said.
fn socks5(error: &ConnectError) -> Option<Socks5Error> {
    match error {
        ConnectError::Proxy { error: ProxyFailure::Answer(ProxyError::Socks5(cause)), .. } => Some(*cause),
        _ => None,
    }
}
