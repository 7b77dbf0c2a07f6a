//! Servers whose TLS is not what it should be: nothing of the request may leave the client.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::super::plan::{Attack, Bounds};
use super::super::tls::{Authority, Identity, ServerStream};
use super::super::wire::{By, PING, TEXT, close, frame};
use super::answers::BOUNDS as PLAIN;
use super::stage::{Stage, accept_key, answer, read_head};

/// The cryptography of a handshake, and the reading of certificates; those of the system are some MiB.
const BOUNDS: Bounds = PLAIN.cpu(Duration::from_millis(150)).memory(8 << 20);

pub(super) fn attacks(authority: &Rc<Authority>) -> anyhow::Result<Vec<Attack<Stage>>> {
    let mut rows = vec![opened(
        "a good server",
        authority,
        |_, stream| {
            stream.write_all(&close(By::Server, 1000, ""))?;
            read_reply(stream)?;
            stream.conn.send_close_notify();
            Ok(stream.flush()?)
        },
        0,
    )?];
    for (name, identity) in [
        ("a certificate for another name", Identity::OtherName),
        ("a certificate that has expired", Identity::Expired),
        ("a certificate that is not valid yet", Identity::NotYet),
        ("a certificate that nobody has signed", Identity::SelfSigned),
        ("a certificate of another authority of the same name", Identity::OtherAuthority),
    ] {
        rows.push(refused(name, authority, identity, true)?);
    }
    rows.push(refused("a certificate that only the system could trust", authority, Identity::Right, false)?);
    let certificate = flight(authority)?;
    for (name, says) in [
        ("a page without TLS", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ("zeros", vec![0; 4096]),
        ("nothing, and the end", Vec::new()),
        ("an alert", b"\x15\x03\x03\x00\x02\x02\x28".to_vec()),
        ("a ServerHello of nothing", b"\x16\x03\x03\x00\x04\x02\x00\x00\x00".to_vec()),
        ("a handshake message of 16 MiB announced", b"\x16\x03\x03\x00\x04\x02\xff\xff\xff".to_vec()),
        ("a record of 65,535 bytes", [b"\x16\x03\x03\xff\xff".to_vec(), vec![0; 65_535]].concat()),
        ("application data before the handshake", b"\x17\x03\x03\x00\x05Hello".to_vec()),
        ("a flight that is cut short", certificate[..certificate.len() / 2].to_vec()),
        ("the flight of another session", certificate),
    ] {
        let file = authority.file.clone();
        rows.push(Attack::new(name, BOUNDS, move |stage: &Stage| {
            stage.start(&["--ca", file.to_str().context("a path that is no text")?, &address(stage)?])?;
            let mut stream = stage.accept()?;
            let _hello = stream.read(&mut [0; 4096])?;
            let _left = stream.write_all(&says);
            let _left = stream.shutdown(Shutdown::Write);
            stage.expect_exit(2)
        }));
    }
    rows.push(Attack::new("records without end", BOUNDS.time(Duration::from_secs(5)), |stage: &Stage| {
        stage.start(&["-n", &address(stage)?])?;
        let mut stream = stage.accept()?;
        let record = [b"\x16\x03\x03\x40\x00\x02\xff\xff\xff".to_vec(), vec![7; 16_380]].concat();
        let mut sent = 0;
        while sent < 64 << 20 && stream.write_all(&record).is_ok() {
            sent += record.len();
            stage.note_usage();
        }
        ensure!(sent < 16 << 20, "{sent} bytes were taken");
        stage.expect_exit(2)
    }));
    rows.push(opened(
        "an end without close_notify, and without a Close",
        authority,
        |_, stream| {
            stream.write_all(&frame(By::Server, TEXT, "whole"))?;
            stream.flush()?;
            Ok(stream.sock.shutdown(Shutdown::Both)?)
        },
        1,
    )?);
    rows.push(opened(
        "an end without close_notify inside of a message",
        authority,
        |_, stream| {
            stream.write_all(&frame(By::Server, TEXT, "cut short")[..5])?;
            stream.flush()?;
            Ok(stream.sock.shutdown(Shutdown::Both)?)
        },
        1,
    )?);
    rows.push(opened(
        "a Close, and an end without close_notify",
        authority,
        |_, stream| {
            stream.write_all(&close(By::Server, 1000, ""))?;
            read_reply(stream)?;
            Ok(stream.sock.shutdown(Shutdown::Both)?)
        },
        0,
    )?);
    rows.push(opened(
        "a record that is not the session's",
        authority,
        |stage, stream| {
            // A client that answers pings has read the answer before.
            stream.write_all(&frame(By::Server, PING, "open?"))?;
            read_reply(stream)?;
            stream.sock.write_all(&[b"\x17\x03\x03\x00\x20".to_vec(), vec![7; 32]].concat())?;
            stage.note_usage();
            Ok(())
        },
        1,
    )?);
    Ok(rows)
}

fn address(stage: &Stage) -> anyhow::Result<String> {
    Ok(format!("wss://localhost:{}/", stage.address()?.port()))
}

/// The next client's TLS, as far as it goes along.
pub(super) fn secured(stage: &Stage, config: &Arc<ServerConfig>) -> anyhow::Result<ServerStream> {
    let mut stream = stage.accept()?;
    let mut session = ServerConnection::new(Arc::clone(config))?;
    while session.is_handshaking() {
        session.complete_io(&mut stream).context("the client does not go on with TLS")?;
        stage.note_usage();
    }
    Ok(StreamOwned::new(session, stream))
}

/// A server who is not who it should be: the client says why in TLS, and asks for nothing.
fn refused(
    name: &str,
    authority: &Rc<Authority>,
    identity: Identity,
    is_trusted: bool,
) -> anyhow::Result<Attack<Stage>> {
    let config = authority.server(identity)?;
    let file = authority.file.clone();
    Ok(Attack::new(name, BOUNDS, move |stage: &Stage| {
        let file = file.to_str().context("a path that is no text")?;
        let trust: &[&str] = if is_trusted { &["--ca", file] } else { &[] };
        stage.start(&[trust, &["--auth", "ali:sesame", &address(stage)?]].concat())?;
        // With TLS 1.3 the server's handshake may be over before the client's refusal has come.
        if let Ok(mut stream) = secured(stage, &config) {
            let mut request = Vec::new();
            let _end = stream.read_to_end(&mut request);
            ensure!(request.is_empty(), "{} bytes of a request came", request.len());
        }
        stage.expect_exit(2)
    }))
}

/// A connection that is opened, what the server does then, and the client's exit status.
fn opened(
    name: &str,
    authority: &Rc<Authority>,
    act: fn(&Stage, &mut ServerStream) -> anyhow::Result<()>,
    status: i32,
) -> anyhow::Result<Attack<Stage>> {
    let config = authority.server(Identity::Right)?;
    let file = authority.file.clone();
    Ok(Attack::new(name, BOUNDS, move |stage: &Stage| {
        stage.start(&["--ca", file.to_str().context("a path that is no text")?, &address(stage)?])?;
        let mut stream = secured(stage, &config)?;
        let head = read_head(&mut stream)?;
        stream.write_all(answer(&accept_key(&head)?, "").as_bytes())?;
        stream.flush()?;
        act(stage, &mut stream)?;
        stage.expect_exit(status)
    }))
}

/// Waits for the client's answer to a frame, a Close or a ping.
fn read_reply(stream: &mut ServerStream) -> anyhow::Result<()> {
    let read = stream.read(&mut [0; 64]).context("no answer came")?;
    ensure!(read > 0, "the client left without an answer");
    Ok(())
}

/// The first flight of a server, as it is said to somebody else.
fn flight(authority: &Authority) -> anyhow::Result<Vec<u8>> {
    let listener = super::stage::listener()?;
    let mut session = rustls::ClientConnection::new(authority.client()?, "localhost".try_into()?)?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    while session.wants_write() {
        session.write_tls(&mut client)?;
    }
    let mut server = super::stage::accept(&listener)?;
    let mut session = ServerConnection::new(authority.server(Identity::Right)?)?;
    session.read_tls(&mut server)?;
    session.process_new_packets()?;
    let mut flight = Vec::new();
    while session.wants_write() {
        session.write_tls(&mut flight)?;
    }
    ensure!(flight.len() > 64, "the flight has {} bytes", flight.len());
    Ok(flight)
}
