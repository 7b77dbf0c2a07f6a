//! Rules of RFC 6455 section 4.1 that show on the transport alone.

mod support;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use ws_tokio::{Connect, endpoint::handshake::accept_key};

#[tokio::test(start_paused = true)]
async fn a_client_sends_nothing_behind_its_request_before_the_answer() {
    let (near, mut far) = duplex(1 << 16);
    let connects = tokio::spawn(async move {
        let mut ws =
            Connect::new("ws://example.com/").expect("an address").over(near).await.expect("connected");
        ws.send("hello").await.expect("sent");
        ws
    });
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert_ne!(far.read_buf(&mut request).await.expect("readable"), 0);
    }
    // Time stands still while there is something to do: what is not there after these seconds will not come.
    let more = tokio::time::timeout(std::time::Duration::from_secs(5), far.read_u8()).await;
    assert!(more.is_err(), "{more:?} behind {}", String::from_utf8_lossy(&request));

    let request = String::from_utf8(request).expect("text");
    let key = request.split("Sec-WebSocket-Key: ").nth(1).and_then(|rest| rest.get(..24)).expect("a key");
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(&key.parse().expect("a valid key")).as_str()
    );
    far.write_all(answer.as_bytes()).await.expect("written");
    let mut frame = [0; 11];
    far.read_exact(&mut frame).await.expect("a frame");
    assert_eq!(frame[..2], [0x81, 0x85]);
    let _ws = connects.await.expect("no panic");
}

#[cfg(feature = "rustls")]
#[tokio::test]
async fn a_client_names_the_host_in_its_tls_hello() {
    use tokio_rustls::{LazyConfigAcceptor, rustls::server::Acceptor};

    let (client_config, _) = support::tls::configs();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serves = async {
        let (stream, _) = listener.accept().await.expect("a client");
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await.expect("a hello of TLS");
        hello.client_hello().server_name().map(str::to_owned)
    };
    let connects = async {
        let mut connect = Connect::new(&format!("wss://localhost:{port}/")).expect("an address");
        connect.tls = Some(client_config);
        connect.open().await
    };
    let (name, connected) = tokio::join!(serves, connects);
    assert_eq!(name.as_deref(), Some("localhost"));
    assert!(connected.is_err(), "the server has left");
}
