//! What a connection over TLS costs by itself: a bare echo by rustls, with one buffer for all connections.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::server::TlsStream;

const BUFFER: usize = 128 << 10;

thread_local! {
    static SHARED: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor) {
    // In a box, so that the handshake does not stay in the task.
    if let Ok(stream) = Box::pin(acceptor.accept(stream)).await {
        // A connection that is lost concerns nobody but its client.
        let _ = echo(Box::new(stream)).await;
    }
}

async fn echo(mut stream: Box<TlsStream<TcpStream>>) -> io::Result<()> {
    loop {
        let received =
            poll_fn(|cx| SHARED.with_borrow_mut(|buffer| receive(&mut stream, buffer, cx))).await?;
        if received.is_empty() {
            return Ok(());
        }
        stream.write_all(&received).await?;
        stream.flush().await?;
    }
}

/// Reads once: a copy of what came, which is gone when the connection waits again.
fn receive(
    stream: &mut TlsStream<TcpStream>,
    buffer: &mut [u8],
    cx: &mut Context<'_>,
) -> Poll<io::Result<Vec<u8>>> {
    let mut unread = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(cx, &mut unread))?;
    Poll::Ready(Ok(unread.filled().to_vec()))
}

/// As rustls is by default, with a certificate made for this run.
fn acceptor() -> io::Result<TlsAcceptor> {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(io::Error::other)?;
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.into()], key.into())
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn main() -> io::Result<()> {
    let acceptor = acceptor()?;
    peers::serve(move |stream| connection(stream, acceptor.clone()))
}
