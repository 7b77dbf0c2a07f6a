use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, uri};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::ClientRequestError;
use super::reference::Reference;
use crate::field::InvalidHeader;
use crate::host;

/// Nothing beyond what is always encoded: bytes that are not ASCII.
const NON_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// What would end the path of a socket in an address, or not come back as it was.
const NOT_IN_SOCKET_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b':').add(b'?').add(b'#').add(b'%');

/// The scheme of a socket on this machine.
const SOCKET_SCHEME: &str = "ws+unix";

/// A WebSocket address (RFC 6455 section 3), taken apart.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) tls: bool,
    /// In lower case, an IPv6 literal in brackets. `localhost` for a socket.
    pub(super) host: String,
    port: Option<u16>,
    /// The path of a Unix socket: the transport, in the place of host and port.
    socket: Option<String>,
    /// `Authorization` from the address's user information.
    pub(super) authorization: Option<HeaderValue>,
    path: PathAndQuery,
}

impl Target {
    pub(super) fn parse(address: &str) -> Result<Self, ClientRequestError> {
        // `Uri` drops a fragment silently.
        if address.contains('#') {
            return Err(ClientRequestError::Fragment);
        }
        match address.split_once(':') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(SOCKET_SCHEME) => Self::from_socket(rest),
            _ => {
                let ascii = utf8_percent_encode(address, NON_ASCII).to_string();
                Self::from_uri(&Uri::try_from(ascii).map_err(|error| ClientRequestError::Uri(error.into()))?)
            }
        }
    }

    /// `/path/to.sock:/url/path`, what stands behind `ws+unix:`. A colon in the socket's own path is written `%3A`.
    fn from_socket(rest: &str) -> Result<Self, ClientRequestError> {
        // An authority may be written, and is empty.
        let rest = match rest.strip_prefix("//") {
            Some(path) if path.starts_with('/') => path,
            Some(_) => return Err(ClientRequestError::SocketPath),
            None => rest,
        };
        let (socket, path) = rest.split_at(rest.find([':', '?']).unwrap_or(rest.len()));
        let path = path.strip_prefix(':').unwrap_or(path);
        let socket = percent_decode_str(socket).decode_utf8().map_err(|_| ClientRequestError::SocketPath)?;
        // No operating system opens a path with NUL; the other control characters are mistakes when they are not encoded.
        let is_unclean = rest.bytes().any(|b| b.is_ascii_control()) || socket.contains('\0');
        if socket.is_empty() || is_unclean || !(path.is_empty() || path.starts_with(['/', '?'])) {
            return Err(ClientRequestError::SocketPath);
        }
        Ok(Self {
            tls: false,
            host: "localhost".to_owned(),
            port: None,
            socket: Some(socket.into_owned()),
            authorization: None,
            path: request_target(path)?,
        })
    }

    pub(super) fn from_uri(uri: &Uri) -> Result<Self, ClientRequestError> {
        let scheme = uri.scheme_str().unwrap_or_default();
        let is = |names: [&str; 2]| names.iter().any(|name| name.eq_ignore_ascii_case(scheme));
        let tls = is(["wss", "https"]);
        if !tls && !is(["ws", "http"]) {
            return Err(ClientRequestError::Scheme);
        }
        let authority = uri.authority().ok_or(ClientRequestError::Host)?.as_str();
        let (user_info, authority) = match authority.rsplit_once('@') {
            Some((user_info, authority)) => (Some(user_info), authority),
            None => (None, authority),
        };
        let (host, port) = host::split(authority).ok_or(ClientRequestError::Host)?;
        let path = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
        Ok(Self {
            tls,
            host: host.to_ascii_lowercase(),
            port: port.filter(|&port| port != default_port(tls)),
            socket: None,
            authorization: user_info.map(from_user_info).transpose()?,
            path: request_target(path)?,
        })
    }

    /// Where a reference leads that this target's server gave (RFC 3986 section 5.2). A path alone stays on the same
    /// host, or socket.
    pub(super) fn resolve(&self, reference: &Reference<'_>) -> Result<Self, ClientRequestError> {
        let scheme = reference.scheme.unwrap_or(self.scheme());
        match reference.authority {
            None if reference.scheme.is_none() => {
                let path = request_target(&reference.resolve(self.path.path(), self.path.query()))?;
                Ok(Self { path, ..self.clone() })
            }
            // The rest is opaque, as is that of a socket's address: all of it is the path.
            None => Self::parse(&format!("{scheme}:{}", reference.rest)),
            Some(_) if scheme.eq_ignore_ascii_case(SOCKET_SCHEME) => {
                Self::parse(&format!("{scheme}:{}", reference.rest))
            }
            Some(authority) => {
                Self::parse(&format!("{scheme}://{authority}{}", reference.resolve("/", None)))
            }
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(default_port(self.tls))
    }

    pub(super) fn socket_path(&self) -> Option<&Path> {
        self.socket.as_deref().map(Path::new)
    }

    /// Whether both name the same server: the same host and port, default ports left out, or the same socket.
    pub(super) fn is_same_server(&self, other: &Self) -> bool {
        self.socket == other.socket && self.host == other.host && self.port == other.port
    }

    /// The value of `Host`: a default port is left out.
    pub(super) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The address without user information. A socket's has the host `localhost`: [`Uri`] cannot name a socket.
    pub(super) fn uri(&self) -> Result<Uri, ClientRequestError> {
        uri::Builder::new()
            .scheme(if self.tls { "wss" } else { "ws" })
            .authority(self.authority())
            .path_and_query(self.path.clone())
            .build()
            .map_err(ClientRequestError::Uri)
    }

    /// The address without user information, in the form that [`parse`](Self::parse) takes.
    pub(super) fn address(&self) -> String {
        let (scheme, path) = (self.scheme(), self.path.as_str());
        match &self.socket {
            Some(socket) => {
                // A path with two slashes at its front would read as an authority.
                let authority = if socket.starts_with("//") { "//" } else { "" };
                format!("{scheme}:{authority}{}:{path}", utf8_percent_encode(socket, NOT_IN_SOCKET_PATH))
            }
            None => format!("{scheme}://{}{path}", self.authority()),
        }
    }

    fn scheme(&self) -> &'static str {
        match (&self.socket, self.tls) {
            (Some(_), _) => SOCKET_SCHEME,
            (None, true) => "wss",
            (None, false) => "ws",
        }
    }
}

/// An address may leave out the path in front of its query; a request target may not.
fn request_target(path: &str) -> Result<PathAndQuery, ClientRequestError> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    let path = format!("{slash}{}", utf8_percent_encode(path, NON_ASCII));
    PathAndQuery::try_from(path).map_err(|error| ClientRequestError::Uri(error.into()))
}

fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

fn from_user_info(user_info: &str) -> Result<HeaderValue, ClientRequestError> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let decode = |text| percent_decode_str(text).collect::<Vec<u8>>();
    basic(&decode(user), &decode(password))
}

/// `Authorization: Basic` (RFC 7617 section 2), marked sensitive so that it stays out of debug output.
pub(crate) fn basic(user: &[u8], password: &[u8]) -> Result<HeaderValue, ClientRequestError> {
    if user.contains(&b':') || user.iter().chain(password).any(u8::is_ascii_control) {
        return Err(ClientRequestError::Credentials);
    }
    let credentials = [user, b":", password].concat();
    let value = format!("Basic {}", STANDARD.encode(credentials));
    let mut value = HeaderValue::try_from(value).map_err(|error| InvalidHeader::Malformed(error.into()))?;
    value.set_sensitive(true);
    Ok(value)
}
