//! The exchange with a proxy, over a transport that is connected to it.

use std::io;

use bytes::BytesMut;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_endpoint::handshake::{
    ConnectError as HttpProxyError, ProxyError, ProxyExchange, ProxyRequestError, ProxyStep, Socks5Error,
    Socks5Refusal,
};

use super::error::is_temporary;

/// Why a proxy opened no tunnel.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProxyFailure {
    /// It cannot be asked for this server, or with these credentials.
    #[error(transparent)]
    Request(#[from] ProxyRequestError),
    /// It refused, or what it says is not what a proxy says. The status, or the reply, is in there.
    #[error(transparent)]
    Answer(#[from] ProxyError),
    /// The transport to it failed.
    #[error("the transport failed: {0}")]
    Io(#[from] io::Error),
    /// It opened the tunnel to a TLS server and sent bytes through it at once. A TLS server does not speak first, so they
    /// are not the server's.
    #[error("it sent {len} bytes in the name of a TLS server that has not been spoken to")]
    Forged {
        /// How many bytes.
        len: usize,
    },
}

impl ProxyFailure {
    /// Whether the same may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Io(_) => true,
            Self::Answer(ProxyError::Connect(error)) => match error {
                HttpProxyError::Refused(response) => is_temporary(response.status()),
                error => matches!(error, HttpProxyError::EndOfStream),
            },
            Self::Answer(ProxyError::Socks5(Socks5Error::Refused(refusal))) => matches!(
                refusal,
                Socks5Refusal::GeneralFailure
                    | Socks5Refusal::NetworkUnreachable
                    | Socks5Refusal::HostUnreachable
                    | Socks5Refusal::ConnectionRefused
                    | Socks5Refusal::TtlExpired
            ),
            Self::Answer(ProxyError::Socks5(error)) => matches!(error, Socks5Error::EndOfStream),
            _ => false,
        }
    }
}

/// Asks for the tunnel. What has come through it already is left in `buf`.
pub(super) async fn tunnel<S>(
    transport: &mut S,
    mut exchange: ProxyExchange,
    buf: &mut BytesMut,
) -> Result<(), ProxyFailure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match exchange.receive(buf)? {
            ProxyStep::Send => {
                transport.write_all_buf(exchange.output()).await?;
                transport.flush().await?;
            }
            ProxyStep::NeedBytes => {
                buf.reserve(1024);
                if transport.read_buf(buf).await? == 0 {
                    return Err(exchange.end_of_stream().into());
                }
            }
            ProxyStep::Open => return Ok(()),
        }
    }
}
