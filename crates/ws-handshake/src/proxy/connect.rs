use core::fmt;

use bytes::BytesMut;
use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
    TRANSFER_ENCODING,
};
use http::uri::{Parts, Uri};
use http::{Method, Request, Response, StatusCode};

use super::target::TunnelHost;
use super::{ConnectError, ProxyCredentials, ProxyRequestError, ProxyStep};
use crate::client::{MAX_INTERIM_RESPONSES, basic};
use crate::field;
use crate::head::{HeadLimits, HeadReader};
use crate::write::write_request;

/// `Host` is the target's (RFC 9110 section 7.2), and a CONNECT has no body (section 9.3.6).
const RESERVED: [HeaderName; 3] = [HOST, CONTENT_LENGTH, TRANSFER_ENCODING];

/// A CONNECT before it is sent: asks an HTTP proxy for a tunnel.
#[derive(Clone, Debug)]
pub struct ConnectRequest {
    request: Request<()>,
    authorization: Option<HeaderValue>,
    limits: HeadLimits,
}

impl ConnectRequest {
    /// A tunnel to this host and port. The proxy resolves the name; an IPv6 address may stand in brackets.
    ///
    /// # Errors
    ///
    /// [`ProxyRequestError::Host`] for a host that is none.
    pub fn new(host: &str, port: u16) -> Result<Self, ProxyRequestError> {
        let authority = TunnelHost::parse(host)?.authority(port);
        let value = HeaderValue::try_from(authority.as_str()).map_err(|_| ProxyRequestError::Host)?;
        let mut parts = Parts::default();
        parts.authority = Some(authority.parse().map_err(|_| ProxyRequestError::Host)?);
        let mut request = Request::new(());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| ProxyRequestError::Host)?;
        request.headers_mut().insert(HOST, value);
        Ok(Self { request, authorization: None, limits: HeadLimits::default() })
    }

    /// Basic authorization to the proxy (RFC 7617). A `Proxy-Authorization` that is [set](Self::header) wins over it.
    ///
    /// # Errors
    ///
    /// [`ProxyRequestError::Credentials`] for a colon in the user's name and for control characters.
    pub fn credentials(mut self, credentials: &ProxyCredentials) -> Result<Self, ProxyRequestError> {
        let value =
            basic(&credentials.user, &credentials.password).map_err(|_| ProxyRequestError::Credentials)?;
        self.authorization = Some(value);
        Ok(self)
    }

    /// Adds a header for the proxy. `Proxy-Authorization` replaces an earlier one.
    ///
    /// # Errors
    ///
    /// [`ProxyRequestError::Header`] for `Host` and those that declare a body, for what cannot be sent, and for more than
    /// [`MAX_ADDED_HEADERS`](crate::MAX_ADDED_HEADERS).
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, ProxyRequestError>
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        let (name, mut value) = field::parse(name, value, &RESERVED)?;
        if [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(&name) {
            value.set_sensitive(true);
        }
        if name == PROXY_AUTHORIZATION {
            self.authorization = None;
            self.request.headers_mut().insert(name, value);
        } else {
            field::append(self.request.headers_mut(), name, value)?;
        }
        Ok(self)
    }

    /// How large the head of the proxy's answer may be.
    #[must_use]
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Fixes the request.
    #[must_use]
    pub fn start(mut self) -> ConnectExchange {
        if let Some(value) = self.authorization {
            self.request.headers_mut().entry(PROXY_AUTHORIZATION).or_insert(value);
        }
        ConnectExchange {
            output: BytesMut::from(&write_request(&self.request)[..]),
            reader: HeadReader::new(self.limits),
            interim: 0,
            finished: false,
            response: None,
        }
    }
}

/// A CONNECT that has begun: the request's bytes go out, the answer's come in.
///
/// ```
/// use bytes::{Buf, BytesMut};
/// use ws_handshake::{ConnectRequest, ProxyCredentials, ProxyStep};
///
/// let request = ConnectRequest::new("example.com", 443)?;
/// let mut exchange = request.credentials(&ProxyCredentials::new("user", "password"))?.start();
/// let mut buf = BytesMut::new();
/// assert_eq!(exchange.receive(&mut buf)?, ProxyStep::Send);
/// assert!(exchange.output().starts_with(b"CONNECT example.com:443 HTTP/1.1\r\n"));
/// let sent = exchange.output().len();
/// exchange.output().advance(sent);
///
/// buf.extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\nfrom beyond");
/// assert_eq!(exchange.receive(&mut buf)?, ProxyStep::Open);
/// assert_eq!(buf, "from beyond");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ConnectExchange {
    output: BytesMut,
    reader: HeadReader,
    interim: usize,
    finished: bool,
    response: Option<Response<()>>,
}

impl ConnectExchange {
    /// What is to be sent; what has been sent is advanced over.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Looks for the proxy's answer. Bytes behind it are the tunnel's, and stay in the buffer.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] when the proxy opens no tunnel; the exchange is over then.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Result<ProxyStep, ConnectError> {
        if self.finished {
            return Err(ConnectError::Finished);
        }
        if !self.output.is_empty() {
            return Ok(ProxyStep::Send);
        }
        let result = self.next_response(buf);
        self.finished = !matches!(result, Ok(ProxyStep::NeedBytes));
        result
    }

    /// The stream has ended: why there is no tunnel.
    #[must_use]
    pub fn end_of_stream(&mut self) -> ConnectError {
        if core::mem::replace(&mut self.finished, true) {
            ConnectError::Finished
        } else {
            ConnectError::EndOfStream
        }
    }

    /// The answer that opened the tunnel.
    #[must_use]
    pub fn response(&self) -> Option<&Response<()>> {
        self.response.as_ref()
    }

    fn next_response(&mut self, buf: &mut BytesMut) -> Result<ProxyStep, ConnectError> {
        while let Some(response) = self.reader.read_response(buf)? {
            let status = response.status();
            // Nobody asked for another protocol, so 101 is no interim answer (RFC 9110 section 15.2.2).
            if status.is_informational() && status != StatusCode::SWITCHING_PROTOCOLS {
                self.interim += 1;
                if self.interim > MAX_INTERIM_RESPONSES {
                    return Err(ConnectError::TooManyInterimResponses);
                }
            } else if status.is_success() {
                // RFC 9110 section 9.3.6: behind the head is the tunnel, whatever length the head declares.
                self.response = Some(response);
                return Ok(ProxyStep::Open);
            } else if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
                return Err(ConnectError::AuthenticationRequired(Box::new(response)));
            } else {
                return Err(ConnectError::Refused(Box::new(response)));
            }
        }
        Ok(ProxyStep::NeedBytes)
    }
}

impl fmt::Debug for ConnectExchange {
    /// Without the bytes, which hold the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectExchange")
            .field("interim", &self.interim)
            .field("finished", &self.finished)
            .field("response", &self.response)
            .finish_non_exhaustive()
    }
}
