//! A request's head as bytes, and as an [`http::Request`] for those who look at it.

use core::ops::Deref;
use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Uri};

use super::judge::{complete, with_slots};
use super::{HeadError, header_map, http_version};

/// A request's head, of which the [`Request`] is made when it is first looked at: most servers look at few, and a map of
/// headers costs more than all that the handshake itself needs to know.
///
/// Until then it holds the buffer that the head was read into.
///
/// ```
/// use http::Request;
/// use ws_handshake::RequestHead;
///
/// let head = RequestHead::from(Request::get("/chat").body(())?);
/// assert_eq!(head.request().uri(), "/chat");
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    /// Empty where it came as a request.
    bytes: BytesMut,
    seen: OnceLock<Box<Request<()>>>,
    /// In place of the others, once it is somebody's to change.
    own: Option<Box<Request<()>>>,
}

impl RequestHead {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.own.as_ref().unwrap_or_else(|| self.seen.get_or_init(|| self.make()))
    }

    /// The request, to put something into its extensions.
    pub fn request_mut(&mut self) -> &mut Request<()> {
        let made = self.own.take().or_else(|| self.seen.take()).unwrap_or_else(|| self.make());
        self.own.insert(made)
    }

    /// The request, to be kept: it has its head in memory of its own.
    #[must_use]
    pub fn into_request(mut self) -> Box<Request<()>> {
        self.own.take().or_else(|| self.seen.take()).unwrap_or_else(|| self.make())
    }

    /// The same head with its bytes, which were found to be well formed, unless it is a request already.
    pub(super) fn with_bytes(self, bytes: BytesMut) -> Self {
        if self.own.is_some() { self } else { Self { bytes, ..self } }
    }

    fn make(&self) -> Box<Request<()>> {
        // A copy, so that headers which are kept do not keep the read buffer. It was read before, and nothing in it can have
        // become wrong.
        Box::new(parse(&Bytes::copy_from_slice(&self.bytes), usize::MAX).unwrap_or_default())
    }
}

/// Makes the request, as [`RequestHead::request`] does.
impl Deref for RequestHead {
    type Target = Request<()>;

    fn deref(&self) -> &Request<()> {
        self.request()
    }
}

impl From<Request<()>> for RequestHead {
    fn from(request: Request<()>) -> Self {
        Self { own: Some(Box::new(request)), ..Self::default() }
    }
}

/// The request of a whole head, its headers slices of it.
pub(super) fn parse(head: &Bytes, max_headers: usize) -> Result<Request<()>, HeadError> {
    // One line is not a header, and one is empty.
    let lines = head.iter().filter(|&&byte| byte == b'\n').count();
    with_slots(lines, |slots| {
        let mut parsed = httparse::Request::new(&mut []);
        complete(parsed.parse_with_uninit_headers(head, slots), head)?;
        let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
            return Err(HeadError::StartLine);
        };
        let mut request = Request::new(());
        *request.method_mut() = Method::from_bytes(method.as_bytes()).map_err(|_| HeadError::StartLine)?;
        *request.uri_mut() = parse_target(head, target)?;
        *request.version_mut() = http_version(version);
        *request.headers_mut() = header_map(head, parsed.headers, max_headers)?;
        Ok(request)
    })
}

fn parse_target(head: &Bytes, target: &str) -> Result<Uri, HeadError> {
    // `Uri` would drop a fragment silently; a request target has none (RFC 9112 section 3.2).
    if target.contains('#') {
        return Err(HeadError::Target);
    }
    Uri::from_maybe_shared(head.slice_ref(target.as_bytes())).map_err(|_| HeadError::Target)
}
