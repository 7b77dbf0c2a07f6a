//! Redirects: off by default, counted, shown to a hook, and credentials stay where they were meant for.

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use support::AbortOnDrop;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::Instant,
};
use ws_tokio::{
    Connect, ConnectError, Step, Upgrade,
    endpoint::handshake::{Redirect, RedirectError},
};

/// What a server does with a path: redirects it, accepts it, or stays silent.
type Routes = Arc<dyn Fn(&str) -> Does + Send + Sync>;

enum Does {
    Redirects(u16, String),
    Accepts,
    Nothing,
}

/// A server that redirects, and notes the heads of all requests, in lower case.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
    _task: AbortOnDrop,
}

impl Server {
    async fn start(routes: impl Fn(&str) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (notes, routes): (_, Routes) = (Arc::clone(&heads), Arc::new(routes));
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (notes, routes) = (Arc::clone(&notes), Arc::clone(&routes));
                tokio::spawn(async move {
                    let mut first = [0; 4096];
                    let len = stream.peek(&mut first).await?;
                    let head = String::from_utf8_lossy(&first[..len]).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                    notes.lock().expect("no panic").push(head.to_ascii_lowercase());
                    match routes(&path) {
                        Does::Accepts => {
                            let upgrade = Upgrade::read(stream, &Arc::default()).await?;
                            let mut ws = upgrade.accept().await?;
                            while ws.recv().await.is_some() {}
                            return Ok(());
                        }
                        Does::Nothing => std::future::pending().await,
                        Does::Redirects(status, to) => {
                            stream.read_exact(&mut vec![0; len]).await?;
                            let answer = format!("HTTP/1.1 {status} x\r\nLocation: {to}\r\n\r\nelsewhere");
                            stream.write_all(answer.as_bytes()).await?;
                        }
                    }
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
                });
            }
        });
        Self { port, heads, _task: AbortOnDrop(task) }
    }

    fn connect(&self, path: &str) -> Connect {
        Connect::new(&format!("ws://127.0.0.1:{}{path}", self.port)).expect("an address")
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

fn to(target: impl Into<String>) -> Does {
    Does::Redirects(302, target.into())
}

/// `/5` leads to `/4` and so on; `/0` accepts.
fn countdown(path: &str) -> Does {
    match path[1..].parse::<u32>() {
        Ok(0) => Does::Accepts,
        Ok(number) => to(format!("/{}", number - 1)),
        Err(_) => Does::Nothing,
    }
}

#[tokio::test]
async fn redirects_are_not_followed_unless_asked_for() {
    let server = Server::start(countdown).await;
    let error = server.connect("/1").await.expect_err("not followed");
    let response = error.response().expect("the answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (302, &"/0".parse().expect("a value"))
    );
    assert_eq!(response.body(), "elsewhere");
    assert!(!error.is_transient());
}

#[tokio::test]
async fn as_many_redirects_are_followed_as_asked_for_and_no_more() {
    let server = Server::start(countdown).await;
    let ws = server.connect("/10").follow_redirects(10).await.expect("ten are followed");
    assert_eq!(ws.url(), Some(&*format!("ws://127.0.0.1:{}/0", server.port)));
    let error = server.connect("/11").follow_redirects(10).await.expect_err("eleven are not");
    assert!(matches!(error, ConnectError::Redirect(RedirectError::TooMany { limit: 10 })), "{error:?}");
    let server = Server::start(|_| to("/again")).await;
    let error = server.connect("/").follow_redirects(3).await.expect_err("in a circle");
    assert!(matches!(error, ConnectError::Redirect(RedirectError::TooMany { limit: 3 })), "{error:?}");
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn a_target_that_is_none_is_an_error() {
    for target in ["ftp://example.com/", "ws://user:secret@127.0.0.1/", "/a#b", "", "http://"] {
        let server = Server::start(move |_| to(target)).await;
        let error = server.connect("/").follow_redirects(10).await.expect_err("no target");
        assert!(matches!(error, ConnectError::Redirect(_)), "{target}: {error:?}");
        assert!(!error.is_transient());
    }
}

/// A client with something to tell only to its own server.
fn with_secrets(connect: Connect) -> Connect {
    let connect =
        connect.header("authorization", "Bearer 1").and_then(|connect| connect.header("cookie", "a=1"));
    let connect = connect.and_then(|connect| connect.header("x-app", "chat"));
    connect.and_then(|connect| connect.subprotocols(["a"])).expect("headers").follow_redirects(10)
}

#[tokio::test]
async fn credentials_stay_with_the_server_they_are_for() {
    let other = Server::start(countdown).await;
    let port = other.port;
    let server = Server::start(move |path| match path {
        "/same" => to("/0"),
        "/other" => to(format!("http://127.0.0.1:{port}/0")),
        _ => Does::Accepts,
    })
    .await;
    with_secrets(server.connect("/same")).await.expect("connected");
    let heads = server.heads();
    let last = heads.last().expect("a request");
    assert!(
        last.starts_with("get /0 ") && last.contains("bearer 1") && last.contains("cookie: a=1"),
        "{last}"
    );

    with_secrets(server.connect("/other")).await.expect("connected");
    let [head] = &other.heads()[..] else { panic!("one request") };
    assert!(!head.contains("authorization") && !head.contains("cookie"), "{head}");
    assert!(head.contains("x-app: chat") && head.contains("sec-websocket-protocol: a"), "{head}");
    assert!(head.contains(&format!("host: 127.0.0.1:{port}\r\n")), "{head}");
}

#[tokio::test]
async fn a_hook_sees_each_hop_and_may_change_or_refuse_it() {
    let other = Server::start(countdown).await;
    let port = other.port;
    let server = Server::start(move |_| to(format!("ws://127.0.0.1:{port}/1"))).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let hook = move |redirect: Redirect| {
        let first = !redirect.is_same_server;
        notes.lock().expect("no panic").push((redirect.status.as_u16(), redirect.dropped.len(), first));
        async move {
            let request = redirect.request;
            Ok(if first { request.header("authorization", "Bearer 2")? } else { request })
        }
    };
    with_secrets(server.connect("/")).on_redirect(hook).await.expect("connected");
    assert_eq!(*seen.lock().expect("no panic"), [(302, 2, true), (302, 0, false)]);
    let heads = other.heads();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| head.contains("bearer 2") && !head.contains("cookie")), "{heads:?}");

    let refuses = server.connect("/").follow_redirects(10).on_redirect(async |_| Err("not there".into()));
    let error = refuses.await.expect_err("refused");
    assert!(matches!(error, ConnectError::Hook(_)) && error.to_string().contains("not there"), "{error:?}");
    assert_eq!(other.heads().len(), 2, "nothing was sent there");
}

