//! Ends of all kinds: codes, silence, half-closed and reset connections.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use anyhow::{Context as _, ensure};

use super::super::peer::{Cut, Ending, connect, open};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{BINARY, By, CLOSE, PING, REQUEST, TEXT, TEXT_BEGINS, close, frame};
use super::frames::violation;
use super::{PATIENCE, Server, expect};

/// Frames that end with a Close, and the code that it is answered with.
fn answered(name: impl Into<String>, frames: Vec<u8>, code: Option<u16>) -> Attack<Server> {
    Attack::new(name, Bounds::SMALL, move |server: &Server| {
        for cut in [Cut::Whole, Cut::Bytes] {
            let seen = server.talk(&frames, cut)?;
            ensure!(seen.frames.is_empty(), "{} frames came", seen.frames.len());
            expect(&seen, Ending::Close(code)).with_context(|| format!("{cut:?}"))?;
        }
        Ok(code.map_or_else(|| "an empty Close".to_owned(), |code| format!("Close {code}")))
    })
}

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let client = |first, payload: &[u8]| frame(By::Client, first, payload);
    let mut rows = vec![
        answered("an empty Close", client(CLOSE, b""), None),
        answered("a Close of 125 bytes", close(By::Client, 1000, [b'r'; 123]), Some(1000)),
        answered(
            "a message, a ping and a Close behind a Close",
            [close(By::Client, 1000, ""), client(TEXT, b"x"), client(PING, b""), close(By::Client, 1001, "")]
                .concat(),
            Some(1000),
        ),
        answered(
            "noise behind a Close",
            [close(By::Client, 1000, ""), vec![0xff; 100_000]].concat(),
            Some(1000),
        ),
        answered(
            "a Close inside a message",
            [client(TEXT_BEGINS, b"x"), close(By::Client, 1001, "")].concat(),
            Some(1001),
        ),
        violation("a Close of one byte", client(CLOSE, b"x"), 1002),
    ];
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        rows.push(answered(format!("code {code}"), close(By::Client, code, "why"), Some(code)));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535] {
        rows.push(violation(format!("code {code}"), close(By::Client, code, ""), 1002));
    }
    rows.extend([
        Attack::new("the end at each byte of a session", Bounds::SMALL, |server: &Server| {
            ends_everywhere(server)
        }),
        Attack::new("a reset at each state", Bounds::SMALL, |server: &Server| resets(server)),
        Attack::new("a half-closed connection", Bounds::SMALL, |server: &Server| {
            let mut stream = open(server.address)?;
            stream.write_all(&frame(By::Client, BINARY, "last"))?;
            stream.shutdown(Shutdown::Write)?;
            ended(&mut stream)?;
            Ok("the end".to_owned())
        }),
    ]);
    rows
}

/// Waits for the end of the stream, or a reset.
fn ended(stream: &mut TcpStream) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => anyhow::bail!("it stays open"),
        _ => Ok(()),
    }
}

/// Everything a session has, cut short behind each byte.
fn ends_everywhere(server: &Server) -> anyhow::Result<String> {
    let session = [
        REQUEST.as_bytes(),
        &frame(By::Client, TEXT_BEGINS, "he"),
        &frame(By::Client, PING, "p"),
        &frame(By::Client, 0x80, "llo"),
        &close(By::Client, 1000, "bye"),
    ]
    .concat();
    for len in 0..session.len() {
        let mut stream = connect(server.address)?;
        stream.write_all(&session[..len])?;
        stream.shutdown(Shutdown::Write)?;
        ended(&mut stream).with_context(|| format!("cut behind {len} bytes"))?;
    }
    Ok(format!("the end, {} times", session.len()))
}

/// A socket that is closed with unread bytes in it is reset.
fn reset(stream: &TcpStream) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let peeked = stream.peek(&mut [0])?;
    ensure!(peeked == 1, "nothing came that could stay unread");
    Ok(())
}

fn resets(server: &Server) -> anyhow::Result<String> {
    // With the answer unread.
    let mut stream = connect(server.address)?;
    stream.write_all(REQUEST.as_bytes())?;
    reset(&stream)?;
    drop(stream);
    // Open, inside a message, inside a frame, behind a Close: with an answer unread.
    let states: [Vec<u8>; 4] = [
        frame(By::Client, PING, "x"),
        [frame(By::Client, TEXT_BEGINS, "x"), frame(By::Client, PING, "x")].concat(),
        [frame(By::Client, PING, "x"), frame(By::Client, TEXT, "cut short")[..8].to_vec()].concat(),
        close(By::Client, 1000, ""),
    ];
    for bytes in &states {
        let mut stream = open(server.address)?;
        stream.write_all(bytes)?;
        reset(&stream)?;
    }
    Ok(format!("{} resets", states.len() + 1))
}
