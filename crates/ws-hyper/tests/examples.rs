//! The examples do what they say.
#![cfg(feature = "axum")]

#[expect(dead_code, reason = "its main is not run")]
#[path = "../examples/axum_session.rs"]
mod axum_session;
#[expect(dead_code, reason = "its main is not run")]
#[path = "../examples/pages_and_sockets.rs"]
mod pages_and_sockets;
mod support;

use std::time::Duration;

use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, rustls::pki_types::ServerName};
use ws_tokio::Connect;

use self::support::{Http, client, exchange, tls};

#[tokio::test]
async fn pages_and_sockets_over_http_and_https() {
    let (tls_client, tls_server) = tls::configs();
    for acceptor in [None, Some(TlsAcceptor::from(tls_server))] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let over_tls = acceptor.is_some();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(pages_and_sockets::serve(listener, acceptor, async { _ = stopped.await }));
        let open = async || {
            let tcp = TcpStream::connect(address).await.unwrap();
            let from = tcp.local_addr().unwrap().to_string();
            let io: Box<dyn support::Io> = if over_tls {
                let connector = TlsConnector::from(tls_client.clone());
                let name = ServerName::try_from("localhost").unwrap();
                Box::new(connector.connect(name, tcp).await.unwrap())
            } else {
                Box::new(tcp)
            };
            (io, from)
        };
        let mut http = Http::new(open().await.0);
        assert_eq!(http.get("/page").await.body, "this is /page\n");
        let mut echo = client("ws://localhost/echo", http.0.into_inner()).await;
        assert_eq!(exchange(&mut echo, "hello").await.as_text(), Some("hello"));

        let (io, from) = open().await;
        let mut greet = client("ws://localhost/greet", io).await;
        assert_eq!(greet.recv().await.unwrap().unwrap().as_text(), Some(&*format!("welcome, {from}")));
        assert!(greet.recv().await.is_none());

        stop.send(()).unwrap();
        assert!(echo.recv().await.is_none());
        assert_eq!(echo.closed().unwrap().code, 1001);
        timeout(Duration::from_secs(30), serving).await.expect("it stops").unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_session_is_handed_to_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum_session::app(axum_session::Sessions::default());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut http = Http::connect(address).await;
    http.send("POST /login/ada HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n").await;
    let answer = http.answer().await;
    let cookie = answer.head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let cookie = cookie.split(';').next().unwrap();
    let (ours, other) = ("http://localhost", "https://evil.example");
    for (cookie, origin, status) in
        [(cookie, ours, 101), (cookie, other, 403), ("session=guessed", ours, 401), ("other=1", ours, 401)]
    {
        let connect = Connect::new("ws://localhost/chat").unwrap().origin(origin).unwrap();
        let connect = connect.header("cookie", cookie).unwrap();
        let opened = connect.over(TcpStream::connect(address).await.unwrap()).await;
        if status != 101 {
            let error = opened.unwrap_err();
            assert_eq!(error.response().expect("an answer").status(), status, "{cookie} {origin}");
            continue;
        }
        let mut ws = opened.unwrap();
        assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("hello ada"));
        assert_eq!(exchange(&mut ws, "hi").await.as_text(), Some("ada: hi"));
    }
}
