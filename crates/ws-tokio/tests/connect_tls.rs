//! TLS of a client: whom it trusts, what it calls the server, who it says it is, and that it ends as TLS should.
#![cfg(feature = "rustls")]

mod support;

use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use support::Raw;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        CertificateError, Error, RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
        server::WebPkiClientVerifier,
        version::{TLS12, TLS13},
    },
    server::TlsStream,
};
use ws_testkit::Frame;
use ws_tokio::{
    ClientStream, Connect, ConnectError, TlsOptions, WebSocket,
    endpoint::{driver::CloseCode, frame::Role},
};

type Opened = Result<WebSocket<ClientStream>, ConnectError>;
type Accepted = Option<TlsStream<tokio::net::TcpStream>>;

fn identity(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

fn key(of: &CertifiedKey<KeyPair>) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(of.signing_key.serialize_der()).expect("a key")
}

/// A server with this certificate that trusts that client, and speaks these protocols.
fn server(
    of: &CertifiedKey<KeyPair>,
    client: Option<CertificateDer<'static>>,
    alpn: &[&str],
) -> Arc<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("versions");
    let builder = match client {
        None => builder.with_no_client_auth(),
        Some(certificate) => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let mut config =
        builder.with_single_cert(vec![of.cert.der().clone()], key(of)).expect("a certificate and its key");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// One client and one server: what each has in the end.
async fn meet(
    config: Arc<ServerConfig>,
    host: &str,
    set: impl FnOnce(Connect) -> Connect,
) -> (Opened, Accepted) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connect = Connect::new(&format!("wss://{host}:{port}/")).expect("an address");
    let connect = set(connect.resolver(async |_, port| Ok(vec![([127, 0, 0, 1], port).into()])));
    let serves = async {
        let (stream, _) = listener.accept().await.expect("a client");
        let mut tls = TlsAcceptor::from(config).accept(stream).await.ok()?;
        Raw::new(&mut tls, Role::Server).accept().await;
        Some(tls)
    };
    tokio::join!(connect.open(), serves)
}

/// Trusts this one and nobody else.
fn trusting(of: &CertifiedKey<KeyPair>) -> TlsOptions {
    TlsOptions::new().only_added_roots().root(of.cert.der().clone())
}

#[tokio::test]
async fn roots_are_added_and_the_platforms_are_kept_or_left_out() {
    let ours = identity("localhost");
    let pem = TlsOptions::new().root_pem(ours.cert.pem().as_bytes()).expect("PEM");
    for options in [trusting(&ours), TlsOptions::new().root(ours.cert.der().clone()), pem] {
        let tls = options.build().expect("a config");
        let (client, tls) = meet(server(&ours, None, &[]), "localhost", |connect| connect.tls(tls)).await;
        let client = client.expect("connected");
        assert!(client.get_ref().tls().expect("TLS").protocol_version().is_some());
        assert_eq!(tls.expect("accepted").get_ref().1.server_name(), Some("localhost"));
    }
    for pem in [&b"nothing"[..], b"", ours.signing_key.serialize_pem().as_bytes()] {
        assert!(TlsOptions::new().root_pem(pem).is_err());
    }
    assert!(TlsOptions::new().only_added_roots().build().is_err(), "nobody is trusted");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_for_another_name_ends_it() {
    let (ours, others) = (identity("localhost"), identity("localhost"));
    for (host, trusted, expected) in [
        ("localhost", &others, CertificateError::UnknownIssuer),
        ("other.test", &ours, CertificateError::NotValidForName),
        ("127.0.0.1", &ours, CertificateError::NotValidForName),
    ] {
        let tls = trusting(trusted).build().expect("a config");
        let (client, tls) = meet(server(&ours, None, &[]), host, |connect| connect.tls(tls)).await;
        let error = client.expect_err("not connected");
        let ConnectError::Tls { host: named, error: cause } = &error else { panic!("{error:?}") };
        let cause = cause.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
        let Some(Error::InvalidCertificate(cause)) = cause else { panic!("{cause:?}") };
        let same = std::mem::discriminant(cause) == std::mem::discriminant(&expected);
        let same_name = matches!(cause, CertificateError::NotValidForNameContext { .. })
            && expected == CertificateError::NotValidForName;
        // A self-signed certificate of the same name may be told by its signature.
        let forged = matches!(cause, CertificateError::BadSignature) && host == "localhost";
        assert!(same || same_name || forged, "{cause:?}");
        assert_eq!(named, host);
        assert!(!error.is_transient() && tls.is_none());
    }
}

#[tokio::test]
async fn the_server_may_be_called_by_another_name_or_by_none() {
    let ours = identity("localhost");
    let config = || server(&ours, None, &[]);
    let tls = trusting(&ours).build().expect("a config");
    let by_name = |connect: Connect| connect.tls(Arc::clone(&tls)).server_name("localhost").expect("a name");
    let (client, accepted) = meet(config(), "other.test", by_name).await;
    client.expect("connected");
    assert_eq!(accepted.expect("accepted").get_ref().1.server_name(), Some("localhost"));

    let without = |connect: Connect| connect.tls(Arc::clone(&tls)).without_sni();
    let (client, accepted) = meet(config(), "localhost", without).await;
    client.expect("connected");
    assert_eq!(accepted.expect("accepted").get_ref().1.server_name(), None);
    let (client, _) = meet(config(), "other.test", without).await;
    assert!(matches!(client, Err(ConnectError::Tls { .. })), "the name is still checked");
    assert!(Connect::new("wss://localhost/").expect("an address").server_name("not a name").is_err());
}

#[tokio::test]
async fn any_certificate_is_accepted_only_when_that_is_asked_for_by_its_name() {
    let ours = identity("localhost");
    let (client, _) = meet(server(&ours, None, &[]), "other.test", |connect| connect).await;
    assert!(matches!(client, Err(ConnectError::Tls { .. })), "{client:?}");
    let tls = TlsOptions::new().danger_accept_any_certificate().build().expect("a config");
    for versions in [&[&TLS13][..], &[&TLS12]] {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder
            .with_protocol_versions(versions)
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![ours.cert.der().clone()], key(&ours))
            .expect("a certificate and its key");
        let tls = Arc::clone(&tls);
        let (client, _) = meet(Arc::new(config), "other.test", |connect| connect.tls(tls)).await;
        let client = client.expect("connected");
        let version = client.get_ref().tls().expect("TLS").protocol_version();
        assert_eq!(version, Some(versions[0].version));
    }
}

