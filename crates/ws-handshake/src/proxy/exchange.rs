use bytes::BytesMut;

use super::{
    ConnectExchange, ConnectRequest, ProxyAddress, ProxyError, ProxyKind, ProxyRequestError, Socks5Exchange,
};

/// What an exchange with a proxy wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ProxyStep {
    /// Send the output, all of it, then call again. Nothing was taken from the buffer for it: who answers before it was
    /// asked waits.
    Send,
    /// Append what comes from the proxy to the same buffer, then call again.
    NeedBytes,
    /// The tunnel is open. What is left in the buffer came through it, and is to be handed on.
    Open,
}

/// An exchange with a proxy of either kind, all of its state in one value.
///
/// The I/O layer's loop, which ends with an open tunnel or an error, and is bounded by a deadline of the I/O layer's:
///
/// ```
/// use std::io::{Read, Write};
///
/// use bytes::{Buf, BytesMut};
/// use ws_handshake::{ProxyAddress, ProxyExchange, ProxyStep};
///
/// fn tunnel(
///     mut stream: impl Read + Write,
///     proxy: &ProxyAddress,
///     buf: &mut BytesMut,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let mut exchange = ProxyExchange::new(proxy, "example.com", 443)?;
///     let mut chunk = [0; 1024];
///     loop {
///         match exchange.receive(buf)? {
///             ProxyStep::Send => {
///                 let sent = stream.write(exchange.output())?;
///                 exchange.output().advance(sent);
///             }
///             ProxyStep::NeedBytes => match stream.read(&mut chunk)? {
///                 0 => return Err(exchange.end_of_stream().into()),
///                 len => buf.extend_from_slice(&chunk[..len]),
///             },
///             ProxyStep::Open => return Ok(()),
///         }
///     }
/// }
/// # struct Played(&'static [u8]);
/// # impl Read for Played {
/// #     fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> { self.0.read(buf) }
/// # }
/// # impl Write for Played {
/// #     fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> { Ok(buf.len()) }
/// #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
/// # }
/// # let proxy: ProxyAddress = "http://proxy.example:3128".parse()?;
/// # tunnel(Played(b"HTTP/1.1 200 OK\r\n\r\n"), &proxy, &mut BytesMut::new())?;
/// # assert!(tunnel(Played(b"HTTP/1.1 200 OK\r\n"), &proxy, &mut BytesMut::new()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum ProxyExchange {
    /// HTTP CONNECT.
    Connect(ConnectExchange),
    /// SOCKS5.
    Socks5(Socks5Exchange),
}

impl ProxyExchange {
    /// Begins a tunnel through `proxy` to this host and port, with the proxy's credentials. For headers of your own, or
    /// other limits, begin with [`ConnectRequest`].
    ///
    /// # Errors
    ///
    /// [`ProxyRequestError`] for a host that is none, and for credentials that the kind of proxy cannot be sent.
    pub fn new(proxy: &ProxyAddress, host: &str, port: u16) -> Result<Self, ProxyRequestError> {
        match proxy.kind() {
            ProxyKind::Http | ProxyKind::Https => {
                let mut request = ConnectRequest::new(host, port)?;
                if let Some(credentials) = proxy.credentials() {
                    request = request.credentials(credentials)?;
                }
                Ok(request.start().into())
            }
            ProxyKind::Socks5 => Ok(Socks5Exchange::new(host, port, proxy.credentials())?.into()),
        }
    }

    /// What is to be sent; what has been sent is advanced over.
    pub fn output(&mut self) -> &mut BytesMut {
        match self {
            Self::Connect(exchange) => exchange.output(),
            Self::Socks5(exchange) => exchange.output(),
        }
    }

    /// Looks for the proxy's next message.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] when the proxy opens no tunnel; the exchange is over then.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Result<ProxyStep, ProxyError> {
        match self {
            Self::Connect(exchange) => Ok(exchange.receive(buf)?),
            Self::Socks5(exchange) => Ok(exchange.receive(buf)?),
        }
    }

    /// The stream has ended: why there is no tunnel.
    #[must_use]
    pub fn end_of_stream(&mut self) -> ProxyError {
        match self {
            Self::Connect(exchange) => exchange.end_of_stream().into(),
            Self::Socks5(exchange) => exchange.end_of_stream().into(),
        }
    }
}

impl From<ConnectExchange> for ProxyExchange {
    fn from(exchange: ConnectExchange) -> Self {
        Self::Connect(exchange)
    }
}

impl From<Socks5Exchange> for ProxyExchange {
    fn from(exchange: Socks5Exchange) -> Self {
        Self::Socks5(exchange)
    }
}
