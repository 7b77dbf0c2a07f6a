//! Both commands under TLS.

mod support;

use std::{fs, path::PathBuf};

use support::{Server, connect};

/// A file of this test alone.
fn file(name: &str, content: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tls-{}-{name}", std::process::id()));
    fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}

#[test]
fn a_self_signed_certificate_is_accepted_when_told_so_and_not_else() {
    let server = Server::start(&["--tls-self-signed"]);
    assert!(server.url.starts_with("wss://127.0.0.1:"));
    let outcome = connect(&["-n", &server.url], b"hello\n");
    assert_eq!((outcome.status, &*outcome.out), (Some(0), "hello\n"), "{}", outcome.errors);

    let outcome = connect(&[&server.url], b"hello\n");
    assert_eq!((outcome.status, &*outcome.out), (Some(2), ""));
    assert!(outcome.errors.contains("--ca FILE") && outcome.errors.contains("-n"), "{}", outcome.errors);
}

#[test]
fn a_certificate_of_an_own_authority_is_trusted_by_its_name() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) =
        (file("cert.pem", &made.cert.pem()), file("key.pem", &made.signing_key.serialize_pem()));
    let server = Server::start(&["--tls-cert", &certificate, "--tls-key", &key]);
    let url = server.url.replace("127.0.0.1", "localhost");
    let outcome = connect(&["--ca", &certificate, &url], b"hello\n");
    assert_eq!((outcome.status, &*outcome.out), (Some(0), "hello\n"), "{}", outcome.errors);

    // The certificate does not name the address.
    let outcome = connect(&["--ca", &certificate, &server.url], b"hello\n");
    assert_eq!((outcome.status, &*outcome.out), (Some(2), ""), "{}", outcome.errors);

    let outcome = connect(&["--ca", &key, &url], b"");
    assert_eq!(outcome.errors, format!("error: no certificate in {key}\n"));
}

#[cfg(unix)]
#[test]
fn a_signal_closes_connections_under_tls() {
    let server = Server::start(&["--tls-self-signed"]);
    let mut client = support::Client::start(&["-n", &server.url]);
    client.write("hello\n");
    assert_eq!(client.line(), "hello");
    server.signal("INT");
    let outcome = client.end();
    assert_eq!((outcome.status, &*outcome.errors), (Some(0), "closed: 1001 (going away) server stops\n"));
    assert!(server.end().0.success());
}