#[tokio::test]
async fn alpn_asks_for_http_1_1_unless_told_otherwise() {
    let ours = identity("localhost");
    for (asks, speaks, expected) in [
        (None, &["h2", "http/1.1"][..], Ok(Some("http/1.1"))),
        (None, &[], Ok(None)),
        (None, &["h2"], Err(())),
        (Some(vec!["chat"]), &["chat"], Ok(Some("chat"))),
        (Some(vec![]), &["h2"], Ok(None)),
    ] {
        let options = match &asks {
            Some(list) => trusting(&ours).alpn(list.iter().copied()),
            None => trusting(&ours),
        };
        let tls = options.build().expect("a config");
        let (client, _) = meet(server(&ours, None, speaks), "localhost", |connect| connect.tls(tls)).await;
        let chosen = client.map_err(|_| ()).map(|ws| {
            let chosen = ws.get_ref().tls().and_then(|tls| tls.alpn_protocol().map(<[u8]>::to_vec));
            chosen.map(|name| String::from_utf8(name).expect("text"))
        });
        assert_eq!(chosen, expected.map(|name| name.map(str::to_owned)), "{asks:?} {speaks:?}");
    }
}

#[tokio::test]
async fn a_client_shows_its_certificate_to_a_server_that_asks() {
    let (ours, client) = (identity("localhost"), identity("client.test"));
    let asks = || server(&ours, Some(client.cert.der().clone()), &[]);
    let der = trusting(&ours).client_certificate(vec![client.cert.der().clone()], key(&client));
    let shown = format!("{der:?}");
    let secret = client.signing_key.serialize_der();
    assert!(
        !shown.contains(&format!("{:?}", &secret[20..40]).trim_matches(['[', ']']).to_owned()),
        "{shown}"
    );
    let pem = trusting(&ours)
        .client_certificate_pem(client.cert.pem().as_bytes(), client.signing_key.serialize_pem().as_bytes())
        .expect("PEM");
    for options in [der, pem] {
        let tls = options.build().expect("a config");
        let (opened, accepted) = meet(asks(), "localhost", |connect| connect.tls(tls)).await;
        opened.expect("connected");
        let accepted = accepted.expect("accepted");
        assert_eq!(accepted.get_ref().1.peer_certificates(), Some(&[client.cert.der().clone()][..]));
    }
    let tls = trusting(&ours).build().expect("a config");
    let (opened, accepted) = meet(asks(), "localhost", |connect| connect.tls(tls)).await;
    assert!(opened.is_err() && accepted.is_none());
    let options = trusting(&ours).client_certificate(vec![ours.cert.der().clone()], key(&client));
    assert!(options.build().is_err(), "the key is another one's");
}

