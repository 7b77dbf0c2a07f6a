use http::Response;

use crate::field::InvalidHeader;
use crate::head::HeadError;

/// A request to a proxy that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyRequestError {
    /// The host to reach is none.
    #[error("the host to reach through the proxy is not a valid one")]
    Host,
    /// SOCKS5 has one byte for the length of a name (RFC 1928 section 4).
    #[error("the host's name is longer than 255 bytes, which SOCKS5 cannot carry")]
    HostTooLong,
    /// For CONNECT: a colon in the user's name, or a control character (RFC 7617 section 2). For SOCKS5: an empty name,
    /// or name or password longer than 255 bytes (RFC 1929 section 2).
    #[error("the proxy's user name or password cannot be sent")]
    Credentials,
    /// A header that cannot be added.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
}

/// A tunnel that a proxy did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// An HTTP proxy.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A SOCKS5 proxy.
    #[error(transparent)]
    Socks5(#[from] Socks5Error),
}

/// A CONNECT that opened no tunnel.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// 407: the proxy wants credentials, or others. Its `Proxy-Authenticate` says which. The bytes of the body, as far as
    /// they came, are still in the buffer; a [`BodyCollector`](crate::BodyCollector) reads them.
    #[error("the proxy wants other credentials (407)")]
    AuthenticationRequired(Box<Response<()>>),
    /// Any other status than 2xx. As for 407, the body is still to be read.
    #[error("the proxy refused the tunnel with status {}", .0.status())]
    Refused(Box<Response<()>>),
    /// The answer's head cannot be read.
    #[error("the proxy's answer cannot be read: {0}")]
    Head(#[from] HeadError),
    /// More than [`MAX_INTERIM_RESPONSES`](crate::MAX_INTERIM_RESPONSES) answers with a status from 100 to 199.
    #[error("the proxy sends interim answers without end")]
    TooManyInterimResponses,
    /// The proxy ended the stream within the exchange.
    #[error("the proxy closed the connection before it had answered")]
    EndOfStream,
    /// The exchange is over; there is nothing to receive any more.
    #[error("the exchange with the proxy is over already")]
    Finished,
}

/// A SOCKS5 exchange that opened no tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Socks5Error {
    /// The proxy answered the request with a failure.
    #[error("the SOCKS5 proxy opened no tunnel: {0}")]
    Refused(Socks5Refusal),
    /// The proxy takes none of the methods of authentication that were offered: it may want a user and a password.
    #[error("the SOCKS5 proxy takes none of the offered methods of authentication")]
    NoAcceptableMethod,
    /// The proxy chose a method that was not offered.
    #[error("the SOCKS5 proxy chose the method {0}, which was not offered")]
    UnofferedMethod(u8),
    /// User and password were refused (RFC 1929 section 2).
    #[error("the SOCKS5 proxy refused user and password (status {0})")]
    AuthenticationFailed(u8),
    /// What answers does not speak SOCKS5, or not RFC 1929 where that was agreed.
    #[error("the proxy answers in another protocol: version {found} instead of {expected}")]
    Version {
        /// The version that belongs there.
        expected: u8,
        /// What stood there. 72 is the H of an HTTP answer.
        found: u8,
    },
    /// The proxy's own address is of a kind that RFC 1928 section 5 does not know.
    #[error("the SOCKS5 proxy answers with an address of the unknown type {0}")]
    AddressType(u8),
    /// The proxy ended the stream within the exchange.
    #[error("the SOCKS5 proxy closed the connection before it had answered")]
    EndOfStream,
    /// The exchange is over; there is nothing to receive any more.
    #[error("the exchange with the proxy is over already")]
    Finished,
}

/// Why a SOCKS5 proxy opens no tunnel: the reply codes of RFC 1928 section 6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Socks5Refusal {
    /// 1.
    #[error("general failure")]
    GeneralFailure,
    /// 2.
    #[error("not allowed by its rules")]
    NotAllowed,
    /// 3.
    #[error("network unreachable")]
    NetworkUnreachable,
    /// 4. A name that the proxy cannot resolve is often told so.
    #[error("host unreachable")]
    HostUnreachable,
    /// 5.
    #[error("connection refused")]
    ConnectionRefused,
    /// 6.
    #[error("time to live expired")]
    TtlExpired,
    /// 7.
    #[error("command not supported")]
    CommandNotSupported,
    /// 8.
    #[error("address type not supported")]
    AddressTypeNotSupported,
    /// A code that RFC 1928 does not assign.
    #[error("unassigned reply {0}")]
    Other(u8),
}

impl Socks5Refusal {
    /// The refusal of a reply code that is not 0, which means success.
    pub(super) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::GeneralFailure,
            2 => Self::NotAllowed,
            3 => Self::NetworkUnreachable,
            4 => Self::HostUnreachable,
            5 => Self::ConnectionRefused,
            6 => Self::TtlExpired,
            7 => Self::CommandNotSupported,
            8 => Self::AddressTypeNotSupported,
            other => Self::Other(other),
        }
    }
}
