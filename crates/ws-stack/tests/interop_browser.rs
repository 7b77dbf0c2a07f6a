//! A smoke test with a browser: where Chromium is on the path, it opens a page that talks to our server.

use std::{fs, io::ErrorKind, net::SocketAddr, path::Path, process::Stdio, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::mpsc::{Sender, channel},
    time::timeout,
};
use ws_stack::{
    BoxError, CloseCode, FirstRequest, PlainRequest, Refusal, ServerConfig, Upgrade,
    deflate::Options,
    handshake::OriginPolicy,
    http::{Response, StatusCode},
};

const PAGE: &str = include_str!("browser/page.html");

/// What the page must report behind the extensions in use.
const EXPECTED: [&str; 13] = [
    "protocol b",
    "text hello",
    "text ",
    "text aß水𝄞",
    "binary 0 whole",
    "binary 126 whole",
    "binary 65536 whole",
    "binary 16777216 whole",
    "noise whole",
    "closed by the page: 4000 wörld clean",
    "closed by the server: 3001 bye clean",
    "dropped: 1006  not clean",
    "refused: 1006  not clean",
];

#[tokio::test]
async fn a_page_talks_to_our_server() -> Result<(), BoxError> {
    a_page_talks("plain", ServerConfig::default(), "none").await
}

#[tokio::test]
async fn a_page_talks_to_our_server_compressed() -> Result<(), BoxError> {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::new());
    let extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    a_page_talks("compressed", config, extensions).await
}

#[tokio::test]
async fn a_page_talks_to_our_server_in_small_contexts() -> Result<(), BoxError> {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::small_contexts());
    let extensions = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12";
    a_page_talks("small-contexts", config, extensions).await
}

/// The whole of it; `extensions` are what the page must see in use.
async fn a_page_talks(name: &str, mut config: ServerConfig, extensions: &str) -> Result<(), BoxError> {
    config.policy.origins = OriginPolicy::SameHost;
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let Some(_browser) = browse(name, listener.local_addr()?)? else { return Ok(()) };
    let (lines, mut report) = channel(1);
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (lines, config) = (lines.clone(), Arc::clone(&config));
            // A browser opens connections that it does not use in the end, and leaves some as it likes.
            tokio::spawn(async move { serve(stream, &config, lines).await.ok() });
        }
    });
    let extensions = format!("extensions {extensions}");
    for expected in [&*extensions].into_iter().chain(EXPECTED) {
        let line = timeout(Duration::from_secs(30), report.recv()).await?;
        assert_eq!(line.as_deref(), Some(expected));
    }
    let last = timeout(Duration::from_secs(30), report.recv()).await?;
    assert_eq!(last.as_deref(), Some("closed with 1000"));
    serving.abort();
    Ok(())
}

/// Starts the browser; `None` where there is none.
fn browse(name: &str, address: SocketAddr) -> Result<Option<Child>, BoxError> {
    let profile =
        Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop").join("chromium").join(name);
    match fs::remove_dir_all(&profile) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let started = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("http://{address}/"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    match started {
        Ok(browser) => Ok(Some(browser)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Not by `eprintln`, whose output is kept back when a test passes.
            let line = b"not tested: interoperation with a browser: chromium is not on the path\n";
            std::io::Write::write_all(&mut std::io::stderr(), line)?;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

async fn serve(stream: TcpStream, config: &Arc<ServerConfig>, lines: Sender<String>) -> Result<(), BoxError> {
    match FirstRequest::read(stream, config).await? {
        FirstRequest::Upgrade(upgrade) => open(upgrade, lines).await,
        FirstRequest::Plain(request) => page(request).await,
    }
}

async fn page(request: PlainRequest<TcpStream>) -> Result<(), BoxError> {
    let mut response = Response::builder();
    let body = if request.request().uri().path() == "/" {
        response = response.header("content-type", "text/html; charset=utf-8");
        PAGE
    } else {
        response = response.status(StatusCode::NOT_FOUND);
        ""
    };
    Ok(request.respond(&response.body(body)?).await?)
}

async fn open(upgrade: Upgrade<TcpStream>, lines: Sender<String>) -> Result<(), BoxError> {
    let path = upgrade.request().uri().path().to_owned();
    if path == "/refuse" {
        return Ok(upgrade.refuse(Refusal::new(StatusCode::FORBIDDEN, "not today")).await?);
    }
    let mut ws = upgrade.accept().await?;
    match &*path {
        "/close" => _ = ws.close(CloseCode::new(3001)?, "bye").await?,
        "/drop" => ws.close_now(),
        "/report" => {
            while let Some(message) = ws.recv().await {
                lines.send(message?.as_text().unwrap_or("not text").to_owned()).await?;
            }
            let code = ws.closed().map_or(0, |closed| closed.code);
            lines.send(format!("closed with {code}")).await?;
        }
        _ => {
            let (rx, tx) = ws.halves();
            while let Some(message) = rx.recv(tx).await {
                tx.feed(message?)?;
            }
        }
    }
    Ok(())
}
