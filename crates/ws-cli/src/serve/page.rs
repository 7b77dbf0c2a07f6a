//! What a browser gets that opens the server's address.

use ws_stack::http::{
    Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue},
};

use super::args::Mode;

const TEMPLATE: &str = include_str!("page.html");

/// The page is whole in itself: it loads nothing, and talks to WebSockets alone.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      connect-src ws: wss:; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What a browser gets that opens the server's address.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    /// For the server at `url`. No byte of a request goes into the page.
    pub(super) fn new(url: &str, mode: Mode) -> Self {
        let what = match mode {
            Mode::Echo => "sends every message back to its sender",
            Mode::Broadcast => "sends every message to everybody who is connected",
        };
        let version = env!("CARGO_PKG_VERSION");
        Self(TEMPLATE.replace("{url}", url).replace("{what}", what).replace("{version}", version))
    }

    /// The answer to a request that does not ask for a WebSocket.
    pub(super) fn answer(&self, request: &Request<()>) -> Response<String> {
        let is_get = request.method() == Method::GET;
        let (status, kind, body) = if is_get {
            (StatusCode::OK, "text/html; charset=utf-8", self.0.clone())
        } else {
            let body = "only GET is answered here: a page, or a WebSocket\n";
            (StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", body.to_owned())
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if is_get {
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        } else {
            // RFC 9110 section 15.5.6.
            headers.insert(ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_the_address_and_loads_nothing() {
        for (mode, what) in [(Mode::Echo, "back to its sender"), (Mode::Broadcast, "to everybody")] {
            let page = Page::new("ws://127.0.0.1:9001/", mode);
            let response = page.answer(&Request::new(()));
            assert_eq!(response.status(), StatusCode::OK);
            let body = response.body();
            assert!(body.contains("ws://127.0.0.1:9001/") && body.contains(what));
            for placeholder in
                ["{url}", "{what}", "{version}", "http://", "https://", "<link rel=\"stylesheet"]
            {
                assert!(!body.contains(placeholder), "{placeholder}");
            }
        }
    }

    #[test]
    fn other_methods_are_told_which_one_to_use() {
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        let response = Page::new("ws://127.0.0.1:9001/", Mode::Echo).answer(&request);
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()[ALLOW], "GET");
    }
}
