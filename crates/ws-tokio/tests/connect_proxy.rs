//! Proxies: what they are asked, what goes through them, and what those that lie achieve.

mod support;

use std::{io, sync::Arc, time::Duration};

use support::proxy::{self, Listening};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};
use ws_tokio::{
    ClientStream, Connect, ConnectError, ProxyFailure, Step, Upgrade, WebSocket,
    endpoint::handshake::{ProxyError, Socks5Error, Socks5Refusal},
};

/// A server that notes the head of each request, accepts, says hello in the same breath, and echoes.
async fn server() -> Listening {
    Listening::start(|mut stream, notes| async move {
        let mut first = vec![0; 4096];
        let len = stream.peek(&mut first).await?;
        let head = String::from_utf8(first[..len].to_vec())?;
        notes.lock().expect("no panic").push(head.clone());
        if let Some(to) = head.strip_prefix("GET /to/").and_then(|rest| rest.split(' ').next()) {
            proxy::head(&mut stream).await?;
            let answer = format!("HTTP/1.1 302 x\r\nLocation: ws://{to}\r\nContent-Length: 0\r\n\r\n");
            return Ok(stream.write_all(answer.as_bytes()).await?);
        }
        let mut ws = Upgrade::read(stream, &Arc::default()).await?.accept().await?;
        ws.send("hello").await?;
        while let Some(message) = ws.recv().await {
            ws.send(message?).await?;
        }
        Ok(())
    })
    .await
}

async fn http_proxy() -> Listening {
    Listening::start(|stream, notes| async move { proxy::connect(stream, &notes).await }).await
}

async fn socks5_proxy() -> Listening {
    Listening::start(|stream, notes| async move { proxy::socks5(stream, &notes).await }).await
}

/// A client of a server whose name nobody but a proxy resolves, through the proxy at this address.
fn through(proxy: &str, address: &str) -> Connect {
    let connect = Connect::new(address).expect("an address");
    connect.proxy(proxy.parse().expect("a proxy")).resolver(async |host, port| match &*host {
        "proxy.test" => Ok(vec![([127, 0, 0, 1], port).into()]),
        _ => Err(io::Error::other("only the proxy's name is asked for")),
    })
}

async fn talk(ws: &mut WebSocket<ClientStream>) {
    for expected in ["hello", "back"] {
        let message = ws.recv().await.expect("not the end").expect("a message");
        assert_eq!(message.as_text(), Some(expected));
        ws.send("back").await.expect("sent");
    }
}

#[tokio::test]
async fn a_tunnel_by_connect_leads_to_the_server() {
    let (server, proxy) = (server().await, http_proxy().await);
    let address = format!("ws://server.test:{}/chat?x=1", server.port);
    for (user, authorization) in
        [("", None), ("user:p%40ss@", Some("Proxy-Authorization: Basic dXNlcjpwQHNz\r\n"))]
    {
        let connect = through(&format!("http://{user}proxy.test:{}", proxy.port), &address);
        let mut ws = connect.proxy_header("x-trace", "7").expect("a header").await.expect("connected");
        talk(&mut ws).await;
        assert_eq!(ws.url(), Some(&*address));
        assert_eq!(ws.get_ref().peer_addr().expect("a peer").port(), proxy.port);
        let [asked] = &proxy.notes()[..] else { panic!("one tunnel") };
        let authority = format!("server.test:{}", server.port);
        assert!(asked.starts_with(&format!("CONNECT {authority} HTTP/1.1\r\n")), "{asked}");
        assert!(
            asked.contains(&format!("Host: {authority}\r\n")) && asked.contains("X-Trace: 7\r\n"),
            "{asked}"
        );
        assert_eq!(asked.contains("Proxy-Authorization"), authorization.is_some());
        assert!(authorization.is_none_or(|line| asked.contains(line)), "{asked}");
        let [head] = &server.notes()[..] else { panic!("one request") };
        assert!(
            head.starts_with("GET /chat?x=1 HTTP/1.1\r\n"),
            "the proxy's form is not for the server: {head}"
        );
        assert!(!head.contains("Proxy-") && !head.contains("X-Trace"), "{head}");
    }
}

