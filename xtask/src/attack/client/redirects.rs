//! Answers that lead elsewhere: in circles, nowhere, and to servers that must not learn what was meant for another.

use std::io::Write as _;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::super::plan::{Attack, Bounds};
use super::super::tls::{Authority, Identity};
use super::super::wire::{By, close};
use super::answers::BOUNDS;
use super::stage::{Ended, Stage, accept, accept_key, answer, listener, read_head};
use super::tls::secured;

/// How many redirects the client may follow.
const LIMIT: usize = 5;

/// What is meant for the first server alone.
const SECRETS: [&str; 4] = ["--auth", "ali:sesame", "-H", "Cookie: session=1"];

/// How an address of the first server leads to the next, given the number of the redirect.
type Location = fn(usize) -> String;

pub(super) fn attacks(authority: &Rc<Authority>) -> anyhow::Result<Vec<Attack<Stage>>> {
    let mut rows = vec![
        Attack::new("a redirect that nobody has asked to follow", BOUNDS, |stage: &Stage| {
            stage.start(&[&own(stage)?])?;
            redirect(stage, "Location: /\r\n")?;
            refused(stage)
        }),
        without_end("a circle", |_| "/".to_owned()),
        without_end("a way without end", |number| format!("/{number}?a={}", "b".repeat(number * 1000))),
        other_server("another port of the same host"),
        Attack::new("a redirect whose body does not come", BOUNDS, |stage: &Stage| {
            start(stage)?;
            let _held = redirect(stage, "Location: /next\r\nContent-Length: 1000000000\r\n")?;
            welcome(stage, stage.accept()?, |head| ensure_path(head, "/next"))
        }),
    ];
    let server = authority.server(Identity::Right)?;
    let file = authority.file.clone();
    rows.push(Attack::new("out of TLS, to the same host", TLS_BOUNDS, move |stage: &Stage| {
        let first = format!("wss://localhost:{}/", stage.address()?.port());
        let file = file.to_str().context("the target directory's path is no text")?;
        stage.start(&[&SECRETS[..], &["--max-redirects", "5", "--ca", file, &first]].concat())?;
        let mut stream = secured(stage, &server)?;
        let head = read_head(&mut stream)?;
        ensure!(tells_secrets(&head), "the first server is not told what was meant for it");
        let plain = listener()?;
        let to = format!("ws://localhost:{}/", plain.local_addr()?.port());
        stream.write_all(moved(&format!("Location: {to}\r\n")).as_bytes())?;
        welcome(stage, accept(&plain)?, ensure_no_secrets)
    }));
    for (name, lines) in [
        ("no Location", ""),
        ("an empty Location", "Location:\r\n"),
        ("a Location of spaces", "Location: a b\r\n"),
        ("a Location with a fragment", "Location: /a#b\r\n"),
        ("a Location of another scheme", "Location: ftp://127.0.0.1/\r\n"),
        ("a Location that is a script", "Location: javascript:alert(1)\r\n"),
        ("a Location that is a file", "Location: file:/etc/passwd\r\n"),
        ("a Location without a host", "Location: http://\r\n"),
        ("a Location of a port that is none", "Location: ws://127.0.0.1:65536/\r\n"),
        ("a Location with credentials", "Location: ws://ali:sesame@127.0.0.1:1/\r\n"),
        ("a Location that is not ASCII", "Location: ws://\u{e9}\u{2028}/\r\n"),
    ] {
        rows.push(Attack::new(name, BOUNDS, move |stage: &Stage| {
            start(stage)?;
            redirect(stage, lines)?;
            refused(stage)
        }));
    }
    for status in
        ["300 Multiple Choices", "304 Not Modified", "305 Use Proxy", "306 Switch Proxy", "399 Moved"]
    {
        let name = format!("status {}", &status[..3]);
        rows.push(Attack::new(name, BOUNDS, move |stage: &Stage| {
            start(stage)?;
            let mut stream = stage.accept()?;
            read_head(&mut stream)?;
            let answer = moved("Location: /next\r\n").replace("302 Found", status);
            stream.write_all(answer.as_bytes())?;
            refused(stage)
        }));
    }
    Ok(rows)
}

