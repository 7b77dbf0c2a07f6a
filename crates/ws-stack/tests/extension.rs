//! The worked example of an extension, against ourselves: order, corruption, and a peer that does not know it.

use std::sync::Arc;

use tokio::io::DuplexStream;
use ws_stack::{
    CloseCode, Connect, Error, Fault, ServerConfig, WebSocket, accept_with,
    deflate::Options,
    extensions::{Chain, Extension, MessageHead, Params, Registry, SessionOptions},
    frame::{DataKind, Role},
};

#[path = "../examples/checksum_extension.rs"]
#[expect(dead_code, reason = "the example's own server and client are not part of the test")]
mod example;

use example::Checksum;

/// A client and a server in memory, each with the extension or without.
async fn pair(client_has: bool, server_has: bool) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut connect = Connect::new("ws://example.com/").unwrap();
    connect.config.extensions = Registry::new();
    let mut config = ServerConfig::default();
    if client_has {
        connect.config.extensions.register(Checksum).unwrap();
    }
    if server_has {
        config.extensions.register(Checksum).unwrap();
    }
    let config = Arc::new(config);
    let (client, server) = tokio::join!(connect.over(near), accept_with(far, &config));
    (client.unwrap(), server.unwrap())
}

#[tokio::test]
async fn messages_keep_their_order_through_deferred_work() {
    let (mut client, mut server) = pair(true, true).await;
    assert_eq!(client.extensions(), ["x-checksum"]);
    assert_eq!(server.extensions(), ["x-checksum"]);
    let sent: Vec<String> = (0..100).map(|n| "x".repeat(n * 37 % 4000)).collect();
    let sending = async {
        for text in &sent {
            client.send(text.as_str()).await.unwrap();
        }
        client.close(CloseCode::NORMAL, "").await.unwrap()
    };
    let receiving = async {
        let mut received = Vec::new();
        while let Some(message) = server.recv().await {
            received.push(message.unwrap().as_text().unwrap().to_owned());
        }
        received
    };
    let (closed, received) = tokio::join!(sending, receiving);
    assert!(closed.unwrap().is_clean());
    assert_eq!(received, sent);
}

/// Both in use on one connection: what is sent is compressed and then summed, and received the other way round.
#[tokio::test]
async fn it_works_beside_permessage_deflate() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut connect = Connect::new("ws://example.com/").unwrap();
    connect.config.set_deflate(Options::default());
    connect.config.extensions.register(Checksum).unwrap();
    let mut config = ServerConfig::default();
    config.set_deflate(Options::default());
    config.extensions.register(Checksum).unwrap();
    let config = Arc::new(config);
    let (client, server) = tokio::join!(connect.over(near), accept_with(far, &config));
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    assert_eq!(client.extensions(), ["permessage-deflate", "x-checksum"]);
    assert_eq!(server.extensions(), client.extensions());
    for text in ["short".to_owned(), "all work and no play ".repeat(1000)] {
        client.send(text.as_str()).await.unwrap();
        let message = server.recv().await.unwrap().unwrap();
        assert_eq!(message.as_text(), Some(text.as_str()));
        server.send(message).await.unwrap();
        assert_eq!(client.recv().await.unwrap().unwrap().as_text(), Some(text.as_str()));
    }
}

#[tokio::test]
async fn a_peer_without_the_extension_is_spoken_to_without_it() {
    for (client_has, server_has) in [(true, false), (false, true), (false, false)] {
        let (mut client, mut server) = pair(client_has, server_has).await;
        assert!(client.extensions().is_empty() && server.extensions().is_empty());
        client.send("plain").await.unwrap();
        assert_eq!(server.recv().await.unwrap().unwrap().as_text(), Some("plain"));
    }
}

#[tokio::test]
async fn a_wrong_checksum_fails_the_connection_with_1007() {
    let (near, mut far) = tokio::io::duplex(1 << 16);
    let mut config = ServerConfig::default();
    config.extensions.register(Checksum).unwrap();
    let config = Arc::new(config);
    let request = b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Extensions: x-checksum\r\n\r\n\
        \xa2\x85\0\0\0\0wrong";
    tokio::io::AsyncWriteExt::write_all(&mut far, request).await.unwrap();
    let mut server = accept_with(near, &config).await.unwrap();
    let peer = async move {
        let mut answer = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut far, &mut answer).await.unwrap();
        answer
    };
    let (received, answer) = tokio::join!(server.recv(), peer);
    let Some(Err(Error::Failed(Fault::Extension(error)))) = received else { panic!("{received:?}") };
    assert_eq!(error.extension(), "x-checksum");
    let close = &answer[answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4..];
    assert_eq!(close[0], 0x88);
    assert_eq!(close[2..4], 1007u16.to_be_bytes());
}

/// The framework without any driver: the same extension, by hand.
#[test]
fn the_framework_works_without_a_driver() {
    let mut registry = Registry::new();
    registry.register(Checksum).unwrap();
    let offer = registry.offer(&SessionOptions::new(Role::Client, None));
    let server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, None)).unwrap();
    let client = offer.activate(server.header.as_deref()).unwrap();

    let wire = through(client.outgoing, MessageHead::new(DataKind::Text), b"hello");
    assert_eq!(wire.1.len(), 9);
    assert_eq!(through(server.incoming, wire.0, &wire.1).1, b"hello");
    assert!(
        Checksum
            .accept(&[Params::new().with("unknown", None).unwrap()], &SessionOptions::new(Role::Server, None))
            .is_none()
    );
}

/// One message through one direction, with its deferred work run in place.
fn through(mut chain: Chain, head: MessageHead, payload: &[u8]) -> (MessageHead, Vec<u8>) {
    let _route = chain.begin(head, Some(payload.len()));
    chain.push(payload, true);
    while let Some((id, job)) = chain.next_job() {
        chain.complete_job(id, job.run().expect("the work blocks and does not wait"));
    }
    let front = chain.front().expect("the work is done");
    (front.head, front.data.to_vec())
}
