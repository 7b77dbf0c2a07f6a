//! A server that speaks TLS, and peers that do not, or not to the end.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use rustls::ClientConfig;

use super::super::peer::{Ending, connect};
use super::super::plan::{Attack, Bounds};
use super::super::tls::{open_tls, read_end, talk_tls};
use super::super::wire::{By, REQUEST, TEXT, close, frame};
use super::{PATIENCE, Server, expect};

/// The cryptography of a handshake is a millisecond or two of CPU, and what a connection holds some dozen KiB.
const BOUNDS: Bounds = Bounds::SMALL.cpu(Duration::from_millis(60)).memory(1 << 20);

/// A `ClientHello` whose record says that it is longer than it is.
const CUT_SHORT: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let mut rows = Vec::new();
    let large = [b"\x16\x03\x01\xff\xff".to_vec(), vec![0; 65_535]].concat();
    for (name, bytes) in [
        ("a request without TLS", REQUEST.as_bytes().to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ("zeros", vec![0; 4096]),
        ("a record of 65,535 bytes", large),
        ("SSL 2", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80\x02\x00\x80".to_vec()),
        ("an alert", b"\x15\x03\x01\x00\x02\x02\x50".to_vec()),
        ("application data before the handshake", b"\x17\x03\x03\x00\x05Hello".to_vec()),
        ("a ClientHello of nothing", b"\x16\x03\x01\x00\x04\x01\x00\x00\x00".to_vec()),
        ("a handshake message of 16 MiB announced", b"\x16\x03\x01\x00\x04\x01\xff\xff\xff".to_vec()),
    ] {
        rows.push(Attack::new(name, BOUNDS, move |server: &Server| refused(server, &bytes)));
    }
    rows.extend([
        with_client("a good session, ended by both", |server, client| {
            let frames = [frame(By::Client, TEXT, "well?"), close(By::Client, 1000, "")].concat();
            let seen = talk_tls(server, client, &[REQUEST.as_bytes(), &frames].concat(), PATIENCE)?;
            ensure!(seen.frames.len() == 1, "no echo");
            expect(&seen, Ending::Close(Some(1000)))?;
            Ok("Close 1000, and an end of TLS".to_owned())
        }),
        with_client("a bad request under TLS", |server, client| {
            let request = REQUEST.replace("GET ", "POST ");
            let seen = talk_tls(server, client, request.as_bytes(), PATIENCE)?;
            ensure!(seen.status == 405 && seen.is_framed, "answered {}", seen.status);
            ensure!(seen.ending == Ending::Ended, "ended with {:?}", seen.ending);
            Ok("405, and an end of TLS".to_owned())
        }),
        with_client("an end without close_notify inside a message", |server, client| {
            let mut stream = opened(server, client)?;
            stream.write_all(&frame(By::Client, TEXT, "cut short")[..8])?;
            stream.flush()?;
            stream.sock.shutdown(Shutdown::Write)?;
            let (received, ending) = read_end(&mut stream, PATIENCE)?;
            ensure!(ending != Ending::Open, "it stays open");
            ensure!(!received.windows(3).any(|window| window == b"cut"), "a part of a message came back");
            Ok("the end".to_owned())
        }),
        with_client("close_notify without a Close", |server, client| {
            let mut stream = opened(server, client)?;
            stream.conn.send_close_notify();
            stream.flush()?;
            let (_, ending) = read_end(&mut stream, PATIENCE)?;
            ensure!(ending != Ending::Open, "it stays open");
            Ok("the end".to_owned())
        }),
        with_client("a record that is not the session's", |server, client| {
            let mut stream = opened(server, client)?;
            stream.sock.write_all(&[b"\x17\x03\x03\x00\x20".to_vec(), vec![7; 32]].concat())?;
            let (_, ending) = read_end(&mut stream, PATIENCE)?;
            ensure!(ending == Ending::Reset, "ended with {ending:?} instead of an alert");
            Ok("an alert".to_owned())
        }),
        Attack::new("500 half ClientHellos", BOUNDS.memory(500 * (24 << 10)), |server: &Server| {
            let mut streams = Vec::new();
            for _ in 0..500 {
                let mut stream = connect(server.address)?;
                stream.write_all(CUT_SHORT)?;
                streams.push(stream);
            }
            // One more that is served shows that the others have been looked at.
            server.is_well()?;
            Ok(format!("{} connections wait", streams.len()))
        }),
    ]);
    rows
}

fn with_client(
    name: &str,
    act: impl Fn(SocketAddr, &Arc<ClientConfig>) -> anyhow::Result<String> + 'static,
) -> Attack<Server> {
    Attack::new(name, BOUNDS, move |server: &Server| {
        act(server.address, server.tls.as_ref().context("the server has no TLS")?)
    })
}

/// An open WebSocket under TLS, the answer read.
fn opened(server: SocketAddr, client: &Arc<ClientConfig>) -> anyhow::Result<super::super::tls::ClientStream> {
    let mut stream = open_tls(server, client)?;
    stream.write_all(REQUEST.as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).context("no answer to the request")?;
        head.push(byte[0]);
    }
    ensure!(head.starts_with(b"HTTP/1.1 101 "), "not opened");
    Ok(stream)
}