#[tokio::test]
async fn a_close_is_a_close_of_tls_too() {
    let ours = identity("localhost");
    let tls = trusting(&ours).build().expect("a config");
    let (client, accepted) = meet(server(&ours, None, &[]), "localhost", |connect| connect.tls(tls)).await;
    let (mut client, mut tls) = (client.expect("connected"), accepted.expect("accepted"));
    let serves = async {
        let mut peer = Raw::new(&mut tls, Role::Server);
        assert_eq!(peer.recv().await, Some(Frame::close(1000, "bye")));
        peer.send(Frame::close(1000, "bye")).await;
        peer.shutdown().await;
        // An end without close_notify would be an error of `UnexpectedEof`.
        let mut rest = Vec::new();
        assert_eq!(tls.read_to_end(&mut rest).await.expect("a clean end"), 0);
    };
    let (closed, ()) = tokio::join!(client.close(CloseCode::NORMAL, "bye"), serves);
    assert!(closed.expect("closed").expect("the end").is_clean());
}

#[tokio::test]
async fn compiled_and_listed_authorities_do_not_trust_ours() {
    let ours = identity("localhost");
    let mut all = vec![TlsOptions::new().provider(Arc::new(ring::default_provider()))];
    #[cfg(feature = "rustls-webpki-roots")]
    all.push(TlsOptions::new().webpki_roots());
    #[cfg(feature = "rustls-native-roots")]
    match TlsOptions::new().native_roots() {
        Ok(options) => all.push(options),
        Err(error) => assert!(!error.to_string().is_empty(), "a system without a store says so"),
    }
    for options in all {
        let tls = options.build().expect("a config");
        let (client, _) = meet(server(&ours, None, &[]), "localhost", |connect| connect.tls(tls)).await;
        assert!(matches!(client, Err(ConnectError::Tls { .. })), "{client:?}");
    }
    #[cfg(feature = "rustls-webpki-roots")]
    {
        let both = TlsOptions::new().root(ours.cert.der().clone());
        let tls = both.webpki_roots().build().expect("a config");
        let (client, _) = meet(server(&ours, None, &[]), "localhost", |connect| connect.tls(tls)).await;
        client.expect("what was added is trusted beside them");
    }
}

async fn read_head<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.expect("readable") > 0 {}
    String::from_utf8(head).expect("text").to_ascii_lowercase()
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_out_of_tls() {
    let ours = identity("localhost");
    let (secure, plain) = tokio::join!(TcpListener::bind("127.0.0.1:0"), TcpListener::bind("127.0.0.1:0"));
    let (secure, plain) = (secure.expect("a port"), plain.expect("another"));
    let port = |listener: &TcpListener| listener.local_addr().expect("an address").port();
    let answer = format!("HTTP/1.1 302 x\r\nLocation: ws://localhost:{}/b\r\n\r\n", port(&plain));
    let acceptor = TlsAcceptor::from(server(&ours, None, &[]));
    let redirects = || async {
        let (stream, _) = secure.accept().await.expect("a client");
        let mut tls = acceptor.accept(stream).await.expect("TLS");
        assert!(read_head(&mut tls).await.contains("bearer 1"));
        tls.write_all(answer.as_bytes()).await.expect("written");
        tls.flush().await.expect("flushed");
        tls
    };
    let tls = trusting(&ours).build().expect("a config");
    let connect = Connect::new(&format!("wss://localhost:{}/", port(&secure))).expect("an address").tls(tls);
    let connect = connect.resolver(async |_, port| Ok(vec![([127, 0, 0, 1], port).into()]));
    let connect = connect.header("authorization", "Bearer 1").expect("a header").follow_redirects(1);

    // A hook can tell, and refuse.
    let careful = connect.clone().on_redirect(async |redirect| {
        if redirect.is_downgrade { Err("out of TLS".into()) } else { Ok(redirect.request) }
    });
    let (opened, _tls) = tokio::join!(careful.open(), redirects());
    assert!(matches!(opened, Err(ConnectError::Hook(_))), "{opened:?}");

    let accepts = async {
        let (stream, _) = plain.accept().await.expect("a client");
        let mut first = vec![0; 4096];
        let len = stream.peek(&mut first).await.expect("readable");
        let mut peer = Raw::new(stream, Role::Server);
        peer.accept().await;
        (String::from_utf8_lossy(&first[..len]).to_ascii_lowercase(), peer)
    };
    let (opened, _tls, (head, _peer)) = tokio::join!(connect.open(), redirects(), accepts);
    assert!(head.starts_with("get /b ") && !head.contains("authorization"), "{head}");
    let ws = opened.expect("connected");
    assert!(ws.url().expect("an address").starts_with("ws://localhost") && ws.get_ref().tls().is_none());
}
