//! What a server that refuses tells its caller.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use ws_tokio::{AcceptError, FirstRequest, Upgrade, accept, endpoint::handshake::Refusal, http};

/// The end of a client that has read its answer and left: TLS without its closing alert, or a reset.
#[derive(Debug)]
struct Gone(io::ErrorKind);

impl AsyncRead for Gone {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(self.0.into()))
    }
}

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[tokio::test]
async fn a_client_that_leaves_behind_its_answer_was_refused() {
    for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
        let transport = || tokio::io::join(UPGRADE.chain(Gone(kind)), Vec::new());
        let upgrade = Upgrade::read(transport(), &Default::default()).await.unwrap();
        let refusal = Refusal::new(http::StatusCode::UNAUTHORIZED, "log in first");
        let error = upgrade.refuse::<()>(refusal).await.unwrap_err();
        assert!(matches!(error, AcceptError::Refused(refusal) if refusal.status() == 401), "{kind}");

        let bad = tokio::io::join((&b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"[..]).chain(Gone(kind)), Vec::new());
        let error = accept(bad).await.unwrap_err();
        assert!(matches!(error, AcceptError::Refused(refusal) if refusal.status() == 405), "{kind}");

        let plain =
            tokio::io::join((&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..]).chain(Gone(kind)), Vec::new());
        match FirstRequest::read(plain, &Default::default()).await.unwrap() {
            FirstRequest::Plain(plain) => plain.respond(&http::Response::new("a page")).await.unwrap(),
            FirstRequest::Upgrade(_) => panic!("this is no upgrade"),
        }
    }
}
