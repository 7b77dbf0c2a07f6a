use http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, LOCATION, PROXY_AUTHORIZATION};
use http::{HeaderValue, Response, StatusCode};

use super::reference::Reference;
use super::{ClientRequest, ClientRequestError};

/// What is for one server, and not told to another one.
pub(super) const CONFIDENTIAL: [HeaderName; 4] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, HOST];

/// A redirect that is not followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedirectError {
    /// The answer's status is none of 301, 302, 303, 307 and 308: it is an answer like any other.
    #[error("the status {0} is not one of a redirect")]
    NotARedirect(StatusCode),
    /// `Location` is missing or empty, or occurs more than once.
    #[error("the redirect does not name exactly one target")]
    Location,
    /// The target has user information. RFC 9110 section 4.2.4: from an untrusted source, treat it as an error.
    #[error("the redirect's target has user information, which only the caller may choose")]
    UserInfo,
    /// The target is no address that a request can go to: another scheme, a fragment, no host.
    #[error("the redirect's target cannot be used: {0}")]
    Target(#[from] ClientRequestError),
    /// There were as many redirects as may be followed.
    #[error("more than {limit} redirects")]
    TooMany {
        /// The limit, in redirects.
        limit: usize,
    },
}

/// Where a redirect leads: the request to send next, and how it differs from the one before.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Redirect {
    /// The request to the new target. What the caller set is kept, but for what was dropped.
    pub request: ClientRequest,
    /// The status of the answer that redirects.
    pub status: StatusCode,
    /// The headers that are not sent to the new target, each named once: empty as long as the server stays the same and
    /// TLS is not left. User information in the address and Basic authorization count as `Authorization`.
    pub dropped: Vec<HeaderName>,
    /// Whether host and port, or the Unix socket, are those of the request before. Default ports are left out of the
    /// comparison: `ws://example.com` and `wss://example.com` are the same.
    pub is_same_server: bool,
    /// Whether the request before went over TLS and this one does not.
    pub is_downgrade: bool,
}

/// Whether an answer asks to be sought elsewhere: 301, 302, 303, 307 or 308, with a `Location`.
#[must_use]
pub fn is_redirect(response: &Response<()>) -> bool {
    is_redirect_status(response.status()) && response.headers().contains_key(LOCATION)
}

fn is_redirect_status(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

impl ClientRequest {
    /// The request that a redirecting answer asks for (RFC 9110 sections 10.2.2 and 15.4). The target may be relative,
    /// and its scheme `http`, `https`, `ws`, `wss` or `ws+unix`.
    ///
    /// Credentials stay where they were meant for: when host, port or the kind of socket change, or TLS is left,
    /// `Authorization` (the address's user information and [`basic_auth`](Self::basic_auth) included), `Cookie`,
    /// `Proxy-Authorization` and a `Host` of the caller's are dropped. Everything else is kept; a header of the caller's
    /// own that is a secret can be taken out with [`without_header`](Self::without_header).
    ///
    /// How many redirects are followed is the caller's to count: see [`Redirects`].
    ///
    /// ```
    /// use http::Response;
    /// use ws_handshake::ClientRequest;
    ///
    /// let request = ClientRequest::new("wss://user:secret@example.com/a/b")?;
    /// let answer = Response::builder().status(302).header("location", "https://example.net/c").body(())?;
    /// let redirect = request.redirected(&answer)?;
    /// assert_eq!(redirect.request.address(), "wss://example.net/c");
    /// assert_eq!(redirect.dropped, ["authorization"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RedirectError`] when the answer is no redirect, or its target none that can be used.
    pub fn redirected(&self, response: &Response<()>) -> Result<Redirect, RedirectError> {
        let status = response.status();
        if !is_redirect_status(status) {
            return Err(RedirectError::NotARedirect(status));
        }
        let mut locations = response.headers().get_all(LOCATION).iter();
        let location = match (locations.next(), locations.next()) {
            (Some(location), None) if !location.is_empty() => ascii(location),
            _ => return Err(RedirectError::Location),
        };
        if location.contains('#') {
            return Err(ClientRequestError::Fragment.into());
        }
        let reference = Reference::parse(&location);
        if reference.authority.is_some_and(|authority| authority.contains('@')) {
            return Err(RedirectError::UserInfo);
        }
        let target = self.target.resolve(&reference)?;
        let is_same_server = target.is_same_server(&self.target);
        let is_downgrade = self.target.tls && !target.tls;

        let mut request = self.clone();
        let kept = self.target.authorization.clone();
        request.target = target;
        request.target.authorization = kept;
        let is_safe = is_same_server && !is_downgrade;
        let dropped = if is_safe { Vec::new() } else { request.drop_confidential() };
        Ok(Redirect { request, status, dropped, is_same_server, is_downgrade })
    }

    /// Takes out what only the old server may know; tells what there was.
    fn drop_confidential(&mut self) -> Vec<HeaderName> {
        let mut has_authorization = self.target.authorization.take().is_some();
        has_authorization |= self.authorization.take().is_some();
        let mut dropped = Vec::new();
        for name in CONFIDENTIAL {
            let was_set = self.headers.remove(&name).is_some();
            if was_set || (name == AUTHORIZATION && has_authorization) {
                dropped.push(name);
            }
        }
        dropped
    }
}

/// A `Location` with its bytes beyond ASCII percent-encoded, as browsers read it.
fn ascii(location: &HeaderValue) -> String {
    percent_encoding::percent_encode(location.as_bytes(), &percent_encoding::AsciiSet::EMPTY).to_string()
}

/// Counts the redirects of one connection attempt, and ends them at a limit: 10 by default.
///
/// ```
/// use http::Response;
/// use ws_handshake::{ClientRequest, RedirectError, Redirects};
///
/// let mut request = ClientRequest::new("ws://example.com/")?;
/// let answer = Response::builder().status(307).header("location", "/again").body(())?;
/// let mut redirects = Redirects::new(2);
/// for _ in 0..2 {
///     request = redirects.follow(&request, &answer)?.request;
/// }
/// assert!(matches!(redirects.follow(&request, &answer), Err(RedirectError::TooMany { limit: 2 })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Redirects {
    limit: usize,
    followed: usize,
}

impl Redirects {
    /// Follows up to `limit` redirects; with 0, none.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, followed: 0 }
    }

    /// Where the answer to `request` leads, counted.
    ///
    /// # Errors
    ///
    /// [`RedirectError::TooMany`] at the limit, and what [`ClientRequest::redirected`] gives.
    pub fn follow(
        &mut self,
        request: &ClientRequest,
        response: &Response<()>,
    ) -> Result<Redirect, RedirectError> {
        let redirect = request.redirected(response)?;
        if self.followed >= self.limit {
            return Err(RedirectError::TooMany { limit: self.limit });
        }
        self.followed += 1;
        Ok(redirect)
    }

    /// How many were followed.
    #[must_use]
    pub fn followed(&self) -> usize {
        self.followed
    }
}

impl Default for Redirects {
    fn default() -> Self {
        Self::new(10)
    }
}
