use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::uri::{Authority, Uri};
use http::{Method, Request};

use super::{AcceptBuilder, Refusal, RequestError, ServerPolicy};
use crate::header::{SEC_WEBSOCKET_ORIGIN, joined, list_contains, single};
use crate::{Key, Version, host, subprotocol};

/// A request that asks for a WebSocket and breaks no rule: what it says, and the way to accept it.
///
/// Made by [`check`]. Extensions are handed on unparsed: whoever implements them answers them.
#[derive(Clone, Debug)]
pub struct Upgrade {
    key: Key,
    version: Version,
    host: String,
    subprotocols: Vec<String>,
    extensions: Option<String>,
    origin: Option<String>,
}

impl Upgrade {
    /// The client's key.
    #[must_use]
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The version of the protocol that the client speaks.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The host, with its port if one was named, that the request was sent to.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The subprotocols that the client asks for, most wanted first.
    #[must_use]
    pub fn subprotocols(&self) -> &[String] {
        &self.subprotocols
    }

    /// The value of `Sec-WebSocket-Extensions`, its lines joined, not yet parsed.
    #[must_use]
    pub fn extensions(&self) -> Option<&str> {
        self.extensions.as_deref()
    }

    /// The page that connects, if the client says: `Origin`, or `Sec-WebSocket-Origin` for version 8.
    #[must_use]
    pub fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Begins the answer that opens the connection.
    #[must_use]
    pub fn accept(&self) -> AcceptBuilder<'_> {
        AcceptBuilder::new(self)
    }
}

/// Whether a request asks for a WebSocket at all: GET, `Connection` with `upgrade`, `Upgrade` with `websocket`.
///
/// For routers that send such requests to [`check`] and all others elsewhere.
#[must_use]
pub fn is_upgrade<B>(request: &Request<B>) -> bool {
    request.method() == Method::GET
        && list_contains(request.headers(), &CONNECTION, "upgrade")
        && list_contains(request.headers(), &UPGRADE, "websocket")
}

/// Checks a request against RFC 6455 section 4.2.1 and the policy.
///
/// The first broken rule counts: version of HTTP, method, `Upgrade`, `Connection`, target, `Host`, body, key, version,
/// path, subprotocols, extensions, origin. Linear in the size of the head.
///
/// # Errors
///
/// A [`Refusal`] holds the answer to send and the [`RequestError`] that caused it.
pub fn check<B>(request: &Request<B>, policy: &ServerPolicy) -> Result<Upgrade, Refusal> {
    validate(request, policy).map_err(|error| Refusal::for_versions(error, &policy.versions))
}

fn validate<B>(request: &Request<B>, policy: &ServerPolicy) -> Result<Upgrade, RequestError> {
    let headers = request.headers();
    if request.version() != http::Version::HTTP_11 {
        return Err(RequestError::HttpVersion);
    }
    if request.method() != Method::GET {
        return Err(RequestError::Method);
    }
    check_connection(headers)?;
    let host = effective_host(request.uri(), headers)?;
    check_body(headers)?;
    let key = single(headers, &SEC_WEBSOCKET_KEY).map_err(|_| RequestError::InvalidKey)?;
    let key = key.and_then(|key| key.parse().ok()).ok_or(RequestError::InvalidKey)?;
    let version = check_version(headers, policy)?;
    if policy.path.as_deref().is_some_and(|path| path != request.uri().path()) {
        return Err(RequestError::Path);
    }
    let subprotocols = read_subprotocols(headers)?;
    let extensions =
        joined(headers, &SEC_WEBSOCKET_EXTENSIONS).map_err(|_| RequestError::InvalidExtensions)?;
    let origin = read_origin(headers, version)?;
    if !policy.origins.permits(origin, host) {
        return Err(RequestError::OriginNotPermitted);
    }
    let (host, origin) = (host.to_owned(), origin.map(str::to_owned));
    Ok(Upgrade { key, version, host, subprotocols, extensions, origin })
}

/// RFC 6455 section 4.2.1 points 3 and 4; both fields are lists in any case.
fn check_connection(headers: &HeaderMap) -> Result<(), RequestError> {
    if !headers.contains_key(UPGRADE) {
        Err(RequestError::MissingUpgrade)
    } else if !list_contains(headers, &UPGRADE, "websocket") {
        Err(RequestError::InvalidUpgrade)
    } else if !list_contains(headers, &CONNECTION, "upgrade") {
        Err(RequestError::InvalidConnection)
    } else {
        Ok(())
    }
}

/// The host that was meant: that of an absolute target wins, but `Host` must be there, once and valid
/// (RFC 9112 section 3.2).
fn effective_host<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Result<&'a str, RequestError> {
    let host = single(headers, &HOST).ok().flatten().ok_or(RequestError::InvalidHost)?;
    host::split(host).ok_or(RequestError::InvalidHost)?;
    if !uri.path().starts_with('/') {
        return Err(RequestError::Target);
    }
    let Some(scheme) = uri.scheme_str() else { return Ok(host) };
    let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
    let is_known = ["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    if !is_known || host::split(authority).is_none() {
        return Err(RequestError::Target);
    }
    Ok(authority)
}

/// Bytes behind the head are frames. Who declares a body means something else by them, and a proxy in between would too.
fn check_body(headers: &HeaderMap) -> Result<(), RequestError> {
    let is_empty = headers.get_all(CONTENT_LENGTH).iter().all(|len| len == "0");
    if is_empty && !headers.contains_key(TRANSFER_ENCODING) { Ok(()) } else { Err(RequestError::Body) }
}

fn check_version(headers: &HeaderMap, policy: &ServerPolicy) -> Result<Version, RequestError> {
    let version = single(headers, &SEC_WEBSOCKET_VERSION).ok().flatten();
    version
        .and_then(|version| Version::from_header(version.as_bytes()))
        .filter(|version| policy.versions.contains(version))
        .ok_or(RequestError::UnsupportedVersion)
}

fn read_subprotocols(headers: &HeaderMap) -> Result<Vec<String>, RequestError> {
    match joined(headers, &SEC_WEBSOCKET_PROTOCOL).map_err(|_| RequestError::SubprotocolsNotText)? {
        None => Ok(Vec::new()),
        Some(list) => Ok(subprotocol::parse_subprotocols(&list)?.into_iter().map(str::to_owned).collect()),
    }
}

fn read_origin(headers: &HeaderMap, version: Version) -> Result<Option<&str>, RequestError> {
    let origin = single(headers, &ORIGIN).map_err(|_| RequestError::InvalidOrigin)?;
    let older = single(headers, &SEC_WEBSOCKET_ORIGIN).map_err(|_| RequestError::InvalidOrigin)?;
    Ok(if version == Version::V8 { older.or(origin) } else { origin })
}
