//! Proxies that lie: what a tunnel is asked for with is answered by what is no tunnel.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::super::plan::{Attack, Bounds};
use super::super::wire::{By, close};
use super::answers::BOUNDS;
use super::stage::{Ended, Stage, accept_key, answer, read_head};

/// The server behind them, which nobody is asked about but the proxy.
const SERVER: &str = "ws://server.invalid:9001/";

/// A reply of a SOCKS5 proxy that has connected (RFC 1928 section 6).
const CONNECTED: &[u8] = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50";

/// What a proxy that is asked by CONNECT says when a tunnel stands.
const ESTABLISHED: &str = "HTTP/1.1 200 Connection established\r\n\r\n";

pub(super) fn attacks() -> Vec<Attack<Stage>> {
    let mut rows = by_connect();
    rows.extend(by_socks());
    rows
}

fn by_connect() -> Vec<Attack<Stage>> {
    let mut rows = vec![
        tunnel("CONNECT: a good tunnel", ESTABLISHED),
        // RFC 9110 section 9.3.6: a length there means nothing.
        tunnel("CONNECT: a length on the 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        tunnel(
            "CONNECT: chunks announced on the 200",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        Attack::new("CONNECT: a head without end", BOUNDS.time(Duration::from_secs(5)), |stage: &Stage| {
            let (mut stream, _) = asked(stage, &[])?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            let sent = pour(stage, &mut stream, &b"A: b\r\n".repeat(1000));
            ensure!(sent < 16 << 20, "{sent} bytes were taken");
            stage.expect_exit(2)
        }),
        Attack::new("CONNECT: a server of TLS that speaks first", BOUNDS.memory(4 << 20), |stage: &Stage| {
            let proxy = format!("http://{}", stage.address()?);
            stage.start(&["--proxy", &proxy, &SERVER.replace("ws:", "wss:")])?;
            let mut stream = stage.accept()?;
            read_head(&mut stream)?;
            stream.write_all(&[ESTABLISHED.as_bytes(), b"\x16\x03\x03\x00\x04\x02\x00\x00\x00"].concat())?;
            stage.expect_exit(2)
        }),
        Attack::new("CONNECT: 407, whatever is said", BOUNDS, |stage: &Stage| {
            let proxy = format!("http://ali:sesame@{}", stage.address()?);
            stage.start(&["--proxy", &proxy, SERVER])?;
            let mut stream = stage.accept()?;
            let head = read_head(&mut stream)?;
            ensure!(
                head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic "),
                "no credentials came"
            );
            stream.write_all(
                b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\
                  Content-Length: 0\r\n\r\n",
            )?;
            let seen = stage.expect_exit(2)?;
            ensure!(stage.accept_now()?.is_none(), "it has come back");
            Ok(seen)
        }),
    ];
    for (name, says) in [
        ("200 with a body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello".to_owned()),
        ("407 without credentials", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n".to_owned()),
        ("502 with a body that does not come", "HTTP/1.1 502 No\r\nContent-Length: 9\r\n\r\n".to_owned()),
        ("a redirect", "HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n".to_owned()),
        ("101", "HTTP/1.1 101 Switching Protocols\r\n\r\n".to_owned()),
        ("interim answers without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(5000)),
        ("a status that is none", "HTTP/1.1 2OO OK\r\n\r\n".to_owned()),
        ("HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n".to_owned()),
        ("a space before a colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n".to_owned()),
        ("101 headers", format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(101))),
        ("another protocol", "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned()),
        ("SOCKS5", "\u{5}\0\u{5}\0\0\u{1}\0\0\0\0\0\0\r\n\r\n".to_owned()),
        ("an answer of the server's in the tunnel's place", answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "")),
        ("a tunnel to another answer", format!("{ESTABLISHED}HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")),
        ("a tunnel to noise", format!("{ESTABLISHED}{}", "\u{1}\u{5}noise".repeat(3000))),
    ] {
        rows.push(Attack::new(format!("CONNECT: {name}"), BOUNDS, move |stage: &Stage| {
            let (mut stream, _) = asked(stage, &["--max-redirects", "5"])?;
            let _left = stream.write_all(says.as_bytes());
            let _left = stream.shutdown(Shutdown::Write);
            stage.expect_exit(2)
        }));
    }
    rows.push(Attack::new("CONNECT: the end one byte before the answer's", BOUNDS, |stage: &Stage| {
        let (mut stream, _) = asked(stage, &[])?;
        stream.write_all(&ESTABLISHED.as_bytes()[..ESTABLISHED.len() - 1])?;
        stream.shutdown(Shutdown::Write)?;
        stage.expect_exit(2)
    }));
    rows
}

/// A client that asks us for a tunnel by CONNECT, and what it has said. What is meant for the server is not in there.
fn asked(stage: &Stage, more: &[&str]) -> anyhow::Result<(TcpStream, String)> {
    let proxy = format!("http://{}", stage.address()?);
    let arguments = ["--auth", "ali:sesame", "-H", "Cookie: session=1", "--proxy", &proxy, SERVER];
    stage.start(&[more, &arguments].concat())?;
    let mut stream = stage.accept()?;
    let head = read_head(&mut stream)?;
    ensure!(
        head.starts_with("CONNECT server.invalid:9001 "),
        "it asks for {}",
        head.lines().next().unwrap_or("")
    );
    for secret in ["authorization", "cookie"] {
        ensure!(!head.to_ascii_lowercase().contains(secret), "the proxy is told of {secret}");
    }
    Ok((stream, head))
}

/// What a proxy says that has opened the tunnel, and then a server that is as it should be.
fn tunnel(name: &str, says: &'static str) -> Attack<Stage> {
    Attack::new(name, BOUNDS, move |stage: &Stage| {
        let (mut stream, _) = asked(stage, &[])?;
        stream.write_all(says.as_bytes())?;
        serve(stage, stream)
    })
}

/// The server at the other end of a tunnel: opens, and closes with 1000.
fn serve(stage: &Stage, mut stream: TcpStream) -> anyhow::Result<String> {
    let head = read_head(&mut stream)?;
    ensure!(head.starts_with("GET / "), "nothing is asked of the server");
    stream.write_all(answer(&accept_key(&head)?, "").as_bytes())?;
    stream.write_all(&close(By::Server, 1000, ""))?;
    stage.play_on(stream, &head)?.expect(Ended::Closed(1000), 0)
}

/// Sends until nothing more is taken, or so much that it is too much.
fn pour(stage: &Stage, stream: &mut TcpStream, block: &[u8]) -> usize {
    let mut sent = 0;
    while sent < 64 << 20 && stream.write_all(block).is_ok() {
        sent += block.len();
        stage.note_usage();
    }
    sent
}

/// What a SOCKS5 proxy says in turn: its choice of a method, whatever comes behind it.
type Says = (&'static str, &'static [&'static [u8]]);

/// None of these is a tunnel (RFC 1928 sections 3 to 6, RFC 1929).
const NO_TUNNEL: [Says; 22] = [
    ("the wrong version", &[b"\x04\x00"]),
    ("an answer of HTTP", &[b"HTTP/1.1 400 Bad Request\r\n\r\n"]),
    ("a byte, and the end", &[b"\x05"]),
    ("nothing, and the end", &[b""]),
    ("no method that it takes", &[b"\x05\xff"]),
    ("a method that was not offered", &[b"\x05\x01"]),
    ("a password wanted, without one", &[b"\x05\x02"]),
    ("a method that nobody knows", &[b"\x05\x80"]),
    ("the wrong version in the reply", &[b"\x05\x00", b"\x04\x00\x00\x01\0\0\0\0\0\0"]),
    ("a general failure", &[b"\x05\x00", b"\x05\x01\x00\x01\0\0\0\0\0\0"]),
    ("not allowed", &[b"\x05\x00", b"\x05\x02\x00\x01\0\0\0\0\0\0"]),
    ("host unreachable", &[b"\x05\x00", b"\x05\x04\x00\x01\0\0\0\0\0\0"]),
    ("connection refused", &[b"\x05\x00", b"\x05\x05\x00\x01\0\0\0\0\0\0"]),
    ("no such command", &[b"\x05\x00", b"\x05\x07\x00\x01\0\0\0\0\0\0"]),
    ("a reply that nobody knows", &[b"\x05\x00", b"\x05\xff\x00\x01\0\0\0\0\0\0"]),
    ("an address of no type", &[b"\x05\x00", b"\x05\x00\x00\x00\0\0\0\0\0\0"]),
    ("an address of a type that nobody knows", &[b"\x05\x00", b"\x05\x00\x00\x09\0\0\0\0\0\0"]),
    ("a reply cut short", &[b"\x05\x00", b"\x05\x00\x00\x01\x7f\x00"]),
    ("a name of 255 bytes that does not come", &[b"\x05\x00", b"\x05\x00\x00\x03\xffabc"]),
    ("a tunnel to nobody", &[b"\x05\x00", CONNECTED]),
    (
        "a tunnel to noise",
        &[b"\x05\x00", b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50\x01\x05noise\x01\x05noise\r\n\r\n"],
    ),
    ("its answers at once, and noise", &[b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50noise\r\n\r\n"]),
];

fn by_socks() -> Vec<Attack<Stage>> {
    let mut rows: Vec<_> = NO_TUNNEL
        .map(|(name, says)| {
            Attack::new(format!("SOCKS5: {name}"), BOUNDS, move |stage: &Stage| {
                let mut stream = greeted(stage, "")?;
                for (number, answer) in says.iter().enumerate() {
                    if number > 0 {
                        // What the client says is of no interest, only that it has read the answer before.
                        ensure!(stream.read(&mut [0; 512])? > 0, "the client left behind answer {number}");
                    }
                    stream.write_all(answer)?;
                }
                let _left = stream.shutdown(Shutdown::Write);
                stage.expect_exit(2)
            })
        })
        .into();
    for (name, reply) in [
        ("IPv4", CONNECTED),
        ("IPv6", b"\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x50"),
        ("a name", b"\x05\x00\x00\x03\x09localhost\x00\x50"),
    ] {
        rows.push(Attack::new(format!("SOCKS5: a good tunnel, {name}"), BOUNDS, move |stage: &Stage| {
            let mut stream = greeted(stage, "")?;
            stream.write_all(b"\x05\x00")?;
            let mut request = [0; 4 + 1 + "server.invalid".len() + 2];
            stream.read_exact(&mut request).context("no request came")?;
            ensure!(request.starts_with(b"\x05\x01\x00\x03\x0eserver.invalid"), "another request came");
            for byte in reply {
                stream.write_all(&[*byte])?;
            }
            serve(stage, stream)
        }));
    }
    for (name, reply) in
        [("a password refused", &b"\x01\x01"[..]), ("a password answered in another version", b"\x05\x00")]
    {
        rows.push(Attack::new(format!("SOCKS5: {name}"), BOUNDS, move |stage: &Stage| {
            let mut stream = greeted(stage, "ali:sesame@")?;
            stream.write_all(b"\x05\x02")?;
            let mut password = [0; 3 + "alisesame".len()];
            stream.read_exact(&mut password).context("no password came")?;
            ensure!(&password == b"\x01\x03ali\x06sesame", "another password came");
            stream.write_all(reply)?;
            let seen = stage.expect_exit(2)?;
            ensure!(stage.accept_now()?.is_none(), "it has come back");
            Ok(seen)
        }));
    }
    rows
}

/// A client that asks us by SOCKS5, its greeting read.
fn greeted(stage: &Stage, credentials: &str) -> anyhow::Result<TcpStream> {
    let proxy = format!("socks5://{credentials}{}", stage.address()?);
    stage.start(&["--proxy", &proxy, SERVER])?;
    let mut stream = stage.accept()?;
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).context("no greeting came")?;
    ensure!(greeting[0] == 5, "the greeting is one of version {}", greeting[0]);
    stream.read_exact(&mut vec![0; greeting[1].into()]).context("no methods came")?;
    Ok(stream)
}

/// Proxies that say nothing, or not enough: given up after ten seconds.
pub(super) fn slow() -> Vec<Attack<Stage>> {
    vec![
        silent("CONNECT: silence", |stage| Ok(asked(stage, &[])?.0)),
        silent("SOCKS5: silence behind the method", |stage| {
            let mut stream = greeted(stage, "")?;
            stream.write_all(b"\x05\x00\x05\x00")?;
            Ok(stream)
        }),
        silent("TLS: silence", |stage| {
            stage.start(&[&format!("wss://{}/", stage.address()?)])?;
            stage.accept()
        }),
    ]
}

fn silent(name: &str, begin: fn(&Stage) -> anyhow::Result<TcpStream>) -> Attack<Stage> {
    let bounds: Bounds = BOUNDS.time(Duration::from_secs(20)).memory(4 << 20).cpu(Duration::from_millis(80));
    Attack::new(name, bounds, move |stage: &Stage| {
        let start = Instant::now();
        let mut stream = begin(stage)?;
        stream.set_read_timeout(Some(Duration::from_secs(15)))?;
        // Whatever it has said before, it leaves in the end; a reset is an end as well.
        let _end = stream.read_to_end(&mut Vec::new());
        let waited = start.elapsed().as_secs_f32();
        ensure!((9.8..12.0).contains(&waited), "it gave up after {waited:.1} s, due after 10 s");
        Ok(format!("{}, after {waited:.1} s", stage.expect_exit(2)?))
    })
}
