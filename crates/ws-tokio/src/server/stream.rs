//! What a server's connections run over.

use std::{
    fmt,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

#[cfg(unix)]
use tokio::net::UnixStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime::Handle,
};
use ws_endpoint::frame::CloseCode;

use super::registry::{Entry, Order, Wire};
use crate::accept::exchange::say_last;

/// What a [`Server`](crate::Server)'s connections run over: TCP, a Unix socket, TLS over either, or anything else.
///
/// When it is dropped because a task panics, the client is sent a Close with 1011 where that can be. When it is dropped
/// while its connection closes, the client gets the time to answer, 2 s at most.
pub struct ServerStream {
    /// `None` only once it is dropped or taken apart.
    io: Option<Io>,
    /// Once the connection is open.
    entry: Option<Arc<Entry>>,
}

enum Io {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(feature = "rustls-no-provider")]
    Tls(Box<tokio_rustls::server::TlsStream<ServerStream>>),
    Other(Box<dyn Transport>),
}

/// Anything that reads and writes.
trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Transport for S {}

impl ServerStream {
    /// Over a transport of any kind, for a [`Listener`](crate::Listener) or an acceptor of one's own. For TCP and Unix
    /// sockets use `from`: they are not boxed.
    pub fn new(transport: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Self {
        Self::over(Io::Other(Box::new(transport)))
    }

    fn over(io: Io) -> Self {
        Self { io: Some(io), entry: None }
    }

    #[cfg(feature = "rustls-no-provider")]
    pub(super) fn tls_over(tls: tokio_rustls::server::TlsStream<Self>) -> Self {
        Self::over(Io::Tls(Box::new(tls)))
    }

    /// The TCP connection, below TLS too.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self.io.as_ref()? {
            Io::Tcp(tcp) => Some(tcp),
            #[cfg(feature = "rustls-no-provider")]
            Io::Tls(tls) => tls.get_ref().0.tcp(),
            _ => None,
        }
    }

    /// The Unix socket, below TLS too: for the credentials of the client's process.
    #[cfg(unix)]
    #[must_use]
    pub fn unix(&self) -> Option<&UnixStream> {
        match self.io.as_ref()? {
            Io::Unix(unix) => Some(unix),
            #[cfg(feature = "rustls-no-provider")]
            Io::Tls(tls) => tls.get_ref().0.unix(),
            _ => None,
        }
    }

    /// The TLS session: for the client's certificate, the name that it asked for.
    #[cfg(feature = "rustls-no-provider")]
    #[must_use]
    pub fn tls(&self) -> Option<&tokio_rustls::rustls::ServerConnection> {
        match self.io.as_ref()? {
            Io::Tls(tls) => Some(tls.get_ref().1),
            _ => None,
        }
    }

    /// The connection is open: from here on a panic is told to the client.
    pub(super) fn attach(&mut self, entry: &Arc<Entry>) {
        self.entry = Some(Arc::clone(entry));
    }

    fn io(self: Pin<&mut Self>) -> io::Result<&mut Io> {
        self.get_mut().io.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for ServerStream {
    /// An application that panics, or fails because its connection was told to close, drops the transport before its
    /// client is told, or has answered. The rest is then done by a task of its own.
    fn drop(&mut self) {
        let Some(entry) = self.entry.take() else { return };
        let (Some(last_words), Ok(runtime)) = (last_words(&entry), Handle::try_current()) else { return };
        if let Some(io) = self.io.take() {
            entry.is_seen_off();
            runtime.spawn(async move {
                let seen_off = say_last(Self::over(io), &last_words).await;
                entry.was_seen_off(seen_off.unwrap_or(false));
            });
        }
    }
}

/// What is still to be written on the transport of a connection that is dropped: nothing behind a Close, which its client
/// has yet to answer. `None` where it is just dropped.
fn last_words(entry: &Entry) -> Option<Vec<u8>> {
    let order = entry.take_order();
    match (entry.wire(), order.as_deref()) {
        (Wire::Shut, _) | (_, Some(Order::Drop)) => None,
        (Wire::CloseSent, _) => Some(Vec::new()),
        // RFC 6455 section 7.4.1: an unexpected condition.
        (Wire::Boundary, _) if thread::panicking() => Some(close_frame(CloseCode::INTERNAL_ERROR, "")),
        (Wire::Boundary, Some(Order::Close(code, reason))) => Some(close_frame(*code, reason)),
        (Wire::Boundary, None) => None,
    }
}

/// A server's Close (RFC 6455 section 5.5.1), its reason of at most 123 bytes.
fn close_frame(code: CloseCode, reason: &str) -> Vec<u8> {
    let mut frame = vec![0x88, u8::try_from(reason.len()).map_or(2, |len| len.saturating_add(2))];
    frame.extend_from_slice(&code.get().to_be_bytes());
    frame.extend_from_slice(reason.as_bytes());
    frame
}

impl From<TcpStream> for ServerStream {
    fn from(tcp: TcpStream) -> Self {
        Self::over(Io::Tcp(tcp))
    }
}

#[cfg(unix)]
impl From<UnixStream> for ServerStream {
    fn from(unix: UnixStream) -> Self {
        Self::over(Io::Unix(unix))
    }
}

impl fmt::Debug for ServerStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.io {
            Some(Io::Tcp(_)) => "Tcp",
            #[cfg(unix)]
            Some(Io::Unix(_)) => "Unix",
            #[cfg(feature = "rustls-no-provider")]
            Some(Io::Tls(_)) => "Tls",
            Some(Io::Other(_)) => "Other",
            None => "None",
        };
        f.debug_tuple("ServerStream").field(&format_args!("{kind}")).finish()
    }
}

/// Calls a method of whichever stream it is.
macro_rules! delegate {
    ($self:ident, $method:ident ( $($argument:expr),* )) => {
        match $self.io()? {
            Io::Tcp(tcp) => Pin::new(tcp).$method($($argument),*),
            #[cfg(unix)]
            Io::Unix(unix) => Pin::new(unix).$method($($argument),*),
            #[cfg(feature = "rustls-no-provider")]
            Io::Tls(tls) => Pin::new(tls).$method($($argument),*),
            Io::Other(other) => Pin::new(other).$method($($argument),*),
        }
    };
}

impl AsyncRead for ServerStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for ServerStream {
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
        match &self.io {
            Some(Io::Tcp(tcp)) => tcp.is_write_vectored(),
            #[cfg(unix)]
            Some(Io::Unix(unix)) => unix.is_write_vectored(),
            #[cfg(feature = "rustls-no-provider")]
            Some(Io::Tls(tls)) => tls.is_write_vectored(),
            Some(Io::Other(other)) => other.is_write_vectored(),
            None => false,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, poll_shutdown(cx))
    }
}