#[tokio::test]
async fn a_tunnel_by_socks5_leads_to_the_server() {
    let (server, proxy) = (server().await, socks5_proxy().await);
    for (user, host, noted) in [
        ("", "server.test", "server.test"),
        ("user:secret@", "server.test", "user secret server.test"),
        ("", "127.0.0.1", "[127, 0, 0, 1]"),
        ("", "[::1]", "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]"),
    ] {
        for scheme in ["socks5", "socks5h"] {
            let address = format!("ws://{host}:{}/", server.port);
            let connect = through(&format!("{scheme}://{user}proxy.test:{}", proxy.port), &address);
            talk(&mut connect.await.expect("connected")).await;
            assert_eq!(proxy.notes(), [format!("{noted}:{}", server.port)]);
        }
    }
}

#[tokio::test]
async fn hosts_that_are_excepted_are_connected_to_directly() {
    let (server, proxy) = (server().await, http_proxy().await);
    let address = format!("ws://127.0.0.1:{}/", server.port);
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let explicit = through(&url, &address);
    talk(&mut explicit.clone().await.expect("connected")).await;
    assert_eq!(proxy.notes().len(), 1, "an explicit proxy is for this machine, too");
    talk(&mut explicit.no_proxy_for("127.0.0.0/8").await.expect("connected")).await;
    assert_eq!(proxy.notes().len(), 0);

    let environment = |name: &str| (name == "http_proxy").then(|| url.clone());
    let from =
        |address: &str| Connect::new(address).expect("an address").proxy_from(environment).expect("a proxy");
    talk(&mut from(&address).await.expect("connected")).await;
    assert_eq!(proxy.notes().len(), 0, "one of the environment is not for this machine");
    talk(&mut from(&format!("ws://server.test:{}/", server.port)).await.expect("connected")).await;
    assert_eq!(proxy.notes().len(), 1);
    let wrong = |_: &str| Some("gopher://a".to_owned());
    assert!(Connect::new(&address).expect("an address").proxy_from(wrong).is_err());
}

#[tokio::test]
async fn each_hop_of_a_redirect_finds_its_own_way() {
    let (server, proxy) = (server().await, http_proxy().await);
    let port = server.port;
    let address = format!("ws://first.test:{port}/to/second.test:{port}/to/127.0.0.1:{port}/end");
    // Of a redirect's target the rest is one path: the second hop leads to the third.
    let connect = through(&format!("http://proxy.test:{}", proxy.port), &address).no_proxy_for("127.0.0.1");
    let connect = connect.header("authorization", "Bearer 1").expect("a header");
    let mut ws = connect.follow_redirects(2).await.expect("connected");
    talk(&mut ws).await;
    assert_eq!(ws.url(), Some(&*format!("ws://127.0.0.1:{port}/end")));
    let asked: Vec<_> = proxy.notes().iter().map(|head| head.split(' ').nth(1).map(str::to_owned)).collect();
    assert_eq!(asked, [Some(format!("first.test:{port}")), Some(format!("second.test:{port}"))]);
    let told: Vec<_> = server.notes().iter().map(|head| head.contains("Bearer 1")).collect();
    assert_eq!(told, [true, false, false]);
}