/// The cryptography of a handshake, and the reading of certificates.
const TLS_BOUNDS: Bounds = BOUNDS.cpu(Duration::from_millis(80)).memory(4 << 20);

fn own(stage: &Stage) -> anyhow::Result<String> {
    Ok(format!("ws://{}/", stage.address()?))
}

/// A client that follows redirects, and has secrets.
fn start(stage: &Stage) -> anyhow::Result<()> {
    stage.start(&[&SECRETS[..], &["--max-redirects", &LIMIT.to_string(), &own(stage)?]].concat())
}

fn moved(lines: &str) -> String {
    let length = if lines.contains("Content-Length") { "" } else { "Content-Length: 0\r\n" };
    format!("HTTP/1.1 302 Found\r\n{length}{lines}\r\n")
}

/// Reads the next request, and answers with a redirect of these lines.
fn redirect(stage: &Stage, lines: &str) -> anyhow::Result<TcpStream> {
    let mut stream = stage.accept()?;
    read_head(&mut stream)?;
    stream.write_all(moved(lines).as_bytes())?;
    Ok(stream)
}

/// The client has given up, and asked for nothing more.
fn refused(stage: &Stage) -> anyhow::Result<String> {
    let seen = stage.expect_exit(2)?;
    ensure!(stage.accept_now()?.is_none(), "it has asked once more");
    Ok(seen)
}

/// A way that does not end: so many redirects are followed, and one more is not.
fn without_end(name: &str, location: Location) -> Attack<Stage> {
    Attack::new(name, BOUNDS.cpu(Duration::from_millis(80)), move |stage: &Stage| {
        start(stage)?;
        for number in 0..=LIMIT {
            redirect(stage, &format!("Location: {}\r\n", location(number)))
                .with_context(|| format!("request {number}"))?;
        }
        Ok(format!("{}, behind {LIMIT} redirects", refused(stage)?))
    })
}

/// The next server is opened, and not told what was meant for the first.
fn other_server(name: &str) -> Attack<Stage> {
    Attack::new(name, BOUNDS, |stage: &Stage| {
        start(stage)?;
        let mut stream = stage.accept()?;
        ensure!(
            tells_secrets(&read_head(&mut stream)?),
            "the first server is not told what was meant for it"
        );
        let other = listener()?;
        stream.write_all(moved(&format!("Location: ws://{}/\r\n", other.local_addr()?)).as_bytes())?;
        welcome(stage, accept(&other)?, ensure_no_secrets)
    })
}

/// Reads a request, looks at it, accepts it, and closes with 1000.
fn welcome(
    stage: &Stage,
    mut stream: TcpStream,
    check: impl Fn(&str) -> anyhow::Result<()>,
) -> anyhow::Result<String> {
    let head = read_head(&mut stream)?;
    check(&head)?;
    stream.write_all(answer(&accept_key(&head)?, "").as_bytes())?;
    stream.write_all(&close(By::Server, 1000, ""))?;
    stage.play_on(stream, &head)?.expect(Ended::Closed(1000), 0)
}

fn tells_secrets(head: &str) -> bool {
    let head = head.to_ascii_lowercase();
    head.contains("\r\nauthorization:") && head.contains("\r\ncookie:")
}

fn ensure_no_secrets(head: &str) -> anyhow::Result<()> {
    let head = head.to_ascii_lowercase();
    for secret in ["authorization", "cookie", "sesame", "session"] {
        ensure!(!head.contains(secret), "the other server is told of {secret}");
    }
    Ok(())
}

fn ensure_path(head: &str, path: &str) -> anyhow::Result<()> {
    ensure!(head.starts_with(&format!("GET {path} ")), "it asks for something else than {path}");
    Ok(())
}