/// Sends what is no TLS, and waits for the end: behind an alert of TLS (RFC 8446 section 6), or nothing.
fn refused(server: &Server, bytes: &[u8]) -> anyhow::Result<String> {
    let mut stream = connect(server.address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // What cannot be written any more has been refused already.
    let _ = stream.write_all(bytes);
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => bail!("it stays open"),
        _ => {}
    }
    ensure!(
        received.is_empty() || (received[0] == 0x15 && received.len() == 7),
        "{} bytes came that are no alert",
        received.len()
    );
    Ok(if received.is_empty() { "the end" } else { "an alert" }.to_owned())
}

/// What a peer does before it waits.
type Begin = Box<dyn FnOnce() -> anyhow::Result<TcpStream> + Send>;

/// Peers that stop inside of the TLS handshake, or behind it: dropped when the time for a handshake is up.
pub(super) fn slow() -> Vec<Attack<Server>> {
    let bounds = Bounds::SMALL.time(Duration::from_secs(30)).memory(4 << 20).cpu(Duration::from_millis(60));
    vec![Attack::new("the deadline under TLS", bounds, |server: &Server| {
        let address = server.address;
        let config = Arc::clone(server.tls.as_ref().context("the server has no TLS")?);
        let waits: [(&str, Begin); 4] = [
            ("no ClientHello", Box::new(move || connect(address))),
            ("half a ClientHello", Box::new(move || begun(address, CUT_SHORT))),
            ("a ClientHello of a byte a second", Box::new(move || dribbled(address))),
            ("TLS, and no request", Box::new(move || Ok(open_tls(address, &config)?.sock))),
        ];
        let threads = waits.map(|(name, begin)| thread::spawn(move || dropped_in_time(name, begin)));
        let mut all = Vec::new();
        for thread in threads {
            all.push(thread.join().map_err(|_| anyhow::anyhow!("failed"))??);
        }
        Ok(all.join("; "))
    })]
}

fn begun(address: SocketAddr, bytes: &[u8]) -> anyhow::Result<TcpStream> {
    let mut stream = connect(address)?;
    stream.write_all(bytes)?;
    Ok(stream)
}

fn dribbled(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = connect(address)?;
    let mut writer = stream.try_clone()?;
    thread::spawn(move || {
        for byte in CUT_SHORT.iter().chain(&[0; 8]) {
            if writer.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_secs(1));
        }
    });
    Ok(stream)
}

/// Whether the server ends the connection ten seconds after it began: not a tenth of a second early, nor two seconds late.
fn dropped_in_time(name: &str, begin: Begin) -> anyhow::Result<String> {
    let start = Instant::now();
    let mut stream = begin().with_context(|| name.to_owned())?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    match stream.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => bail!("{name}: it is not dropped"),
        _ => {}
    }
    let waited = start.elapsed().as_secs_f32();
    ensure!((9.9..12.0).contains(&waited), "{name}: the end came after {waited:.1} s, due after 10 s");
    Ok(format!("{name}: dropped after {waited:.1} s"))
}
