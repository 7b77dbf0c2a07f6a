//! The same under TLS.

mod support;

use std::{net::TcpListener, sync::Arc, thread};

use rcgen::Certificate;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto,
    pki_types::PrivateKeyDer,
};
use support::echo;
use ws_sync::{
    Connect, ConnectError,
    endpoint::driver::{CloseCode, Message},
};

/// A server for `localhost`, and its certificate.
fn server_config() -> (Arc<ServerConfig>, Certificate) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let server = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .expect("a certificate and its key");
    (Arc::new(server), made.cert)
}

/// A client that trusts a server, and the server.
fn configs() -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let (server, certificate) = server_config();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).expect("a root");
    let client = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    (Arc::new(client), server)
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
    assert!(client.get_ref().tcp().expect("under TLS").nodelay().expect("known"));
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

/// The platform's certificates are those of a file that a variable names (`SSL_CERT_FILE`), which only a process of its own
/// can be given.
#[cfg(target_os = "linux")]
#[test]
fn without_a_config_the_platforms_certificates_are_trusted_and_no_others() {
    const NAME: &str = "without_a_config_the_platforms_certificates_are_trusted_and_no_others";
    if let Ok(address) = std::env::var("WS_SYNC_TEST_ADDRESS") {
        let mut client = ws_sync::connect(&address).expect("trusted");
        client.send("trusted").expect("sent");
        assert_eq!(client.recv().expect("open").expect("a message"), "trusted".into());
        client.close(CloseCode::NORMAL, "").expect("closed");
        return;
    }
    let (server_config, certificate) = server_config();
    let listener = TcpListener::bind("localhost:0").expect("a port");
    let address = format!("wss://localhost:{}/", listener.local_addr().expect("an address").port());
    let server = thread::spawn(move || {
        [(); 2].map(|()| {
            let (tcp, _) = listener.accept().expect("accepted");
            let tls = ServerConnection::new(Arc::clone(&server_config)).expect("a session");
            ws_sync::accept(StreamOwned::new(tls, tcp)).map(|ws| drop(echo(ws).join()))
        })
    });
    let error = ws_sync::connect(&address).map(drop).expect_err("nobody vouches for it");
    // A platform without any certificates says so before.
    assert!(matches!(error, ConnectError::Io(_) | ConnectError::Tls { .. }), "{error}");

    let file = std::env::temp_dir().join(format!("ws-sync-{}.pem", std::process::id()));
    std::fs::write(&file, certificate.pem()).expect("written");
    let child = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", NAME])
        .env("WS_SYNC_TEST_ADDRESS", &address)
        .env("SSL_CERT_FILE", &file)
        .output()
        .expect("started");
    std::fs::remove_file(&file).expect("removed");
    let output = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
    let [stranger, trusted] = server.join().expect("no panic");
    assert!(stranger.is_err() && trusted.is_ok());
}
