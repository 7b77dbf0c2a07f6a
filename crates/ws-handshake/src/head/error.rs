use http::StatusCode;

/// A head that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The head is larger than [`max_head`](crate::HeadLimits::max_head).
    #[error("the head is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The head has more lines than [`max_headers`](crate::HeadLimits::max_headers).
    #[error("the head has more than {limit} headers")]
    TooManyHeaders {
        /// The limit, in lines.
        limit: usize,
    },
    /// The first line is longer than [`max_request_line`](crate::HeadLimits::max_request_line).
    #[error("the request line is longer than {limit} bytes")]
    RequestLineTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A bare CR or LF.
    #[error("a line does not end with CR LF")]
    LineBreak,
    /// A byte that stands in no head, NUL for one. TLS spoken to a plain port ends here.
    #[error("the head holds a control character")]
    ControlCharacter,
    /// The first line is not the one of an HTTP/1.1 message.
    #[error("the first line is not the one of an HTTP/1.1 message")]
    StartLine,
    /// The request target is no URI.
    #[error("the request target is not valid")]
    Target,
    /// A header line that RFC 9112 section 5 does not allow, a folded one among them.
    #[error("a header is malformed")]
    Header,
    /// A version of HTTP that is not read here, the preface of HTTP/2 among them.
    #[error("only HTTP/1.1 is spoken here")]
    HttpVersion,
}

impl HeadError {
    /// The status that a server answers with.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. } | Self::TooManyHeaders { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Self::RequestLineTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::LineBreak | Self::ControlCharacter | Self::StartLine | Self::Target | Self::Header => {
                StatusCode::BAD_REQUEST
            }
            Self::HttpVersion => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    pub(super) fn from_parser(error: httparse::Error, head: &[u8]) -> Self {
        match error {
            httparse::Error::Version if names_http_version(head) => Self::HttpVersion,
            httparse::Error::HeaderName | httparse::Error::HeaderValue | httparse::Error::TooManyHeaders => {
                Self::Header
            }
            _ => Self::StartLine,
        }
    }
}

/// Whether the first line is well formed but for a version that is not read here: `HTTP/` digit `.` digit at the end of
/// a request line's three words, or at the start of a status line (RFC 9112 sections 2.3, 3 and 4).
fn names_http_version(head: &[u8]) -> bool {
    let line = head.split(|&b| b == b'\r').next().unwrap_or_default();
    let mut words = line.splitn(4, |&b| b == b' ');
    let version = match (words.next(), words.next(), words.next(), words.next()) {
        (Some(first), ..) if first.starts_with(b"HTTP/") => first,
        (_, _, Some(third), None) => third,
        _ => return false,
    };
    match version.strip_prefix(b"HTTP/") {
        Some([b'1', b'.', b'0' | b'1']) => false,
        Some([major, b'.', minor]) => major.is_ascii_digit() && minor.is_ascii_digit(),
        _ => false,
    }
}
