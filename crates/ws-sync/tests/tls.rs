//! The same under TLS.

mod support;

use std::{net::TcpListener, sync::Arc, thread};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto,
    pki_types::PrivateKeyDer,
};
use support::echo;
use ws_sync::{
    Connect, ConnectError,
    endpoint::driver::{CloseCode, Message},
};

/// A server for `localhost`, and a client that trusts it.
fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let provider = Arc::new(crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a certificate and its key");
    (Arc::new(client), Arc::new(server))
}

#[test]
fn messages_pass_under_tls_and_its_close_is_a_close() {
    let (client_config, server_config) = configs();
    let listener = TcpListener::bind("localhost:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("accepted");
        let tls = ServerConnection::new(server_config).expect("a session");
        echo(ws_sync::accept(StreamOwned::new(tls, tcp)).expect("accepted")).join().expect("no panic")
    });
    let mut connect = Connect::new(&format!("wss://localhost:{port}/")).expect("an address");
    connect.tls = Some(client_config);
    let mut client = connect.open().expect("connected");
    for len in [0, 1, 100, 70_000, 1 << 20] {
        let message = Message::from(vec![7; len]);
        client.send(message.clone()).expect("sent");
        assert!(client.recv().expect("open").expect("a message") == message, "{len} bytes");
    }
    let closed =
        client.close(CloseCode::NORMAL, "").expect("no transport's end is unexpected").expect("an end");
    assert!(closed.is_clean());
    let server = server.join().expect("no panic");
    assert!(server.closed().is_some_and(|closed| closed.is_clean()));
}

#[test]
fn a_server_that_is_not_trusted_is_not_talked_to() {
    let (_, server_config) = configs();
    let (stranger, _) = configs();
    let listener = TcpListener::bind("localhost:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("accepted");
        let tls = ServerConnection::new(server_config).expect("a session");
        ws_sync::accept(StreamOwned::new(tls, tcp)).map(drop)
    });
    let mut connect = Connect::new(&format!("wss://localhost:{port}/")).expect("an address");
    connect.tls = Some(stranger);
    let error = connect.open().map(drop).expect_err("another one's certificate");
    assert!(matches!(error, ConnectError::Io(_)), "{error}");
    assert!(server.join().expect("no panic").is_err());
}
