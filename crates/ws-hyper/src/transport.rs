//! What a connection that came out of an HTTP server runs over.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    rt::{Read, Write},
    upgrade::Upgraded,
};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// A connection that came out of an HTTP server.
pub type WebSocket = ws_tokio::WebSocket<Transport>;

/// What a connection that came out of an HTTP server runs over.
#[derive(Debug)]
#[non_exhaustive]
pub enum Transport {
    /// TCP, served by hyper through a `TokioIo<TcpStream>`. `TCP_NODELAY` is on.
    Tcp(TcpStream),
    /// Anything else: TLS, a Unix socket, a stream of HTTP/2. Each read and each write is a virtual call.
    Upgraded(TokioIo<Upgraded>),
}

impl Transport {
    /// Finds TCP where it is TCP; gives the bytes that the HTTP server has read behind the request, too.
    pub(crate) fn of(upgraded: Upgraded) -> (Self, Bytes) {
        match downcast::<TcpStream>(upgraded) {
            Ok((tcp, read)) => {
                // A socket without it works as well; and then nothing else will work either.
                let _set = tcp.set_nodelay(true);
                (Self::Tcp(tcp), read)
            }
            // It gives these bytes itself.
            Err(upgraded) => (Self::Upgraded(TokioIo::new(upgraded)), Bytes::new()),
        }
    }

    /// The TCP connection, where it is one without TLS.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(tcp) => Some(tcp),
            Self::Upgraded(_) => None,
        }
    }
}

/// The stream itself, if it is an `S`, served by hyper's own connection or by hyper-util's that finds out the version.
pub(crate) fn downcast<S>(upgraded: Upgraded) -> Result<(S, Bytes), Upgraded>
where
    TokioIo<S>: Read + Write + Unpin + 'static,
{
    match upgraded.downcast::<TokioIo<S>>() {
        Ok(parts) => Ok((parts.io.into_inner(), parts.read_buf)),
        Err(upgraded) => {
            let parts = auto::upgrade::downcast::<TokioIo<S>>(upgraded)?;
            Ok((parts.io.into_inner(), parts.read_buf))
        }
    }
}

/// Calls a method of whichever stream it is.
macro_rules! delegate {
    ($self:ident, $method:ident ( $($argument:expr),* )) => {
        match $self.get_mut() {
            Transport::Tcp(tcp) => Pin::new(tcp).$method($($argument),*),
            Transport::Upgraded(upgraded) => Pin::new(upgraded).$method($($argument),*),
        }
    };
}

impl AsyncRead for Transport {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self, poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(tcp) => tcp.is_write_vectored(),
            Self::Upgraded(upgraded) => upgraded.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(cx))
    }
}
