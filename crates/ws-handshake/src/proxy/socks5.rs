use core::fmt;
use core::net::IpAddr;

use bytes::{Buf, BufMut, BytesMut};

use super::target::TunnelHost;
use super::{ProxyCredentials, ProxyRequestError, ProxyStep, Socks5Error, Socks5Refusal};

/// The version of the protocol, in front of each message but those of RFC 1929.
const VERSION: u8 = 5;
/// The version of the sub-negotiation of user and password (RFC 1929 section 2).
const AUTHENTICATION_VERSION: u8 = 1;
const METHOD_NONE: u8 = 0;
const METHOD_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;
const COMMAND_CONNECT: u8 = 1;
const TYPE_IPV4: u8 = 1;
const TYPE_NAME: u8 = 3;
const TYPE_IPV6: u8 = 4;

/// What the proxy is to say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Method,
    Authentication,
    Reply,
    Finished,
}

/// A SOCKS5 exchange (RFC 1928), with user and password (RFC 1929) where the proxy wants them.
///
/// A message of the proxy is judged as far as it has come, at its first wrong byte, and none is longer than 262 bytes.
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use ws_handshake::{ProxyStep, Socks5Exchange};
///
/// let mut exchange = Socks5Exchange::new("example.com", 443, None)?;
/// let mut buf = BytesMut::new();
/// for answer in [&[5, 0][..], &[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]] {
///     // The output is written here.
///     let sent = exchange.output().len();
///     exchange.output().advance(sent);
///     buf.extend_from_slice(answer);
///     if exchange.receive(&mut buf)? == ProxyStep::Open {
///         return Ok(());
///     }
/// }
/// # unreachable!();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Socks5Exchange {
    output: BytesMut,
    stage: Stage,
    /// The messages of RFC 1929 and of RFC 1928 section 4, made beforehand: a caller's mistake is one before anything
    /// is sent.
    authentication: Option<Vec<u8>>,
    request: Vec<u8>,
}

impl Socks5Exchange {
    /// A tunnel to this host and port. A name goes to the proxy as it is, to be resolved there; an IPv4 or IPv6 address,
    /// in brackets or not, goes as an address. The method "user and password" is offered only with credentials, of
    /// which the password may be empty.
    ///
    /// # Errors
    ///
    /// [`Host`](ProxyRequestError::Host), [`HostTooLong`](ProxyRequestError::HostTooLong) and
    /// [`Credentials`](ProxyRequestError::Credentials).
    pub fn new(
        host: &str,
        port: u16,
        credentials: Option<&ProxyCredentials>,
    ) -> Result<Self, ProxyRequestError> {
        let request = connect_request(&TunnelHost::parse(host)?, port)?;
        let authentication = credentials.map(authentication_request).transpose()?;
        let mut output = BytesMut::new();
        if authentication.is_some() {
            output.extend_from_slice(&[VERSION, 2, METHOD_NONE, METHOD_PASSWORD]);
        } else {
            output.extend_from_slice(&[VERSION, 1, METHOD_NONE]);
        }
        Ok(Self { output, stage: Stage::Method, authentication, request })
    }

