//! Reading the head of an HTTP/1.1 message from bytes that arrive in any cutting.

mod error;
mod judge;
mod request;
mod scan;
mod usual;

use core::mem;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};

use crate::server::ServerPolicy;
pub use error::HeadError;
pub use judge::JudgedRequest;
pub use request::RequestHead;
use scan::Scanner;

/// How large a head may be, in bytes and in headers.
///
/// ```
/// use ws_handshake::HeadLimits;
///
/// let limits = HeadLimits { max_head: 4 * 1024, ..HeadLimits::default() };
/// assert_eq!(limits.max_headers, 100);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of the whole head, the empty line at its end included. 16 KiB by default.
    pub max_head: usize,
    /// Header lines. 100 by default.
    pub max_headers: usize,
    /// Bytes of a request's first line, without its line break. 8 KiB by default.
    pub max_request_line: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { max_head: 16 * 1024, max_headers: 100, max_request_line: 8 * 1024 }
    }
}

/// Finds the end of a head while its bytes arrive, then parses the head once.
///
/// Every byte is looked at once, however the stream is cut into reads: the reader remembers how far it came. It never
/// takes bytes out of the buffer before the head is whole, and then takes the head alone: what follows it, the first
/// frames perhaps, stays.
///
/// A line ends with CR LF. A bare CR or LF, which RFC 9112 section 2.2 lets a recipient tolerate, is refused: two
/// readers that disagree about where a line ends are what request smuggling is made of.
///
/// ```
/// use bytes::BytesMut;
/// use ws_handshake::{HeadLimits, HeadReader};
///
/// let mut reader = HeadReader::new(HeadLimits::default());
/// let mut buf = BytesMut::from("GET /chat HTTP/1.1\r\nHost: exam");
/// assert!(reader.read_request(&mut buf)?.is_none());
/// buf.extend_from_slice(b"ple.com\r\n\r\nand what follows");
/// let request = reader.read_request(&mut buf)?.expect("the head is whole");
/// assert_eq!(request.uri().path(), "/chat");
/// assert_eq!(buf, "and what follows");
/// # Ok::<(), ws_handshake::HeadError>(())
/// ```
#[derive(Clone, Debug)]
pub struct HeadReader {
    limits: HeadLimits,
    scanner: Scanner,
}

