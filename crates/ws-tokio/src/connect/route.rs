//! From a request's address to a transport that is connected.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use bytes::BytesMut;
use tokio::net::{TcpStream, lookup_host};
use ws_endpoint::handshake::ClientRequest;

use super::{Connect, ConnectError, Step, deadline::Deadline, race::race};
use crate::ClientStream;

/// Connects to where the request goes. The bytes are what has come over the transport already.
pub(super) async fn transport(
    connect: &Connect,
    request: &ClientRequest,
    deadline: Deadline,
) -> Result<(ClientStream, BytesMut), ConnectError> {
    if request.is_tls() && cfg!(not(feature = "rustls-no-provider")) {
        return Err(ConnectError::TlsUnavailable);
    }
    if let Some(path) = request.socket_path() {
        return Ok((socket(path, deadline).await?, BytesMut::new()));
    }
    let tcp = tcp(connect, request.host(), request.port(), deadline).await?;
    #[cfg(feature = "rustls-no-provider")]
    if request.is_tls() {
        let tls = tls(connect, request.host(), tcp, deadline).await?;
        return Ok((ClientStream::Tls(Box::new(tls)), BytesMut::new()));
    }
    Ok((ClientStream::Plain(tcp), BytesMut::new()))
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

/// TLS with a server.
#[cfg(feature = "rustls-no-provider")]
async fn tls<S>(
    connect: &Connect,
    host: &str,
    transport: S,
    deadline: Deadline,
) -> Result<tokio_rustls::client::TlsStream<S>, ConnectError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let failed = |error| ConnectError::Tls { host: host.to_owned(), error };
    let session = connect.options.tls.session(host, connect.tls.as_ref()).map_err(failed)?;
    deadline.within(Step::Tls, async { session.over(transport).await.map_err(failed) }).await
}
