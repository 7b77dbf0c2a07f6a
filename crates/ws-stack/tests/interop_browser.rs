//! A smoke test with a browser: where Chromium is on the path, it opens a page that talks to our server.

use std::{fs, io::ErrorKind, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::mpsc::{Sender, channel},
    time::timeout,
};
use ws_stack::{
    BoxError, CloseCode, FirstRequest, PlainRequest, Refusal, ServerConfig, Upgrade,
    handshake::OriginPolicy,
    http::{Response, StatusCode},
};

const PAGE: &str = include_str!("browser/page.html");

/// What the page must report.
const EXPECTED: [&str; 13] = [
    "protocol b",
    "extensions none",
    "text hello",
    "text ",
    "text aß水𝄞",
    "binary 0 whole",
    "binary 126 whole",
    "binary 65536 whole",
    "binary 16777216 whole",
    "closed by the page: 4000 wörld clean",
    "closed by the server: 3001 bye clean",
    "dropped: 1006  not clean",
    "refused: 1006  not clean",
];

#[tokio::test]
async fn a_page_talks_to_our_server() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let Some(_browser) = browse(listener.local_addr()?)? else { return Ok(()) };
    let (lines, mut report) = channel(1);
    let serving = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let lines = lines.clone();
            // A browser opens connections that it does not use in the end, and leaves some as it likes.
            tokio::spawn(async move { serve(stream, lines).await.ok() });
        }
    });
    for expected in EXPECTED {
        let line = timeout(Duration::from_secs(30), report.recv()).await?;
        assert_eq!(line.as_deref(), Some(expected));
    }
    let last = timeout(Duration::from_secs(30), report.recv()).await?;
    assert_eq!(last.as_deref(), Some("closed with 1000"));
    serving.abort();
    Ok(())
}

/// Starts the browser; `None` where there is none.
fn browse(address: SocketAddr) -> Result<Option<Child>, BoxError> {
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop").join("chromium");
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

async fn serve(stream: TcpStream, lines: Sender<String>) -> Result<(), BoxError> {
    let mut config = ServerConfig::default();
    config.policy.origins = OriginPolicy::SameHost;
    match FirstRequest::read(stream, &config.into()).await? {
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
