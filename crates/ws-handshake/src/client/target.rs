use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, uri};
use percent_encoding::{AsciiSet, percent_decode_str, utf8_percent_encode};

use super::ClientRequestError;
use crate::field::InvalidHeader;
use crate::host;

/// Nothing beyond what is always encoded: bytes that are not ASCII.
const NON_ASCII: &AsciiSet = &AsciiSet::EMPTY;

/// A WebSocket address (RFC 6455 section 3), taken apart.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) tls: bool,
    /// In lower case, an IPv6 literal in brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
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
        let ascii = utf8_percent_encode(address, NON_ASCII).to_string();
        Self::from_uri(&Uri::try_from(ascii).map_err(|error| ClientRequestError::Uri(error.into()))?)
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
        // An address may leave out the path in front of its query; a request target may not.
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{}", utf8_percent_encode(path, NON_ASCII));
        Ok(Self {
            tls,
            host: host.to_ascii_lowercase(),
            port: port.filter(|&port| port != default_port(tls)),
            authorization: user_info.map(from_user_info).transpose()?,
            path: PathAndQuery::try_from(path).map_err(|error| ClientRequestError::Uri(error.into()))?,
        })
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(default_port(self.tls))
    }

    /// The value of `Host`: a default port is left out.
    pub(super) fn authority(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The address without user information.
    pub(super) fn uri(&self) -> Result<Uri, ClientRequestError> {
        uri::Builder::new()
            .scheme(if self.tls { "wss" } else { "ws" })
            .authority(self.authority())
            .path_and_query(self.path.clone())
            .build()
            .map_err(ClientRequestError::Uri)
    }
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
pub(super) fn basic(user: &[u8], password: &[u8]) -> Result<HeaderValue, ClientRequestError> {
    if user.contains(&b':') || user.iter().chain(password).any(u8::is_ascii_control) {
        return Err(ClientRequestError::Credentials);
    }
    let credentials = [user, b":", password].concat();
    let value = format!("Basic {}", STANDARD.encode(credentials));
    let mut value = HeaderValue::try_from(value).map_err(|error| InvalidHeader::Malformed(error.into()))?;
    value.set_sensitive(true);
    Ok(value)
}