    /// What is to be sent; what has been sent is advanced over.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Looks for the proxy's next message. Bytes behind the last one are the tunnel's, and stay in the buffer.
    ///
    /// # Errors
    ///
    /// [`Socks5Error`] when the proxy opens no tunnel; the exchange is over then.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Result<ProxyStep, Socks5Error> {
        if self.stage != Stage::Finished && !self.output.is_empty() {
            return Ok(ProxyStep::Send);
        }
        let result = match self.stage {
            Stage::Method => self.read_method(buf),
            Stage::Authentication => self.read_authentication(buf),
            Stage::Reply => read_reply(buf),
            Stage::Finished => Err(Socks5Error::Finished),
        };
        if !matches!(result, Ok(ProxyStep::Send | ProxyStep::NeedBytes)) {
            self.stage = Stage::Finished;
        }
        result
    }

    /// The stream has ended: why there is no tunnel.
    #[must_use]
    pub fn end_of_stream(&mut self) -> Socks5Error {
        match core::mem::replace(&mut self.stage, Stage::Finished) {
            Stage::Finished => Socks5Error::Finished,
            _ => Socks5Error::EndOfStream,
        }
    }

    /// RFC 1928 section 3: version, method.
    fn read_method(&mut self, buf: &mut BytesMut) -> Result<ProxyStep, Socks5Error> {
        let Some(method) = versioned(buf, VERSION)? else { return Ok(ProxyStep::NeedBytes) };
        let (next, message) = match (method, &self.authentication) {
            (METHOD_NONE, _) => (Stage::Reply, &self.request),
            (METHOD_PASSWORD, Some(authentication)) => (Stage::Authentication, authentication),
            (NO_ACCEPTABLE_METHOD, _) => return Err(Socks5Error::NoAcceptableMethod),
            (other, _) => return Err(Socks5Error::UnofferedMethod(other)),
        };
        self.output.extend_from_slice(message);
        self.stage = next;
        buf.advance(2);
        Ok(ProxyStep::Send)
    }

    /// RFC 1929 section 2: version, status.
    fn read_authentication(&mut self, buf: &mut BytesMut) -> Result<ProxyStep, Socks5Error> {
        match versioned(buf, AUTHENTICATION_VERSION)? {
            None => Ok(ProxyStep::NeedBytes),
            Some(0) => {
                self.output.extend_from_slice(&self.request);
                self.stage = Stage::Reply;
                buf.advance(2);
                Ok(ProxyStep::Send)
            }
            Some(status) => Err(Socks5Error::AuthenticationFailed(status)),
        }
    }
}

impl fmt::Debug for Socks5Exchange {
    /// Without the bytes, which hold the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socks5Exchange").field("stage", &self.stage).finish_non_exhaustive()
    }
}

/// The byte behind the version.
fn versioned(buf: &[u8], expected: u8) -> Result<Option<u8>, Socks5Error> {
    match buf.first() {
        Some(&found) if found != expected => Err(Socks5Error::Version { expected, found }),
        _ => Ok(buf.get(1).copied()),
    }
}

/// RFC 1928 section 6: version, reply, reserved, and the address that the proxy bound, which nobody needs.
fn read_reply(buf: &mut BytesMut) -> Result<ProxyStep, Socks5Error> {
    let Some(code) = versioned(buf, VERSION)? else { return Ok(ProxyStep::NeedBytes) };
    if code != 0 {
        return Err(Socks5Error::Refused(Socks5Refusal::from_code(code)));
    }
    let address_len = match buf.get(3..) {
        Some([TYPE_IPV4, ..]) => 4,
        Some([TYPE_IPV6, ..]) => 16,
        Some([TYPE_NAME, len, ..]) => 1 + usize::from(*len),
        None | Some([] | [TYPE_NAME]) => return Ok(ProxyStep::NeedBytes),
        Some([other, ..]) => return Err(Socks5Error::AddressType(*other)),
    };
    let len = 4 + address_len + 2;
    if buf.len() < len {
        return Ok(ProxyStep::NeedBytes);
    }
    buf.advance(len);
    Ok(ProxyStep::Open)
}

/// RFC 1928 section 4.
fn connect_request(host: &TunnelHost, port: u16) -> Result<Vec<u8>, ProxyRequestError> {
    let mut message = vec![VERSION, COMMAND_CONNECT, 0];
    match host {
        TunnelHost::Address(IpAddr::V4(address)) => {
            message.push(TYPE_IPV4);
            message.extend_from_slice(&address.octets());
        }
        TunnelHost::Address(IpAddr::V6(address)) => {
            message.push(TYPE_IPV6);
            message.extend_from_slice(&address.octets());
        }
        TunnelHost::Name(name) => {
            message.push(TYPE_NAME);
            message.push(name.len().try_into().map_err(|_| ProxyRequestError::HostTooLong)?);
            message.extend_from_slice(name.as_bytes());
        }
    }
    message.put_u16(port);
    Ok(message)
}

/// RFC 1929 section 2.
fn authentication_request(credentials: &ProxyCredentials) -> Result<Vec<u8>, ProxyRequestError> {
    let len = |part: &[u8]| u8::try_from(part.len()).map_err(|_| ProxyRequestError::Credentials);
    let ProxyCredentials { user, password } = credentials;
    if user.is_empty() {
        return Err(ProxyRequestError::Credentials);
    }
    Ok([&[AUTHENTICATION_VERSION, len(user)?], &user[..], &[len(password)?], &password[..]].concat())
}
