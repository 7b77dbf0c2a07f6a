//! The body of an answer that opened nothing: what the server has to say about it, as far as there is room.

mod chunked;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use http::{Response, StatusCode};

use crate::header::trim;
use chunked::{Chunk, Chunked};

/// How many bytes of a body are worth keeping: 64 KiB.
pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024;

/// Where the body of an answer ends (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyLength {
    /// There is none: because of the status, or because the length is not valid and nothing behind the head can be
    /// relied on.
    Empty,
    /// So many bytes.
    Known(u64),
    /// In chunks, the last of which is marked.
    Chunked,
    /// All that comes until the end of the stream.
    UntilEnd,
}

/// Where the body of this answer to a GET or CONNECT ends. A transfer coding wins over a length.
#[must_use]
pub fn body_length(response: &Response<()>) -> BodyLength {
    let status = response.status();
    if status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return BodyLength::Empty;
    }
    let headers = response.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        let mut codings =
            headers.get_all(TRANSFER_ENCODING).iter().flat_map(|line| line.as_bytes().split(|&b| b == b','));
        let is_chunked = codings.next_back().is_some_and(|last| trim(last).eq_ignore_ascii_case(b"chunked"));
        return if is_chunked { BodyLength::Chunked } else { BodyLength::UntilEnd };
    }
    match content_length(headers) {
        None => BodyLength::UntilEnd,
        Some(Some(0) | None) => BodyLength::Empty,
        Some(Some(len)) => BodyLength::Known(len),
    }
}

/// `Content-Length`, `Some(None)` when it is none. The same value may be repeated (RFC 9110 section 8.6).
fn content_length(headers: &HeaderMap) -> Option<Option<u64>> {
    let lines = headers.get_all(CONTENT_LENGTH).iter();
    let mut values = lines.flat_map(|line| line.as_bytes().split(|&b| b == b',')).map(trim);
    let first = values.next()?;
    if values.any(|value| value != first) || !first.iter().all(u8::is_ascii_digit) {
        return Some(None);
    }
    Some(core::str::from_utf8(first).ok().and_then(|digits| digits.parse().ok()))
}

/// A body, or its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResponseBody {
    /// The bytes, out of their chunks; a content coding is left as it is.
    pub bytes: Bytes,
    /// Whether there was more: beyond the limit, behind the end of the stream, or behind a malformed chunk.
    pub is_truncated: bool,
}

/// Collects the body of an answer, for an error that shows it, within a limit.
///
/// It holds no more than the limit and takes no more than the body from the buffer. Each byte is looked at once. When
/// nothing more is to be waited for, [`end_of_stream`](Self::end_of_stream) gives what there is.
///
/// ```
/// use bytes::BytesMut;
/// use http::Response;
/// use ws_handshake::{BodyCollector, DEFAULT_BODY_LIMIT};
///
/// let response = Response::builder().status(403).header("content-length", 10).body(())?;
/// let mut collector = BodyCollector::new(&response, DEFAULT_BODY_LIMIT);
/// assert!(collector.receive(&mut BytesMut::from("not fr")).is_none());
/// let body = collector.receive(&mut BytesMut::from("om h")).expect("it came whole");
/// assert_eq!((&body.bytes[..], body.is_truncated), (&b"not from h"[..], false));
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug)]
pub struct BodyCollector {
    framing: Framing,
    collected: Collected,
    /// Set once, when the body is over.
    finished: Option<ResponseBody>,
}

#[derive(Debug)]
enum Framing {
    Known(u64),
    Chunked(Chunked),
    UntilEnd,
}

impl BodyCollector {
    /// A collector of this answer's body, of up to `limit` bytes.
    #[must_use]
    pub fn new(response: &Response<()>, limit: usize) -> Self {
        let framing = match body_length(response) {
            BodyLength::Empty => Framing::Known(0),
            BodyLength::Known(len) => Framing::Known(len),
            BodyLength::Chunked => Framing::Chunked(Chunked::default()),
            BodyLength::UntilEnd => Framing::UntilEnd,
        };
        Self { framing, collected: Collected { limit, bytes: BytesMut::new() }, finished: None }
    }

    /// Takes the body's bytes out of what has been received. `None` means that more are needed; the body comes once it is
    /// whole, or once there is more of it than the limit, and again with every further call.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Option<ResponseBody> {
        if self.finished.is_none() {
            let end = match &mut self.framing {
                Framing::Known(left) => {
                    *left -= self.collected.take(*left, buf);
                    (*left == 0).then_some(false)
                }
                Framing::Chunked(chunked) => in_chunks(chunked, &mut self.collected, buf),
                Framing::UntilEnd => {
                    self.collected.take(u64::MAX, buf);
                    // A full collector has no end as long as nothing shows that there is more.
                    (!buf.is_empty()).then_some(true)
                }
            };
            let is_short =
                matches!(self.framing, Framing::Known(left) if left > 0) && self.collected.is_full();
            let end = end.or(is_short.then_some(true));
            if let Some(is_truncated) = end {
                self.finish(is_truncated);
            }
        }
        self.finished.clone()
    }

    /// What there is of the body when nothing more comes, or nothing more is waited for.
    #[must_use]
    pub fn end_of_stream(&mut self) -> ResponseBody {
        if self.finished.is_none() {
            let is_whole = matches!(self.framing, Framing::UntilEnd | Framing::Known(0));
            self.finish(!is_whole);
        }
        self.finished.clone().unwrap_or_default()
    }

    fn finish(&mut self, is_truncated: bool) {
        let bytes = core::mem::take(&mut self.collected.bytes).freeze();
        self.finished = Some(ResponseBody { bytes, is_truncated });
    }
}

/// Whether the body is over, and whether it is truncated then.
fn in_chunks(chunked: &mut Chunked, collected: &mut Collected, buf: &mut BytesMut) -> Option<bool> {
    loop {
        match chunked.advance(buf) {
            Chunk::NeedBytes => return None,
            Chunk::End => return Some(false),
            Chunk::Malformed => return Some(true),
            // There is more in this chunk.
            Chunk::Data(_) if collected.is_full() => return Some(true),
            Chunk::Data(_) if buf.is_empty() => return None,
            Chunk::Data(left) => chunked.consume(collected.take(left, buf)),
        }
    }
}

/// Bytes up to a limit.
#[derive(Debug)]
struct Collected {
    limit: usize,
    bytes: BytesMut,
}

impl Collected {
    fn is_full(&self) -> bool {
        self.bytes.len() >= self.limit
    }

    /// Takes up to `max` bytes out of `buf`, as many as there is room for; tells how many.
    fn take(&mut self, max: u64, buf: &mut BytesMut) -> u64 {
        let room = self.limit.saturating_sub(self.bytes.len()).min(buf.len());
        let len = usize::try_from(max).unwrap_or(usize::MAX).min(room);
        self.bytes.extend_from_slice(&buf.split_to(len));
        len as u64
    }
}
