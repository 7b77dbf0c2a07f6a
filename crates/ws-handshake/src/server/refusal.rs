use core::fmt;

use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{Response, StatusCode};

use super::{RequestError, ServerPolicy};
use crate::Version;
use crate::field::{self, InvalidHeader};
use crate::head::HeadError;

/// What frames the answer and ends the connection.
const RESERVED: [HeaderName; 3] = [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING];

/// The answer to a request that does not become a connection: status, headers, and a line of text that says why.
///
/// The connection ends behind it: `Connection: close`.
///
/// ```
/// use http::StatusCode;
/// use ws_handshake::{Refusal, write_response};
///
/// let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "log in first").header("www-authenticate", "Basic")?;
/// assert!(write_response(refusal.response()).starts_with(b"HTTP/1.1 401 Unauthorized\r\n"));
/// # Ok::<(), ws_handshake::InvalidHeader>(())
/// ```
#[derive(Debug)]
pub struct Refusal {
    // Boxed: it is the rare side of a `Result`.
    response: Box<Response<String>>,
    cause: Option<RequestError>,
}

impl Refusal {
    /// A refusal for a reason of your own: 401, 403 and the like. A line break is put behind the text.
    ///
    /// A status from 100 to 199 would not end the exchange; 500 takes its place.
    #[must_use]
    pub fn new(status: StatusCode, reason: impl fmt::Display) -> Self {
        let body = format!("{reason}\n");
        let mut response = Response::new(String::new());
        *response.status_mut() =
            if status.is_informational() { StatusCode::INTERNAL_SERVER_ERROR } else { status };
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *response.body_mut() = body;
        Self { response: Box::new(response), cause: None }
    }

    /// The answer to a request that breaks this rule of this server's.
    #[must_use]
    pub fn of(error: RequestError, policy: &ServerPolicy) -> Self {
        Self::for_versions(error, &policy.versions)
    }

    /// The refusal of a server that speaks `versions`, which it names where that helps.
    pub(super) fn for_versions(error: RequestError, versions: &[Version]) -> Self {
        let mut refusal = Self::new(error.status(), error);
        refusal.cause = Some(error);
        let headers = refusal.response.headers_mut();
        if error == RequestError::Method {
            // RFC 9110 section 15.5.6.
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        if error == RequestError::MissingUpgrade {
            // RFC 9110 section 15.5.22; and section 7.8: who sends Upgrade names it in Connection.
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
            headers.insert(CONNECTION, HeaderValue::from_static("close, Upgrade"));
        }
        if matches!(error, RequestError::MissingUpgrade | RequestError::UnsupportedVersion) {
            // RFC 6455 section 4.4.
            let list: Vec<_> = versions.iter().map(|version| version.as_str()).collect();
            if let Ok(list) = HeaderValue::try_from(list.join(", ")) {
                headers.insert(SEC_WEBSOCKET_VERSION, list);
            }
        }
        refusal
    }

    /// Adds a header.
    ///
    /// # Errors
    ///
    /// [`InvalidHeader`] for `Connection` and those that frame the body, for what cannot be sent, and for more than
    /// [`MAX_ADDED_HEADERS`](crate::MAX_ADDED_HEADERS).
    pub fn header<N, V>(mut self, name: N, value: V) -> Result<Self, InvalidHeader>
    where
        N: TryInto<HeaderName, Error: Into<http::Error>>,
        V: TryInto<HeaderValue, Error: Into<http::Error>>,
    {
        let (name, value) = field::parse(name, value, &RESERVED)?;
        field::append(self.response.headers_mut(), name, value)?;
        Ok(self)
    }

    /// The rule that the request broke; `None` for a refusal made with [`new`](Self::new).
    #[must_use]
    pub fn cause(&self) -> Option<RequestError> {
        self.cause
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The answer, as [`write_response`](crate::write_response) takes it.
    #[must_use]
    pub fn response(&self) -> &Response<String> {
        &self.response
    }

    /// The answer, as an HTTP server takes it.
    #[must_use]
    pub fn into_response(self) -> Response<String> {
        *self.response
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::for_versions(error, &ServerPolicy::default().versions)
    }
}

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        RequestError::Head(error).into()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused with {}: {}", self.status(), self.response.body().trim_end())
    }
}

impl std::error::Error for Refusal {}
