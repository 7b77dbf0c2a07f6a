use http::header::{CONNECTION, UPGRADE};
use http::{Method, Request};

use super::fields::{Asked, Fields, Target};
use super::named_host::NamedHost;
use super::{AcceptBuilder, Refusal, RequestError, ServerPolicy};
use crate::header::list_contains;
use crate::{Key, Version, host, subprotocol};

/// A request that asks for a WebSocket and breaks no rule: what it says, and the way to accept it.
///
/// Made by [`check`]. Extensions are handed on unparsed: whoever implements them answers them.
#[derive(Clone, Debug)]
pub struct Upgrade {
    key: Key,
    version: Version,
    host: NamedHost,
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
        self.host.as_str()
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
        && list_contains(request.headers(), &CONNECTION, b"upgrade")
        && list_contains(request.headers(), &UPGRADE, b"websocket")
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
    validate(request, policy).map_err(|error| Refusal::of(error, policy))
}

pub(crate) fn validate<B>(request: &Request<B>, policy: &ServerPolicy) -> Result<Upgrade, RequestError> {
    judge(&Asked::of(request), policy)
}

/// The rules themselves.
pub(crate) fn judge(asked: &Asked<'_>, policy: &ServerPolicy) -> Result<Upgrade, RequestError> {
    let Asked { is_http_11, is_get, target, fields } = asked;
    if !is_http_11 {
        return Err(RequestError::HttpVersion);
    }
    if !is_get {
        return Err(RequestError::Method);
    }
    check_connection(fields)?;
    let host = effective_host(target, fields)?;
    // Bytes behind the head are frames. Who declares a body means something else by them, and a proxy in between would
    // too.
    if fields.declares_body {
        return Err(RequestError::Body);
    }
    let key = fields.key.one().and_then(|key| Key::try_from(key).ok()).ok_or(RequestError::InvalidKey)?;
    let version = check_version(fields, policy)?;
    if policy.path.as_deref().is_some_and(|path| path != target.path) {
        return Err(RequestError::Path);
    }
    let subprotocols = read_subprotocols(fields)?;
    let extensions = fields.extensions.joined().map_err(|_| RequestError::InvalidExtensions)?;
    let origin = read_origin(fields, version)?;
    // A request without an origin always passes, and its host need not be looked at as text.
    if origin.is_some() && !str::from_utf8(host).is_ok_and(|host| policy.origins.permits(origin, host)) {
        return Err(RequestError::OriginNotPermitted);
    }
    let (host, origin) = (NamedHost::new(host), origin.map(str::to_owned));
    Ok(Upgrade { key, version, host, subprotocols, extensions, origin })
}

/// RFC 6455 section 4.2.1 points 3 and 4; both fields are lists in any case.
fn check_connection(fields: &Fields<'_>) -> Result<(), RequestError> {
    if !fields.has_upgrade {
        Err(RequestError::MissingUpgrade)
    } else if !fields.upgrades_to_websocket {
        Err(RequestError::InvalidUpgrade)
    } else if !fields.connection_upgrades {
        Err(RequestError::InvalidConnection)
    } else {
        Ok(())
    }
}

/// The host that was meant: that of an absolute target wins, but `Host` must be there, once and valid
/// (RFC 9112 section 3.2).
fn effective_host<'a>(target: &Target<'a>, fields: &Fields<'a>) -> Result<&'a [u8], RequestError> {
    let host = fields.host.one().filter(|host| host::measure(host).is_some());
    let host = host.ok_or(RequestError::InvalidHost)?;
    if !target.path.starts_with('/') {
        return Err(RequestError::Target);
    }
    let Some((scheme, authority)) = target.absolute else { return Ok(host) };
    let is_known = ["http", "https", "ws", "wss"].iter().any(|known| known.eq_ignore_ascii_case(scheme));
    if !is_known || host::split(authority).is_none() {
        return Err(RequestError::Target);
    }
    Ok(authority.as_bytes())
}

fn check_version(fields: &Fields<'_>, policy: &ServerPolicy) -> Result<Version, RequestError> {
    let version = fields.version.one();
    version
        .and_then(Version::from_header)
        .filter(|version| policy.versions.contains(version))
        .ok_or(RequestError::UnsupportedVersion)
}

fn read_subprotocols(fields: &Fields<'_>) -> Result<Vec<String>, RequestError> {
    match fields.subprotocols.joined().map_err(|_| RequestError::SubprotocolsNotText)? {
        None => Ok(Vec::new()),
        Some(list) => Ok(subprotocol::parse_subprotocols(&list)?.into_iter().map(str::to_owned).collect()),
    }
}

fn read_origin<'a>(fields: &Fields<'a>, version: Version) -> Result<Option<&'a str>, RequestError> {
    let origin = fields.origin.text().map_err(|_| RequestError::InvalidOrigin)?;
    let older = fields.older_origin.text().map_err(|_| RequestError::InvalidOrigin)?;
    Ok(if version == Version::V8 { older.or(origin) } else { origin })
}
