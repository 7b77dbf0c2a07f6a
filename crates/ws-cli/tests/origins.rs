//! Which pages a server lets in.

mod support;

use support::{Server, connect};

#[test]
fn pages_are_let_in_by_their_origin() {
    let listed = Server::start(&["--origin", "https://a.example", "--origin", "https://b.example"]);
    let own = Server::start(&["--origin", "same-host"]);
    let host = own.url.replace("ws:", "http:");
    for (server, origin, status) in [
        (&listed, Some("https://a.example"), 0),
        (&listed, Some("https://b.example"), 0),
        (&listed, Some("https://c.example"), 2),
        (&listed, None, 0),
        (&own, Some(host.trim_end_matches('/')), 0),
        (&own, Some("https://a.example"), 2),
        (&own, None, 0),
    ] {
        let origin = origin.map(|origin| ["-o", origin]);
        let args: Vec<&str> = [&*server.url].into_iter().chain(origin.into_iter().flatten()).collect();
        let outcome = connect(&args, b"hello\n");
        assert_eq!(outcome.status, Some(status), "{args:?}: {outcome:?}");
    }
}
