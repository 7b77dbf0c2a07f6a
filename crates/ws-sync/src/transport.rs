//! Streams that a connection can run over.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// A blocking stream whose reads and writes can be given a time.
///
/// That is how the deadlines of a connection are kept: a call that takes as long as was allowed gives
/// [`WouldBlock`](io::ErrorKind::WouldBlock) or [`TimedOut`](io::ErrorKind::TimedOut), and nothing is lost by it. The stream
/// must block: with one in non-blocking mode a connection would spin. For a stream that cannot be given a time there is
/// [`Untimed`].
pub trait Transport: Read + Write {
    /// How long a read may take from now on; `None` is for ever. Never zero.
    ///
    /// # Errors
    /// What the system says.
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// How long a write may take from now on; `None` is for ever. Never zero.
    ///
    /// # Errors
    /// What the system says.
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Ends the sending side, behind everything that was written: TCP sends its FIN, TLS its `close_notify` before
    /// that.
    /// Reading goes on.
    ///
    /// # Errors
    /// What the system says. A timeout is asked again.
    fn shutdown(&mut self) -> io::Result<()>;
}

/// A stream that two threads can have at once: TCP, a Unix socket. TLS cannot, because reading and writing share its state.
pub trait SharedTransport: Transport + Sized {
    /// The same stream once more.
    ///
    /// # Errors
    /// What the system says.
    fn try_clone(&self) -> io::Result<Self>;

    /// Ends both directions at once, so that a call that waits in another thread comes back.
    ///
    /// # Errors
    /// What the system says.
    fn abort(&self) -> io::Result<()>;
}

impl SharedTransport for TcpStream {
    fn try_clone(&self) -> io::Result<Self> {
        TcpStream::try_clone(self)
    }

    fn abort(&self) -> io::Result<()> {
        TcpStream::shutdown(self, Shutdown::Both)
    }
}

#[cfg(unix)]
impl SharedTransport for std::os::unix::net::UnixStream {
    fn try_clone(&self) -> io::Result<Self> {
        Self::try_clone(self)
    }

    fn abort(&self) -> io::Result<()> {
        Self::shutdown(self, Shutdown::Both)
    }
}

impl Transport for TcpStream {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_read_timeout(self, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        TcpStream::set_write_timeout(self, timeout)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        TcpStream::shutdown(self, Shutdown::Write)
    }
}

#[cfg(unix)]
impl Transport for std::os::unix::net::UnixStream {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        Self::set_read_timeout(self, timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        Self::set_write_timeout(self, timeout)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        Self::shutdown(self, Shutdown::Write)
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        (**self).set_write_timeout(timeout)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        (**self).shutdown()
    }
}

#[cfg(feature = "rustls")]
impl<C, T, D> Transport for rustls::StreamOwned<C, T>
where
    C: std::ops::DerefMut + std::ops::Deref<Target = rustls::ConnectionCommon<D>>,
    T: Transport,
    D: rustls::SideData,
{
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.sock.set_write_timeout(timeout)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.conn.send_close_notify(); // a second one sends nothing
        self.flush()?;
        self.sock.shutdown()
    }
}

/// A stream whose reads and writes cannot be given a time: a pipe, a pair of files, a stream in memory.
///
/// Its connection judges deadlines between the calls alone: a peer that says nothing for ever blocks for ever. Ending the
/// sending side flushes it, and that is all; where the peer waits for an end of the stream, drop it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untimed<S>(
    /// The stream.
    pub S,
);

impl<S: Read> Read for Untimed<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<S: Write> Write for Untimed<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Read + Write> Transport for Untimed<S> {
    fn set_read_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