impl HeadReader {
    /// A reader for one head after the other.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits, scanner: Scanner::default() }
    }

    /// Reads a request's head. `None` means that more bytes are needed; append them to the same buffer.
    ///
    /// One empty line in front of the request is passed over, as RFC 9112 section 2.2 asks for.
    ///
    /// # Errors
    ///
    /// [`HeadError`] when the head is malformed or exceeds a limit. The buffer is left as it is, and another call fails
    /// again.
    pub fn read_request(&mut self, buf: &mut BytesMut) -> Result<Option<Request<()>>, HeadError> {
        let Some((head, _)) = self.next_head(buf, Some(self.limits.max_request_line))? else {
            return Ok(None);
        };
        let request = request::parse(&Bytes::copy_from_slice(head), self.limits.max_headers)?;
        self.skip_head(buf);
        Ok(Some(request))
    }

    /// Reads a request's head as [`read_request`](Self::read_request) does, and says what the rules of the handshake make of
    /// it, as [`check`](crate::check) does: for a server that reads the request itself. A request that breaks a rule is no
    /// error here.
    ///
    /// Cheaper than the two, because the map of headers is made for those who look at it: see [`RequestHead`].
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use ws_handshake::{HeadReader, RequestError, ServerPolicy};
    ///
    /// let policy = ServerPolicy::default();
    /// let mut buf = BytesMut::from("GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n");
    /// let judged = HeadReader::new(policy.limits).judge_request(&mut buf, &policy)?.expect("the head is whole");
    /// assert!(!judged.has_upgrade);
    /// assert_eq!(judged.verdict.unwrap_err(), RequestError::MissingUpgrade);
    /// assert_eq!(judged.head.request().uri().path(), "/page");
    /// # Ok::<(), ws_handshake::HeadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`read_request`](Self::read_request).
    pub fn judge_request(
        &mut self,
        buf: &mut BytesMut,
        policy: &ServerPolicy,
    ) -> Result<Option<JudgedRequest>, HeadError> {
        if self.scanner.is_new()
            && let Some((mut judged, len)) = usual::judge_usual(buf, &self.limits, policy)
        {
            judged.head = judged.head.with_bytes(take(buf, len));
            return Ok(Some(judged));
        }
        let max_line = Some(self.limits.max_request_line);
        let Some((head, lines)) = self.next_head(buf, max_line)? else { return Ok(None) };
        let mut judged = judge::judge(head, lines, self.limits.max_headers, policy)?;
        judged.head = judged.head.with_bytes(self.take_head(buf));
        Ok(Some(judged))
    }

    /// Reads a response's head. `None` means that more bytes are needed; append them to the same buffer.
    ///
    /// # Errors
    ///
    /// [`HeadError`] when the head is malformed or exceeds a limit. The buffer is left as it is, and another call fails
    /// again.
    pub fn read_response(&mut self, buf: &mut BytesMut) -> Result<Option<Response<()>>, HeadError> {
        let Some((head, lines)) = self.next_head(buf, None)? else { return Ok(None) };
        let head = Bytes::copy_from_slice(head);
        let mut slots = vec![httparse::EMPTY_HEADER; lines];
        let mut parsed = httparse::Response::new(&mut slots);
        match parsed.parse(&head) {
            Ok(httparse::Status::Complete(len)) if len == head.len() => {}
            Ok(_) => return Err(HeadError::StartLine),
            Err(error) => return Err(HeadError::from_parser(error, &head)),
        }
        let (Some(code), Some(version)) = (parsed.code, parsed.version) else {
            return Err(HeadError::StartLine);
        };
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(code).map_err(|_| HeadError::StartLine)?;
        *response.version_mut() = http_version(version);
        *response.headers_mut() = header_map(&head, parsed.headers, self.limits.max_headers)?;
        self.skip_head(buf);
        Ok(Some(response))
    }

    /// The whole head, and how many header lines it has.
    fn next_head<'b>(
        &mut self,
        buf: &'b BytesMut,
        max_line: Option<usize>,
    ) -> Result<Option<(&'b [u8], usize)>, HeadError> {
        let Some(end) = self.scanner.advance(buf, &self.limits, max_line)? else { return Ok(None) };
        let head = buf.get(self.scanner.start()..end).unwrap_or_default();
        Ok(Some((head, self.scanner.header_lines())))
    }

    /// Begins anew behind the head.
    fn skip_head(&mut self, buf: &mut BytesMut) {
        buf.advance(self.scanner.end().min(buf.len()));
        self.scanner = Scanner::default();
    }

    /// The same, and the head is kept.
    fn take_head(&mut self, buf: &mut BytesMut) -> BytesMut {
        let mut head = take(buf, self.scanner.end());
        head.advance(self.scanner.start().min(head.len()));
        self.scanner = Scanner::default();
        head
    }
}

/// Takes so many bytes out of the buffer: with the buffer itself where they are all that is in there.
fn take(buf: &mut BytesMut, len: usize) -> BytesMut {
    if len >= buf.len() { mem::take(buf) } else { buf.split_to(len) }
}

/// The headers, their values slices of the head and not copies of it.
fn header_map(
    head: &Bytes,
    parsed: &[httparse::Header<'_>],
    max_headers: usize,
) -> Result<HeaderMap, HeadError> {
    let mut headers = HeaderMap::with_capacity(parsed.len().min(64));
    for header in parsed {
        let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| HeadError::Header)?;
        let value =
            HeaderValue::from_maybe_shared(head.slice_ref(header.value)).map_err(|_| HeadError::Header)?;
        headers.try_append(name, value).map_err(|_| HeadError::TooManyHeaders { limit: max_headers })?;
    }
    Ok(headers)
}

/// The parser knows the minor versions 0 and 1 of HTTP/1 alone.
fn http_version(minor: u8) -> http::Version {
    if minor == 0 { http::Version::HTTP_10 } else { http::Version::HTTP_11 }
}
