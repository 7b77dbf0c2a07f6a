//! An answer other than 101: its status, its headers, and its body as far as it is wanted and comes in time.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    time::{Instant, sleep},
};
use ws_tokio::{Connect, ConnectError, WebSocket};

/// What the server does when it has said everything.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Leaves,
    Stays,
}
use Then::{Leaves, Stays};

/// What a client makes of an answer that comes in these pieces, a second apart.
async fn told(
    connect: Connect,
    pieces: &[&[u8]],
    then: Then,
) -> Result<WebSocket<DuplexStream>, ConnectError> {
    let (near, mut far) = duplex(1 << 20);
    let answers = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            far.read_buf(&mut request).await.expect("a request");
        }
        for piece in pieces {
            // The client may have heard enough.
            _ = far.write_all(piece).await;
            sleep(Duration::from_secs(1)).await;
        }
        if then == Stays {
            sleep(Duration::from_secs(60)).await;
        }
        drop(far);
    };
    tokio::select! {
        told = connect.over(near) => told,
        ((), never) = async { (answers.await, std::future::pending().await) } => never,
    }
}

fn connect() -> Connect {
    Connect::new("ws://example.com/").expect("an address")
}

/// What is sent, what then, the body, whether it is cut short, and after how many seconds.
type Case<'a> = (&'a [&'a [u8]], Then, &'a str, bool, u64);

#[tokio::test(start_paused = true)]
async fn the_body_of_a_refusal_is_read_whichever_way_it_is_framed() {
    let cases: [Case<'_>; 12] = [
        (&[b"HTTP/1.1 401 x\r\nContent-Length: 8\r\n\r\nlog in!!"], Stays, "log in!!", false, 0),
        (&[b"HTTP/1.1 401 x\r\nContent-Length: 8\r\n\r\nlog", b" in!!"], Stays, "log in!!", false, 1),
        (
            &[b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nlat\r\n2\r\ner\r\n0\r\n\r\n"],
            Stays,
            "later",
            false,
            0,
        ),
        (
            &[b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nlat", b"\r\n2\r\ner\r\n0\r\n\r\n"],
            Stays,
            "later",
            false,
            1,
        ),
        (&[b"HTTP/1.1 404 x\r\n\r\nno", b" such page"], Leaves, "no such page", false, 2),
        (&[b"HTTP/1.1 204 x\r\n\r\n"], Stays, "", false, 0),
        (&[b"HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n"], Stays, "", false, 0),
        // Less than was announced.
        (&[b"HTTP/1.1 401 x\r\nContent-Length: 8\r\n\r\nlog"], Leaves, "log", true, 1),
        (&[b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nlat"], Leaves, "lat", true, 1),
        (&[b"HTTP/1.1 503 x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense"], Stays, "", true, 0),
        // Nothing more within the deadline: what there is, is told.
        (&[b"HTTP/1.1 401 x\r\nContent-Length: 8\r\n\r\nlog", b" in"], Stays, "log in", true, 10),
        (&[b"HTTP/1.1 404 x\r\n\r\nno such page"], Stays, "no such page", true, 10),
    ];
    for (pieces, then, expected, cut, after) in cases {
        let start = Instant::now();
        let error = told(connect(), pieces, then).await.expect_err("refused");
        let ConnectError::Refused { response, truncated } = &error else { panic!("{error:?}") };
        assert_eq!((response.body().as_ref(), *truncated), (expected.as_bytes(), cut), "{expected}");
        assert_eq!(start.elapsed().as_secs(), after, "{expected}");
        assert_eq!(error.response().expect("an answer").status(), response.status());
        assert!(error.to_string().contains(response.status().as_str()), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_of_a_body_is_kept_than_is_allowed() {
    let long = [&b"HTTP/1.1 500 x\r\n\r\n"[..], &[b'x'; 200_000]].concat();
    let announced =
        [&b"HTTP/1.1 500 x\r\nContent-Length: 99999999999\r\n\r\n"[..], &[b'x'; 100_000]].concat();
    let chunk =
        [&b"HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\n"[..], &[b'x'; 100_000]].concat();
    for answer in [&long, &announced, &chunk] {
        for (connect, kept) in
            [(connect(), 64 << 10), (connect().max_body_len(10), 10), (connect().max_body_len(0), 0)]
        {
            let start = Instant::now();
            let error = told(connect, &[answer], Stays).await.expect_err("refused");
            let ConnectError::Refused { response, truncated: true } = &error else { panic!("{error:?}") };
            assert_eq!((response.body().len(), start.elapsed().as_secs()), (kept, 0));
        }
    }
}

#[tokio::test]
async fn an_answer_is_told_with_its_headers() {
    let answer = b"HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n";
    let error = told(connect(), &[answer], Leaves).await.expect_err("refused");
    let response = error.response().expect("an answer");
    assert_eq!(
        (&response.headers()["www-authenticate"], &response.headers()["set-cookie"]),
        (&"Basic".parse().expect("a value"), &"a=1".parse().expect("a value"))
    );
    assert!(!error.is_transient());
}