#[tokio::test]
async fn what_the_last_hook_adds_is_not_told_to_other_servers() {
    let other = Server::start(countdown).await;
    let port = other.port;
    let server = Server::start(move |path| match path {
        "/" => to("/second"),
        _ => to(format!("ws://127.0.0.1:{port}/1")),
    })
    .await;
    let connect = server.connect("/").follow_redirects(10);
    connect.on_request(async |request| Ok(request.header("x-token", "secret")?)).await.expect("connected");
    let ours = server.heads();
    assert_eq!(ours.len(), 2);
    assert!(ours.iter().all(|head| head.matches("x-token: secret").count() == 1), "{ours:?}");
    let theirs = other.heads();
    assert_eq!(theirs.len(), 2);
    assert!(theirs.iter().all(|head| !head.contains("x-token")), "{theirs:?}");
}

#[tokio::test(start_paused = true)]
async fn each_hop_has_its_deadline_and_all_of_them_one() {
    let server = Server::start(countdown).await;
    let start = Instant::now();
    // A hook that takes 8 s a hop is within 10 s each time, and beyond 30 s at the fourth.
    let connect = server.connect("/9").follow_redirects(10).on_redirect(async |redirect| {
        tokio::time::sleep(Duration::from_secs(8)).await;
        Ok(redirect.request)
    });
    let error = connect.await.expect_err("too long in all");
    assert!(matches!(error, ConnectError::Timeout { step: Step::Hook }), "{error:?}");
    assert_eq!((start.elapsed().as_secs(), server.heads().len()), (30, 4));

    let server = Server::start(|path| if path == "/" { to("/silent") } else { Does::Nothing }).await;
    let start = Instant::now();
    let error = server.connect("/").follow_redirects(10).await.expect_err("nobody answers");
    assert!(matches!(error, ConnectError::Timeout { step: Step::Handshake }), "{error:?}");
    assert_eq!(start.elapsed().as_secs(), 10);
}
