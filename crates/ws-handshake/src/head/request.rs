//! A request's head as bytes, and as an [`http::Request`] for those who look at it.

use core::mem::MaybeUninit;
use core::ops::Deref;
use std::sync::OnceLock;

use bytes::{Bytes, BytesMut};
use http::header::UPGRADE;
use http::{Method, Request, Uri};

use super::{HeadError, header_map, http_version};
use crate::server::check;
use crate::server::fields::{Asked, Fields, Target};
use crate::server::{RequestError, ServerPolicy, Upgrade};

/// Up to this length every head that is well formed has a form as a [`Request`], too: [`Uri`], [`HeaderName`] and
/// [`HeaderMap`] have bounds of their own.
const ORDINARY: usize = 32 * 1024;

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

/// A request that was read, and what the rules of the handshake say of it. Made by
/// [`HeadReader::judge_request`](crate::HeadReader::judge_request).
#[derive(Debug)]
#[non_exhaustive]
pub struct JudgedRequest {
    /// The request.
    pub head: RequestHead,
    /// Whether it has an `Upgrade` header: without one it asks for something else, a page say.
    pub has_upgrade: bool,
    /// What it asks for, or the first rule that it breaks; see [`check`](crate::check).
    pub verdict: Result<Upgrade, RequestError>,
}

/// What the rules say of a head that is well formed. Unless it is an odd one, the parsed lines are enough, and its bytes
/// are yet to be taken out of the buffer.
pub(super) fn judge(head: &[u8], lines: usize, policy: &ServerPolicy) -> Result<JudgedRequest, HeadError> {
    let judged = with_slots(lines, |slots| {
        let mut parsed = httparse::Request::new(&mut []);
        complete(parsed.parse_with_uninit_headers(head, slots), head)?;
        let ordinary = head.len() <= ORDINARY && parsed.method == Some("GET");
        let Some(target) = parsed.path.filter(|_| ordinary).and_then(Target::plain) else { return Ok(None) };
        let mut fields = Fields::default();
        for header in parsed.headers.iter() {
            fields.note(header.name.as_bytes(), header.value);
        }
        let asked = Asked { is_http_11: parsed.version == Some(1), is_get: true, target, fields };
        let verdict = check::judge(&asked, policy);
        Ok(Some(JudgedRequest {
            head: RequestHead::default(),
            has_upgrade: asked.fields.has_upgrade,
            verdict,
        }))
    })?;
    if let Some(judged) = judged {
        return Ok(judged);
    }
    let request = parse(&Bytes::copy_from_slice(head), policy.limits.max_headers)?;
    let (has_upgrade, verdict) = (request.headers().contains_key(UPGRADE), check::validate(&request, policy));
    Ok(JudgedRequest { head: request.into(), has_upgrade, verdict })
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

/// Lends room for the parsed lines of a head: that of an ordinary one is on the stack.
fn with_slots<'b, R>(lines: usize, parse: impl FnOnce(&mut [MaybeUninit<httparse::Header<'b>>]) -> R) -> R {
    const USUAL: usize = 32;
    if lines <= USUAL {
        parse(&mut [const { MaybeUninit::uninit() }; USUAL])
    } else {
        parse(&mut (0..lines).map(|_| MaybeUninit::uninit()).collect::<Vec<_>>())
    }
}

/// The head is one, and nothing else.
fn complete(parsed: httparse::Result<usize>, head: &[u8]) -> Result<(), HeadError> {
    match parsed {
        Ok(httparse::Status::Complete(len)) if len == head.len() => Ok(()),
        Ok(_) => Err(HeadError::StartLine),
        Err(error) => Err(HeadError::from_parser(error, head)),
    }
}

fn parse_target(head: &Bytes, target: &str) -> Result<Uri, HeadError> {
    // `Uri` would drop a fragment silently; a request target has none (RFC 9112 section 3.2).
    if target.contains('#') {
        return Err(HeadError::Target);
    }
    Uri::from_maybe_shared(head.slice_ref(target.as_bytes())).map_err(|_| HeadError::Target)
}
