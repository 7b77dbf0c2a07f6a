//! HTTP spoken over a WebSocket as a byte stream, by an HTTP stack that knows nothing of it.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{io::duplex, task::JoinHandle};
use ws_stack::{ByteStream, Connect, accept};

/// Answers with the length of the request's body, and the body.
async fn serve(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.expect("a whole body").to_bytes();
    Ok(Response::builder().header("x-len", body.len()).body(Full::new(body)).expect("a response"))
}

/// Both ends of a WebSocket over a pipe of this size.
async fn streams(size: usize) -> (ByteStream<tokio::io::DuplexStream>, ByteStream<tokio::io::DuplexStream>) {
    let (near, far) = duplex(size);
    let connect = Connect::new("ws://example.com/").expect("an address");
    let (client, server) = tokio::join!(connect.over(near), accept(far));
    (client.expect("connected").into_byte_stream(), server.expect("accepted").into_byte_stream())
}

#[tokio::test]
async fn requests_and_responses_pass_and_the_connection_is_kept() {
    for size in [1000, 100_000] {
        let (client, server) = streams(size).await;
        let serves: JoinHandle<_> = tokio::spawn(async move {
            let service = service_fn(serve);
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(server), service).await
        });
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(client)).await.expect("a client");
        let drives = tokio::spawn(connection);
        for len in [0, 1, 10_000, 1_000_000] {
            let body: Bytes = (0..=255).cycle().take(len).collect::<Vec<u8>>().into();
            let request = Request::post("/").header("host", "example.com").body(Full::new(body.clone()));
            let response = sender.send_request(request.expect("a request")).await.expect("a response");
            assert_eq!(response.headers()["x-len"], len.to_string());
            let answer = response.into_body().collect().await.expect("a whole body").to_bytes();
            assert!(answer == body, "{len} bytes");
        }
        drop(sender);
        drives.await.expect("no panic").expect("the client's end is clean");
        serves.await.expect("no panic").expect("the server's end is clean");
    }
}