/// A proxy that reads something and then says this, whatever it was asked.
async fn liar(answers: &[&'static [u8]]) -> Listening {
    let answers = answers.to_vec();
    Listening::start(move |mut stream, _| {
        let answers = answers.clone();
        async move {
            for answer in answers {
                stream.read_buf(&mut Vec::with_capacity(4096)).await?;
                stream.write_all(answer).await?;
            }
            // Until the client has seen it and left: a reset would take the answer with it.
            stream.shutdown().await?;
            while stream.read_buf(&mut Vec::with_capacity(4096)).await? > 0 {}
            Ok(())
        }
    })
    .await
}

#[tokio::test]
async fn a_proxy_that_refuses_or_lies_is_an_error_that_says_how() {
    const ENDLESS: &[u8] = &[b'x'; 100_000];
    let refused: [(&[&[u8]], &str, bool); 12] = [
        (&[b"HTTP/1.1 407 x\r\nProxy-Authenticate: Basic\r\n\r\n"], "Connect(AuthenticationRequired", false),
        (&[b"HTTP/1.1 403 x\r\n\r\nno"], "Connect(Refused", false),
        (&[b"HTTP/1.1 502 x\r\n\r\nlater"], "Connect(Refused", true),
        (&[b"HTTP/1.1 101 x\r\n\r\n"], "Connect(Refused", false),
        (&[b"HTTP/1.1 302 x\r\nLocation: http://elsewhere.test/\r\n\r\n"], "Connect(Refused", false),
        (&[b"HTTP/1.1 200"], "Connect(EndOfStream", true),
        (&[b""], "Connect(EndOfStream", true),
        (&[b"SSH-2.0-OpenSSH\r\n\r\n"], "Connect(Head", false),
        (&[b"\x05\x00\r\n\r\n"], "Connect(Head", false),
        (&[ENDLESS], "Connect(Head", false),
        (&[b"HTTP/1.1 200 x\r\nbad header\r\n\r\n"], "Connect(Head", false),
        (&[b"HTTP/1.1 200 x\r\nX: a\nY: b\r\n\r\n"], "Connect(Head", false),
    ];
    let socks: [(&[&[u8]], &str, bool); 9] = [
        (&[b"\x05\xff"], "Socks5(NoAcceptableMethod", false),
        (&[b"\x05\x02"], "Socks5(UnofferedMethod", false),
        (&[b"\x05\x00", b"\x05\x02\x00\x01\0\0\0\0\0\0"], "Socks5(Refused(NotAllowed", false),
        (&[b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"], "Socks5(Refused(HostUnreachable", true),
        (&[b"\x05\x00", b"\x05\x05\x00\x01\0\0\0\0\0\0"], "Socks5(Refused(ConnectionRefused", true),
        (&[b"\x04\x5a"], "Socks5(Version", false),
        (&[b"HTTP/1.1 400 Bad Request\r\n\r\n"], "Socks5(Version", false),
        (&[b"\x05\x00", b"\x05\x00\x00\x09\0\0\0\0\0\0"], "Socks5(AddressType", false),
        (&[b"\x05\x00", b"\x05\x00\x00\x01\0\0"], "Socks5(EndOfStream", true),
    ];
    for (scheme, cases) in [("http", &refused[..]), ("socks5", &socks[..])] {
        for (answers, expected, transient) in cases {
            let proxy = liar(answers).await;
            let connect =
                through(&format!("{scheme}://u:secret@proxy.test:{}", proxy.port), "ws://server.test/");
            let connect = match *expected {
                // These are what a client without credentials sees.
                "Socks5(UnofferedMethod" | "Socks5(NoAcceptableMethod" => {
                    connect.proxy(format!("socks5://proxy.test:{}", proxy.port).parse().expect("a proxy"))
                }
                _ if scheme == "socks5" => {
                    connect.proxy(format!("socks5://proxy.test:{}", proxy.port).parse().expect("a proxy"))
                }
                _ => connect,
            };
            let error = connect.await.expect_err("no tunnel");
            let ConnectError::Proxy { proxy: named, error: ProxyFailure::Answer(cause) } = &error else {
                panic!("{expected}: {error:?}")
            };
            assert!(format!("{cause:?}").starts_with(expected), "{expected}: {cause:?}");
            assert_eq!(named, &format!("{scheme}://proxy.test:{}", proxy.port));
            assert_eq!(error.is_transient(), *transient, "{expected}");
            assert!(
                error.response().is_none() && !format!("{error} {error:?}").contains("secret"),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn credentials_that_socks5_refuses_are_an_error_for_good() {
    let proxy = liar(&[b"\x05\x02", b"\x01\x01"]).await;
    let connect = through(&format!("socks5://user:secret@proxy.test:{}", proxy.port), "ws://server.test/");
    let error = connect.await.expect_err("no tunnel");
    let ConnectError::Proxy { error: ProxyFailure::Answer(ProxyError::Socks5(cause)), .. } = &error else {
        panic!("{error:?}")
    };
    assert!(matches!(cause, Socks5Error::AuthenticationFailed(1)) && !error.is_transient());
    assert!(!matches!(cause, Socks5Error::Refused(Socks5Refusal::GeneralFailure)));
    // What cannot be sent is an error before anything is connected.
    let connect = through(&format!("http://a%3Ab:c@proxy.test:{}", proxy.port), "ws://server.test/");
    let error = connect.await.expect_err("a colon in the name");
    assert!(matches!(error, ConnectError::Proxy { error: ProxyFailure::Request(_), .. }), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_answers_for_the_server_is_found_out() {
    // It does not know the key of a request that it has not seen.
    let proxy =
        liar(&[b"HTTP/1.1 200 x\r\n\r\nHTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"])
        .await;
    let error =
        through(&format!("http://proxy.test:{}", proxy.port), "ws://server.test/").await.expect_err("forged");
    assert!(matches!(error, ConnectError::Handshake(_)), "{error:?}");
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_apart_from_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let closed = listener.local_addr().expect("an address").port();
    drop(listener);
    let error =
        through(&format!("http://proxy.test:{closed}"), "ws://server.test/").await.expect_err("nobody");
    let ConnectError::Tcp { host, port, .. } = &error else { panic!("{error:?}") };
    assert_eq!((host.as_str(), *port), ("proxy.test", closed));
    let error = through("http://elsewhere.test:1", "ws://server.test/").await.expect_err("no address");
    assert!(matches!(&error, ConnectError::Resolve { host, .. } if host == "elsewhere.test"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_proxy_is_given_up_and_named() {
    for scheme in ["http", "socks5"] {
        let proxy = Listening::start(|stream, _| async move {
            std::future::pending::<()>().await;
            drop(stream);
            Ok(())
        })
        .await;
        let start = Instant::now();
        let connect = through(&format!("{scheme}://proxy.test:{}", proxy.port), "ws://server.test/");
        let error = connect.handshake_timeout(Some(Duration::from_secs(4))).await.expect_err("silence");
        assert!(matches!(error, ConnectError::Timeout { step: Step::Proxy }), "{error:?}");
        assert_eq!(start.elapsed().as_secs(), 4);
    }
}

#[cfg(feature = "rustls")]
mod with_tls {
    use tokio_rustls::TlsAcceptor;
    use ws_tokio::TlsOptions;

    use super::*;

    /// A server and a proxy with certificates of their own, both for `localhost`, and clients that trust them.
    struct Party {
        server: Listening,
        plain_proxy: Listening,
        tls_proxy: Listening,
        socks5_proxy: Listening,
        trusts_server: Arc<ws_tokio::rustls::ClientConfig>,
        trusts_proxy: Arc<ws_tokio::rustls::ClientConfig>,
    }

    async fn party() -> Party {
        let (trusts_server, config) = support::tls::configs();
        let server = Listening::start(move |stream, _| {
            let acceptor = TlsAcceptor::from(Arc::clone(&config));
            async move {
                let mut ws = ws_tokio::accept(acceptor.accept(stream).await?).await?;
                ws.send("hello").await?;
                while let Some(message) = ws.recv().await {
                    ws.send(message?).await?;
                }
                Ok(())
            }
        })
        .await;
        let (trusts_proxy, config) = support::tls::configs();
        let tls_proxy = Listening::start(move |stream, notes| {
            let acceptor = TlsAcceptor::from(Arc::clone(&config));
            async move { proxy::connect(acceptor.accept(stream).await?, &notes).await }
        })
        .await;
        let (plain_proxy, socks5_proxy) = (http_proxy().await, socks5_proxy().await);
        Party { server, plain_proxy, tls_proxy, socks5_proxy, trusts_server, trusts_proxy }
    }

    #[tokio::test]
    async fn tls_with_the_server_is_inside_of_any_tunnel() {
        let party = party().await;
        let tls = format!("https://localhost:{}", party.tls_proxy.port);
        for (proxy, nested) in [
            (format!("http://localhost:{}", party.plain_proxy.port), false),
            (format!("socks5://localhost:{}", party.socks5_proxy.port), false),
            (tls.clone(), true),
        ] {
            let connect =
                Connect::new(&format!("wss://localhost:{}/", party.server.port)).expect("an address");
            let connect =
                connect.proxy(proxy.parse().expect("a proxy")).tls(Arc::clone(&party.trusts_server));
            let mut ws = connect.proxy_tls(Arc::clone(&party.trusts_proxy)).await.expect("connected");
            talk(&mut ws).await;
            assert_eq!(matches!(ws.get_ref(), ClientStream::TlsInTls(_)), nested);
            assert!(ws.get_ref().tls().is_some() && ws.get_ref().peer_addr().is_ok());
            let closed = ws.close(ws_tokio::endpoint::driver::CloseCode::NORMAL, "").await.expect("closed");
            assert!(closed.expect("the end").is_clean());
        }
        // A server without TLS, behind a proxy with it.
        let plain = server().await;
        let connect = Connect::new(&format!("ws://server.test:{}/", plain.port)).expect("an address");
        let connect = connect.proxy(tls.parse().expect("a proxy")).proxy_tls(party.trusts_proxy);
        let mut ws = connect.await.expect("connected");
        talk(&mut ws).await;
        assert!(matches!(ws.get_ref(), ClientStream::Tls(_)));
    }

    #[tokio::test]
    async fn trust_in_a_proxy_is_not_trust_in_a_server() {
        let party = party().await;
        let connect = Connect::new(&format!("wss://localhost:{}/", party.server.port)).expect("an address");
        let connect =
            connect.proxy(format!("https://localhost:{}", party.tls_proxy.port).parse().expect("a proxy"));
        let nobody = TlsOptions::new().only_added_roots().root(other_root()).build().expect("a config");
        for (server, proxy, asked) in [
            (&party.trusts_server, &nobody, 0),
            (&nobody, &party.trusts_proxy, 1),
            (&party.trusts_proxy, &party.trusts_proxy, 1),
        ] {
            let connect = connect.clone().tls(Arc::clone(server)).proxy_tls(Arc::clone(proxy));
            let error = connect.await.expect_err("not trusted");
            assert!(matches!(&error, ConnectError::Tls { .. }) && !error.is_transient(), "{error:?}");
            assert_eq!(party.tls_proxy.notes().len(), asked, "whether a tunnel was asked for");
        }
    }

    fn other_root() -> ws_tokio::rustls::pki_types::CertificateDer<'static> {
        rcgen::generate_simple_self_signed(["other.test".to_owned()])
            .expect("a certificate")
            .cert
            .der()
            .clone()
    }

    #[tokio::test]
    async fn bytes_in_the_name_of_a_tls_server_before_it_is_spoken_to_are_forged() {
        let proxy = liar(&[b"HTTP/1.1 200 x\r\n\r\n\x16\x03\x03"]).await;
        let error = through(&format!("http://proxy.test:{}", proxy.port), "wss://server.test/").await;
        let error = error.expect_err("forged");
        let ConnectError::Proxy { error: ProxyFailure::Forged { len: 3 }, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(!error.is_transient());
    }
}
