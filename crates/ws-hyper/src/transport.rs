//! What a connection that came out of an HTTP server runs over.

use bytes::Bytes;
use hyper::{
    rt::{Read, Write},
    upgrade::Upgraded,
};
use hyper_util::{rt::TokioIo, server::conn::auto};
use tokio::net::TcpStream;
use ws_tokio::ServerStream;

/// A connection that came out of an HTTP server. It is of the same type as those of a [`ws_tokio::Server`], so that one
/// handler serves both.
///
/// TCP that hyper served through a `TokioIo<TcpStream>` runs on as TCP, with `TCP_NODELAY` on. Anything else (TLS, a Unix
/// socket, a stream of HTTP/2) is read and written through virtual calls; to avoid them, use
/// [`Upgrading::over`](crate::Upgrading::over).
pub type WebSocket = ws_tokio::WebSocket<ServerStream>;

/// Finds TCP where it is TCP; gives the bytes that the HTTP server has read behind the request, too.
pub(crate) fn transport(upgraded: Upgraded) -> (ServerStream, Bytes) {
    match downcast::<TcpStream>(upgraded) {
        Ok((tcp, read)) => {
            // A socket without it works as well; and then nothing else will work either.
            let _set = tcp.set_nodelay(true);
            (tcp.into(), read)
        }
        // It gives these bytes itself.
        Err(upgraded) => (ServerStream::new(TokioIo::new(upgraded)), Bytes::new()),
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
