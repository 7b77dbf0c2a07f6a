//! The stream of a client that connects itself.

use std::{
    io::{self, IoSlice, Read, Write},
    net::TcpStream,
    time::Duration,
};

use crate::Transport;

/// What [`connect`](crate::connect) connects over: TCP, TLS over it, or a Unix socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientStream {
    /// Of a `ws` address.
    Plain(TcpStream),
    /// Of a `wss` address.
    #[cfg(feature = "rustls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
    /// Of a `ws+unix` address.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

impl ClientStream {
    /// The TCP connection, under TLS if there is any; none of a Unix socket.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Plain(tcp) => Some(tcp),
            #[cfg(feature = "rustls")]
            Self::Tls(tls) => Some(&tls.sock),
            #[cfg(unix)]
            Self::Unix(_) => None,
        }
    }
}

/// The same call of whichever stream it is.
macro_rules! each {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self {
            Self::Plain($stream) => $call,
            #[cfg(feature = "rustls")]
            Self::Tls($stream) => $call,
            #[cfg(unix)]
            Self::Unix($stream) => $call,
        }
    };
}

impl Read for ClientStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        each!(self, stream => stream.read(buf))
    }
}

impl Write for ClientStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        each!(self, stream => stream.write(buf))
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        each!(self, stream => stream.write_vectored(slices))
    }

    fn flush(&mut self) -> io::Result<()> {
        each!(self, stream => stream.flush())
    }
}

impl Transport for ClientStream {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        each!(self, stream => Transport::set_read_timeout(stream, timeout))
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        each!(self, stream => Transport::set_write_timeout(stream, timeout))
    }

    fn shutdown(&mut self) -> io::Result<()> {
        each!(self, stream => Transport::shutdown(stream))
    }
}
