use http::Request;
use http::uri::{Authority, Uri};

use crate::header::{NotOne, is_word, join, line_contains, text};

/// A request as the rules look at it, whoever has parsed it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) is_http_11: bool,
    pub(crate) is_get: bool,
    pub(crate) target: Target<'a>,
    pub(crate) fields: Fields<'a>,
}

/// Where a request is sent to.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    /// Without the query. Empty, or anything else than a path, where the target has none.
    pub(crate) path: &'a str,
    /// Scheme and authority of an absolute target.
    pub(crate) absolute: Option<(&'a str, &'a str)>,
}

/// The header fields that the rules look at, sorted out of a head in one pass.
#[derive(Debug, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) has_upgrade: bool,
    pub(crate) upgrades_to_websocket: bool,
    pub(crate) connection_upgrades: bool,
    pub(crate) declares_body: bool,
    pub(crate) host: Once<'a>,
    pub(crate) key: Once<'a>,
    pub(crate) version: Once<'a>,
    pub(crate) origin: Once<'a>,
    /// That of version 8.
    pub(crate) older_origin: Once<'a>,
    pub(crate) subprotocols: List<'a>,
    pub(crate) extensions: List<'a>,
}

/// A field that may occur at most once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Once<'a> {
    #[default]
    Absent,
    One(&'a [u8]),
    Repeated,
}

/// A list field, whose lines may be joined.
#[derive(Debug, Default)]
pub(crate) struct List<'a> {
    first: Option<&'a [u8]>,
    others: Vec<&'a [u8]>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of<B>(request: &'a Request<B>) -> Self {
        let mut fields = Fields::default();
        for (name, value) in request.headers() {
            let _is_known = fields.note(name.as_str().as_bytes(), value.as_bytes());
        }
        Self {
            is_http_11: request.version() == http::Version::HTTP_11,
            is_get: request.method() == http::Method::GET,
            target: Target::of(request.uri()),
            fields,
        }
    }
}

impl<'a> Target<'a> {
    fn of(uri: &'a Uri) -> Self {
        let authority = uri.authority().map(Authority::as_str).unwrap_or_default();
        Self { path: uri.path(), absolute: uri.scheme_str().map(|scheme| (scheme, authority)) }
    }

    /// A path, with a query perhaps, of bytes that mean in every reading what they are.
    pub(crate) fn plain(target: &'a str) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~?=&%+:,;@!$*".contains(&byte);
        let path = target.split('?').next()?;
        (path.starts_with('/') && target.bytes().all(is_plain)).then_some(Self { path, absolute: None })
    }
}

impl<'a> Fields<'a> {
    /// Takes in a header line. What the rules do not look at is passed over; says whether they do.
    #[inline]
    pub(crate) fn note(&mut self, name: &[u8], value: &'a [u8]) -> bool {
        match name.len() {
            4 if is_word(name, b"host") => self.host.note(value),
            6 if is_word(name, b"origin") => self.origin.note(value),
            7 if is_word(name, b"upgrade") => {
                self.has_upgrade = true;
                self.upgrades_to_websocket |= line_contains(value, b"websocket");
            }
            10 if is_word(name, b"connection") => {
                self.connection_upgrades |= line_contains(value, b"upgrade");
            }
            14 if is_word(name, b"content-length") => self.declares_body |= value != b"0",
            17 if is_word(name, b"sec-websocket-key") => self.key.note(value),
            17 if is_word(name, b"transfer-encoding") => self.declares_body = true,
            20 if is_word(name, b"sec-websocket-origin") => self.older_origin.note(value),
            21 if is_word(name, b"sec-websocket-version") => self.version.note(value),
            22 if is_word(name, b"sec-websocket-protocol") => self.subprotocols.note(value),
            24 if is_word(name, b"sec-websocket-extensions") => self.extensions.note(value),
            _ => return false,
        }
        true
    }
}

impl<'a> Once<'a> {
    fn note(&mut self, value: &'a [u8]) {
        *self = if matches!(self, Self::Absent) { Self::One(value) } else { Self::Repeated };
    }

    /// The value where it is the only one.
    pub(crate) fn one(self) -> Option<&'a [u8]> {
        if let Self::One(value) = self { Some(value) } else { None }
    }

    /// The value, if there is one; it must be text.
    pub(crate) fn text(self) -> Result<Option<&'a str>, NotOne> {
        match self {
            Self::Absent => Ok(None),
            Self::One(value) => text(value).map(Some),
            Self::Repeated => Err(NotOne),
        }
    }
}

impl<'a> List<'a> {
    fn note(&mut self, line: &'a [u8]) {
        if self.first.is_none() {
            self.first = Some(line);
        } else {
            self.others.push(line);
        }
    }

    /// All lines as one.
    pub(crate) fn joined(&self) -> Result<Option<String>, NotOne> {
        join(self.first.iter().chain(&self.others).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_for_a_plain_target_is_what_a_uri_makes_of_it() {
        for target in ["/", "/chat", "/a/b%20c", "/?q", "/chat?x=1&y=/?", "//host/path", "/a:b@c;d,e+f!g$h*"]
        {
            let uri: Uri = target.parse().unwrap();
            let (plain, full) = (Target::plain(target).unwrap(), Target::of(&uri));
            assert_eq!((plain.path, plain.absolute), (full.path, full.absolute), "{target}");
        }
        for target in ["", "*", "chat", "http://a/", "/a#b", "/a b", "/\u{e9}", "/\"", "/a\\b", "/<", "?x"] {
            assert!(Target::plain(target).is_none(), "{target}");
        }
    }

    #[test]
    fn a_field_is_known_in_any_case_and_repetition_is_noticed() {
        let mut fields = Fields::default();
        for (name, value) in [
            ("HOST", "a"),
            ("Sec-WebSocket-Key", "k"),
            ("sec-websocket-KEY", "k"),
            ("sec-websocket-keys", "no field of ours"),
            ("Upgrade", "h2c, WebSocket"),
            ("Connection", "keep-alive"),
            ("connection", "Upgrade"),
            ("Sec-WebSocket-Protocol", "a"),
            ("Sec-WebSocket-Protocol", "b, c"),
            ("Content-Length", "0"),
        ] {
            let _is_known = fields.note(name.as_bytes(), value.as_bytes());
        }
        assert_eq!(fields.host.text().unwrap(), Some("a"));
        assert!(fields.key.text().is_err());
        assert!(fields.has_upgrade && fields.upgrades_to_websocket && fields.connection_upgrades);
        assert_eq!(fields.subprotocols.joined().unwrap().as_deref(), Some("a, b, c"));
        assert!(fields.extensions.joined().unwrap().is_none() && !fields.declares_body);
    }
}
