//! From a request's address to a transport that is connected.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use bytes::BytesMut;
use tokio::net::{TcpStream, lookup_host};
use ws_endpoint::handshake::{ClientRequest, ProxyAddress};

use super::{Connect, ConnectError, ProxyFailure, Step, deadline::Deadline, race::race, tunnel::tunnel};
use crate::ClientStream;

/// Connects to where the request goes, by the way that it takes. The bytes are what has come over it already.
pub(super) async fn transport(
    connect: &Connect,
    request: &ClientRequest,
    deadline: Deadline,
) -> Result<(ClientStream, BytesMut), ConnectError> {
    if let Some(connector) = &connect.options.connector {
        let (host, port) = (request.host().to_owned(), request.port());
        let failed = |error| ConnectError::Tcp { host: host.clone(), port, error };
        let connected = async { connector(host.clone(), port).await.map_err(failed) };
        return Ok((deadline.within(Step::Connect, connected).await?, BytesMut::new()));
    }
    if let Some(path) = request.socket_path() {
        return Ok((socket(path, deadline).await?, BytesMut::new()));
    }
    let proxy = connect.options.proxies.of(request);
    let needs_tls = request.is_tls() || proxy.is_some_and(ProxyAddress::is_tls);
    if needs_tls && cfg!(not(feature = "rustls-no-provider")) {
        return Err(ConnectError::TlsUnavailable);
    }
    match proxy {
        None => {
            let tcp = tcp(connect, request.host(), request.port(), deadline).await?;
            secured(connect, request, tcp, deadline).await.map(|stream| (stream, BytesMut::new()))
        }
        Some(proxy) => proxied(connect, request, proxy, deadline).await,
    }
}

/// Through a proxy: a tunnel over TCP, or over TLS with the proxy.
async fn proxied(
    connect: &Connect,
    request: &ClientRequest,
    proxy: &ProxyAddress,
    deadline: Deadline,
) -> Result<(ClientStream, BytesMut), ConnectError> {
    let failed = |error| ConnectError::Proxy { proxy: proxy.to_string(), error };
    let exchange = connect.options.proxies.exchange(proxy, request);
    let exchange = exchange.map_err(|error| failed(error.into()))?;
    let mut tcp = tcp(connect, proxy.host(), proxy.port(), deadline).await?;
    let mut buf = BytesMut::new();
    #[cfg(feature = "rustls-no-provider")]
    if proxy.is_tls() {
        let config = connect.options.proxies.tls.as_ref();
        let mut tls = tls(connect, proxy.host(), config, tcp, deadline).await?;
        let opened = async { tunnel(&mut tls, exchange, &mut buf).await.map_err(failed) };
        deadline.within(Step::Proxy, opened).await?;
        if !request.is_tls() {
            return Ok((ClientStream::Tls(Box::new(tls)), buf));
        }
        unspoken(&buf).map_err(failed)?;
        let inner = self::tls(connect, request.host(), connect.tls.as_ref(), tls, deadline).await?;
        return Ok((ClientStream::TlsInTls(Box::new(inner)), buf));
    }
    let opened = async { tunnel(&mut tcp, exchange, &mut buf).await.map_err(failed) };
    deadline.within(Step::Proxy, opened).await?;
    if request.is_tls() {
        unspoken(&buf).map_err(failed)?;
    }
    secured(connect, request, tcp, deadline).await.map(|stream| (stream, buf))
}

/// A TLS server does not speak first: what came in its name is not its.
fn unspoken(buf: &BytesMut) -> Result<(), ProxyFailure> {
    if buf.is_empty() { Ok(()) } else { Err(ProxyFailure::Forged { len: buf.len() }) }
}

/// TCP, under TLS where the address wants it.
async fn secured(
    connect: &Connect,
    request: &ClientRequest,
    tcp: TcpStream,
    deadline: Deadline,
) -> Result<ClientStream, ConnectError> {
    #[cfg(feature = "rustls-no-provider")]
    if request.is_tls() {
        let tls = tls(connect, request.host(), connect.tls.as_ref(), tcp, deadline).await?;
        return Ok(ClientStream::Tls(Box::new(tls)));
    }
    let _plain = (connect, request, deadline);
    Ok(ClientStream::Plain(tcp))
}

/// A Unix socket.
async fn socket(path: &Path, deadline: Deadline) -> Result<ClientStream, ConnectError> {
    #[cfg(unix)]
    let connected = async { Ok(ClientStream::Unix(tokio::net::UnixStream::connect(path).await?)) };
    #[cfg(not(unix))]
    let connected = async { Err(io::ErrorKind::Unsupported.into()) };
    let failed = |error| ConnectError::Socket { path: path.to_owned(), error };
    deadline.within(Step::Connect, async { connected.await.map_err(failed) }).await
}

/// The first TCP connection to any of the host's addresses.
async fn tcp(
    connect: &Connect,
    host: &str,
    port: u16,
    deadline: Deadline,
) -> Result<TcpStream, ConnectError> {
    let addresses = deadline.within(Step::Resolve, resolve(connect, host, port)).await?;
    let connected = async {
        let tcp = race(&addresses, TcpStream::connect).await?;
        tcp.set_nodelay(connect.options.nodelay)?;
        Ok(tcp)
    };
    let failed = |error| ConnectError::Tcp { host: host.to_owned(), port, error };
    deadline.within(Step::Connect, async { connected.await.map_err(failed) }).await
}

/// An address in figures is itself; a name is looked up.
async fn resolve(connect: &Connect, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let found = match &connect.options.resolver {
        Some(resolver) => resolver(host.to_owned(), port).await,
        None => lookup_host((host, port)).await.map(Iterator::collect),
    };
    let found = found.and_then(|addresses: Vec<_>| {
        let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        if addresses.is_empty() { Err(none()) } else { Ok(addresses) }
    });
    found.map_err(|error| ConnectError::Resolve { host: host.to_owned(), error })
}

/// TLS with a server, or with a proxy.
#[cfg(feature = "rustls-no-provider")]
async fn tls<S>(
    connect: &Connect,
    host: &str,
    config: Option<&std::sync::Arc<tokio_rustls::rustls::ClientConfig>>,
    transport: S,
    deadline: Deadline,
) -> Result<tokio_rustls::client::TlsStream<S>, ConnectError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let failed = |error| ConnectError::Tls { host: host.to_owned(), error };
    let session = connect.options.tls.session(host, config).map_err(failed)?;
    deadline.within(Step::Tls, async { session.over(transport).await.map_err(failed) }).await
}
