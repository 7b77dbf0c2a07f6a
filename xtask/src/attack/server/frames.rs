//! Frames that break a rule, one each, in every cutting.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::super::peer::{Cut, Ending};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{
    BINARY, BINARY_BEGINS, By, CLOSE, ENDS, GOES_ON, PING, PONG, RSV1, TEXT, TEXT_BEGINS, close, frame,
};
use super::{Server, expect};

/// Bytes that fail a connection with this code: whole, a byte at a time, and cut behind each byte. What stands before
/// them is answered; what stands behind them is not, nor is it waited for.
pub(super) fn violation(name: impl Into<String>, bytes: Vec<u8>, code: u16) -> Attack<Server> {
    let cuts: Vec<_> =
        [Cut::Whole, Cut::Bytes].into_iter().chain((1..bytes.len().min(24)).map(Cut::After)).collect();
    let bounds = Bounds::SMALL.cpu(Duration::from_millis(30));
    Attack::new(name, bounds, move |server: &Server| {
        for &cut in &cuts {
            refused(server, &bytes, cut, code).with_context(|| format!("{cut:?}"))?;
        }
        // The fault is seen without anything behind it.
        let seen = server.talk(&bytes, Cut::Whole)?;
        expect(&seen, Ending::Close(Some(code)))?;
        Ok(format!("Close {code}, in {} cuttings", cuts.len()))
    })
}

fn refused(server: &Server, bytes: &[u8], cut: Cut, code: u16) -> anyhow::Result<()> {
    let before = frame(By::Client, TEXT, "before");
    let cut = if let Cut::After(at) = cut { Cut::After(before.len() + at) } else { cut };
    let all = [&before, bytes, &frame(By::Client, TEXT, "behind")].concat();
    let seen = server.talk(&all, cut)?;
    ensure!(seen.frames == [(TEXT, b"before".to_vec())], "before it came {:?}", seen.frames);
    expect(&seen, Ending::Close(Some(code)))
}

/// Frames that are fine, and what comes back.
fn fine(name: &str, bytes: Vec<u8>, answers: Vec<(u8, Vec<u8>)>) -> Attack<Server> {
    Attack::new(name, Bounds::SMALL.cpu(Duration::from_millis(30)), move |server: &Server| {
        let all = [&bytes[..], &close(By::Client, 1000, "")].concat();
        for cut in [Cut::Whole, Cut::Bytes] {
            let seen = server.talk(&all, cut)?;
            ensure!(seen.frames == answers, "{} other frames came", seen.frames.len());
            expect(&seen, Ending::Close(Some(1000)))?;
        }
        Ok("answered".to_owned())
    })
}

/// A masked header with these bytes first, and nothing behind it.
fn raw(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[1, 2, 3, 4]].concat()
}

fn client(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(By::Client, first, payload)
}

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let open = client(TEXT_BEGINS, "open");
    let opened = |behind: Vec<u8>| [open.clone(), behind].concat();
    let mut rows = vec![
        violation("text without a mask", frame(By::Server, TEXT, "x"), 1002),
        violation("a ping without a mask", frame(By::Server, PING, ""), 1002),
        violation("a Close without a mask", frame(By::Server, CLOSE, ""), 1002),
        violation("a continuation of nothing", client(ENDS, "x"), 1002),
        violation("a fragment of nothing", client(GOES_ON, "x"), 1002),
        violation("text inside a message", opened(client(TEXT, "x")), 1002),
        violation("binary inside a message", opened(client(BINARY, "x")), 1002),
        violation("the beginning of another message", opened(client(BINARY_BEGINS, "x")), 1002),
        violation("RSV1 inside a message", opened(client(ENDS | RSV1, "")), 1002),
        violation("a ping in fragments", client(PING & 15, ""), 1002),
        violation("a pong in fragments", client(PONG & 15, ""), 1002),
        violation("a Close in fragments", client(CLOSE & 15, ""), 1002),
        violation("a ping of 126 bytes", vec![PING, 0xFE], 1002),
        violation("a pong of a 64-bit length", vec![PONG, 0xFF], 1002),
        violation("a Close of 126 bytes", vec![CLOSE, 0xFE], 1002),
        violation("16 bits for a length of 125", raw(&[BINARY, 0xFE, 0, 125]), 1002),
        violation("16 bits for a length of 0", raw(&[TEXT, 0xFE, 0, 0]), 1002),
        violation("64 bits for a length of 65,535", raw(&[BINARY, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]), 1002),
        violation("a length with its top bit set", vec![BINARY, 0xFF, 0x80], 1002),
        violation(
            "a length of 2^63 - 1",
            raw(&[BINARY, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255]),
            1009,
        ),
        violation("a length of 2^53", raw(&[TEXT, 0xFF, 0, 0x20, 0, 0, 0, 0, 0, 0]), 1009),
        violation("a length of 64 MiB and one byte", raw(&[BINARY, 0xFF, 0, 0, 0, 0, 4, 0, 0, 1]), 1009),
        violation(
            "a continuation that goes over the limit",
            opened(raw(&[ENDS, 0xFF, 0, 0, 0, 0, 4, 0, 0, 0])),
            1009,
        ),
    ];
    for rsv in 1..8 {
        rows.push(violation(format!("reserved bits {rsv:03b} on text"), client(TEXT | rsv << 4, "x"), 1002));
        rows.push(violation(format!("reserved bits {rsv:03b} on a ping"), client(PING | rsv << 4, ""), 1002));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        rows.push(violation(format!("opcode {opcode}"), client(0x80 | opcode, ""), 1002));
    }
    rows.extend([
        fine("an empty message", client(TEXT, ""), vec![(TEXT, vec![])]),
        fine("a masking key of zeros", b"\x81\x82\0\0\0\0ok".to_vec(), vec![(TEXT, b"ok".to_vec())]),
        fine("a ping of 125 bytes", client(PING, [7; 125]), vec![(PONG, vec![7; 125])]),
        fine("a pong that nobody asked for", client(PONG, "x"), vec![]),
        fine(
            "a ping between fragments",
            [open, client(PING, "p"), client(ENDS, "ed")].concat(),
            vec![(PONG, b"p".to_vec()), (TEXT, b"opened".to_vec())],
        ),
        announced(),
    ]);
    rows
}

/// What is announced and does not come costs nothing.
fn announced() -> Attack<Server> {
    Attack::new("100 frames of 64 MiB announced, 10 bytes sent", Bounds::SMALL, |server: &Server| {
        let mut streams = Vec::new();
        for _ in 0..100 {
            let mut stream = super::super::peer::open(server.address)?;
            let header = raw(&[BINARY, 0xFF, 0, 0, 0, 0, 4, 0, 0, 0]);
            std::io::Write::write_all(&mut stream, &[&header[..], &[9; 10]].concat())?;
            streams.push(stream);
        }
        // An echo on one more connection: all that was sent before has been read.
        server.is_well()?;
        Ok(format!("{} connections wait", streams.len()))
    })
}
