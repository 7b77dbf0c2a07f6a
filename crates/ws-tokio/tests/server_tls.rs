//! TLS at a server.
#![cfg(feature = "self-signed")]

mod support;

use std::{sync::Arc, time::Duration};

use support::visitor::{Told, answer, pipes, refused, with_line};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto, pki_types::ServerName},
};
use ws_tokio::{
    Connect, SelfSigned, Server, ServerStream, TlsConfigError, endpoint::driver::CloseCode, tls_config,
};

const LOCAL: &str = "127.0.0.1:0";

/// A client that trusts this certificate.
fn trusting(own: &SelfSigned) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(own.certificate().clone()).expect("a root");
    let provider = Arc::new(crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn connect(server: &Server, own: &SelfSigned) -> TlsStream<TcpStream> {
    let address = server.local_addrs()[0].tcp().expect("a TCP address");
    let tcp = TcpStream::connect(address).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    trusting(own).connect(name, tcp).await.expect("a TLS handshake")
}

#[tokio::test]
async fn a_server_speaks_tls_with_a_certificate_of_its_own() {
    let own = SelfSigned::new(["localhost"]).expect("a certificate");
    assert!(own.pem().starts_with("-----BEGIN CERTIFICATE-----"));
    let server = Server::builder().tls(own.config()).bind(LOCAL).await.expect("it listens");
    let stream = connect(&server, &own).await;
    let over = Connect::new("wss://localhost/").expect("an address").over(stream);
    let (client, conn) = tokio::join!(over, server.accept());
    let (mut client, mut conn) = (client.expect("accepted"), conn.expect("a connection"));
    let below: &ServerStream = conn.socket.get_ref();
    assert!(below.tcp().expect("TCP below").nodelay().expect("an option"));
    assert_eq!(below.tls().expect("TLS").server_name(), Some("localhost"));

    client.send("secret").await.expect("sent");
    let message = conn.socket.recv().await.expect("not the end").expect("a message");
    conn.socket.send(message).await.expect("sent");
    assert_eq!(client.recv().await.expect("not the end").expect("a message").as_text(), Some("secret"));

    // The end of TLS, too, is in order: otherwise the client would report an error.
    let (report, ended, closed) = tokio::join!(
        server.shutdown(CloseCode::GOING_AWAY, "", Duration::from_secs(10)),
        conn.socket.recv(),
        client.recv()
    );
    assert_eq!(report.answered, 1);
    assert!(ended.is_none() && closed.is_none(), "{ended:?} {closed:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn tls_over_a_unix_socket_shows_both() {
    let path = std::env::temp_dir().join(format!("ws-server-tls-{}.sock", std::process::id()));
    let own = SelfSigned::new(["localhost"]).expect("a certificate");
    let server = Server::builder().tls(own.config()).unix(&path).start().await.expect("it listens");
    let unix = tokio::net::UnixStream::connect(&path).await.expect("connected");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = trusting(&own).connect(name, unix).await.expect("a TLS handshake");
    let over = Connect::new("wss://localhost/").expect("an address").over(stream);
    let (client, conn) = tokio::join!(over, server.accept());
    let (mut client, mut conn) = (client.expect("accepted"), conn.expect("a connection"));
    let below: &ServerStream = conn.socket.get_ref();
    assert_eq!(format!("{below:?}"), "ServerStream(Tls)");
    assert!(below.unix().is_some() && below.tcp().is_none() && below.tls().is_some());
    // A message that stays where it is, behind its header.
    let message = vec![7; 300_000];
    let sends = async { conn.socket.send(message.clone()).await.expect("sent") };
    let (received, ()) = tokio::join!(client.recv(), sends);
    assert!(received.expect("not the end").expect("a message").as_bytes() == message);
}

/// Where TLS ends here, a page that came without it is another origin.
#[tokio::test]
async fn over_tls_the_default_origin_is_https() {
    let own = SelfSigned::new(["localhost"]).expect("a certificate");
    let server = Server::builder().tls(own.config()).bind(LOCAL).await.expect("it listens");
    for (origin, passes) in [("https://example.com", true), ("http://example.com", false)] {
        let mut stream = connect(&server, &own).await;
        stream.write_all(with_line(&format!("Origin: {origin}")).as_bytes()).await.expect("written");
        let answer = answer(&mut stream).await;
        if passes {
            assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        } else {
            refused(&answer, 403, "origin");
        }
    }
}

#[tokio::test]
async fn a_client_without_tls_is_told_of_and_harms_nobody() {
    let own = SelfSigned::new(["localhost"]).expect("a certificate");
    let told = Told::default();
    let server =
        Server::builder().tls(own.config()).on_error(told.listen()).bind(LOCAL).await.expect("it listens");
    let address = server.local_addrs()[0].tcp().expect("a TCP address");
    let mut plain = TcpStream::connect(address).await.expect("connected");
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("written");
    told.until("transport failed during the opening handshake").await;
    let _tls = connect(&server, &own).await;
}

/// TLS that trickles is in the time of the handshake.
#[tokio::test(start_paused = true)]
async fn a_silent_tls_handshake_ends_in_time() {
    let own = SelfSigned::new(["localhost"]).expect("a certificate");
    let told = Told::default();
    let (dial, pipe) = pipes();
    let builder = Server::builder().tls(own.config()).on_error(told.listen()).listener(pipe);
    let _server = builder.start().await.expect("it listens");
    let mut silent = dial.dial();
    let before = tokio::time::Instant::now();
    assert_eq!(answer(&mut silent).await, "");
    assert_eq!(before.elapsed(), Duration::from_secs(10));
    told.until("client left").await;
}

#[tokio::test]
async fn an_acceptor_of_one_s_own_is_put_in_front() {
    let server = Server::builder()
        .acceptor(|mut stream| async move {
            let mut greeting = [0; 5];
            tokio::io::AsyncReadExt::read_exact(&mut stream, &mut greeting).await?;
            if &greeting == b"hello" { Ok(stream) } else { Err(std::io::ErrorKind::InvalidData.into()) }
        })
        .bind(LOCAL)
        .await
        .expect("it listens");
    for (greeting, passes) in [("hello", true), ("hallo", false)] {
        let request = format!("{greeting}{}", support::visitor::REQUEST);
        let answer = support::visitor::ask(&server, request).await;
        assert_eq!(answer.starts_with("HTTP/1.1 101 "), passes, "{answer}");
    }
}

#[test]
fn certificates_and_keys_are_read_from_pem() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    tls_config(chain.as_bytes(), key.as_bytes()).expect("they fit");
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let other = other.signing_key.serialize_pem();
    for (chain, key, says) in [
        (chain.as_str(), other.as_str(), "cannot be used"),
        (chain.as_str(), "", "the key"),
        ("", key.as_str(), "no certificate"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", key.as_str(), "the certificates"),
    ] {
        let error: TlsConfigError = tls_config(chain.as_bytes(), key.as_bytes()).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(SelfSigned::new(["\u{e9}"]).is_err());
}
