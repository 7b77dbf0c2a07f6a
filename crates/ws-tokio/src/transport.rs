//! What a client connects over.

use std::{
    fmt,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
#[cfg(feature = "rustls-no-provider")]
use tokio_rustls::{client::TlsStream, rustls::ClientConnection};

/// What [`connect`](crate::connect) connects over: TCP or a Unix socket, with TLS for `wss`, or what a
/// [`connector`](crate::Connect::connector) gives.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientStream {
    /// TCP.
    Plain(TcpStream),
    /// A Unix socket, for `ws+unix`.
    #[cfg(unix)]
    Unix(UnixStream),
    /// TLS over TCP: with the server, or for a `ws` address with a proxy.
    #[cfg(feature = "rustls-no-provider")]
    Tls(Box<TlsStream<TcpStream>>),
    /// TLS with the server inside of TLS with a proxy.
    #[cfg(feature = "rustls-no-provider")]
    TlsInTls(Box<TlsStream<TlsStream<TcpStream>>>),
    /// What a [`connector`](crate::Connect::connector) has given.
    Other(OtherStream),
}

/// A transport of the caller's.
pub struct OtherStream(Box<dyn Transport>);

/// Anything that reads and writes.
trait Transport: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Transport for S {}

impl OtherStream {
    pub(crate) fn new(transport: impl AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static) -> Self {
        Self(Box::new(transport))
    }
}

impl fmt::Debug for OtherStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherStream").finish_non_exhaustive()
    }
}

impl ClientStream {
    /// The TCP connection below; a Unix socket has none, and a transport of the caller's is not known to have one.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(tcp) => Some(tcp),
            #[cfg(unix)]
            Self::Unix(_) => None,
            #[cfg(feature = "rustls-no-provider")]
            Self::Tls(tls) => Some(tls.get_ref().0),
            #[cfg(feature = "rustls-no-provider")]
            Self::TlsInTls(tls) => Some(tls.get_ref().0.get_ref().0),
            Self::Other(_) => None,
        }
    }

    /// Who is at the other end of TCP: the server, or its proxy.
    ///
    /// # Errors
    /// `Unsupported` where there is no [`tcp`](Self::tcp); what the system says when the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?.peer_addr()
    }

    /// Our end of TCP.
    ///
    /// # Errors
    /// As for [`peer_addr`](Self::peer_addr).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?.local_addr()
    }

    /// The innermost TLS session: its version, the peer's certificates, the protocol that ALPN chose.
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn tls(&self) -> Option<&ClientConnection> {
        match self {
            Self::Tls(tls) => Some(tls.get_ref().1),
            Self::TlsInTls(tls) => Some(tls.get_ref().1),
            _ => None,
        }
    }
}

/// Calls a method of whichever stream it is.
macro_rules! delegate {
    ($this:expr, $stream:ident => $call:expr) => {
        match $this {
            ClientStream::Plain($stream) => $call,
            #[cfg(unix)]
            ClientStream::Unix($stream) => $call,
            #[cfg(feature = "rustls-no-provider")]
            ClientStream::Tls($stream) => $call,
            #[cfg(feature = "rustls-no-provider")]
            ClientStream::TlsInTls($stream) => $call,
            ClientStream::Other(OtherStream($stream)) => $call,
        }
    };
}

impl AsyncRead for ClientStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        delegate!(self, stream => stream.is_write_vectored())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
