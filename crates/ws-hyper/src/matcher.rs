//! Which requests are for an endpoint.

use http::request::Parts;

/// Which requests are for an endpoint: a path, compared exactly with what stands before the `?`, or a closure over the
/// whole head.
///
/// ```
/// # use ws_hyper::Matcher;
/// let (head, ()) = ws_hyper::http::Request::get("/chat?room=1").body(()).unwrap().into_parts();
/// assert!("/chat".is_match(&head));
/// assert!(!"/chat/".is_match(&head));
/// let rooms = |head: &ws_hyper::http::request::Parts| head.uri.path().starts_with("/room/");
/// assert!(!rooms.is_match(&head));
/// ```
pub trait Matcher: Send + Sync + 'static {
    /// Whether a request with this head is for the endpoint.
    fn is_match(&self, head: &Parts) -> bool;
}

impl Matcher for &'static str {
    fn is_match(&self, head: &Parts) -> bool {
        head.uri.path() == *self
    }
}

impl Matcher for String {
    fn is_match(&self, head: &Parts) -> bool {
        head.uri.path() == self
    }
}

impl<F: Fn(&Parts) -> bool + Send + Sync + 'static> Matcher for F {
    fn is_match(&self, head: &Parts) -> bool {
        self(head)
    }
}
