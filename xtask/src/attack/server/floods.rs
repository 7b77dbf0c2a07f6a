//! Much of everything, with an honest client beside it. Each load stops by itself.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::super::peer::{Cut, Ending, connect, open, read_frame};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{
    BINARY, BINARY_BEGINS, By, ENDS, GOES_ON, PING, PONG, REQUEST, TEXT, TEXT_BEGINS, close, frame,
};
use super::{Server, expect};

const MIB: u64 = 1 << 20;

/// What a flood may cost: CPU in proportion to what is sent, and next to no memory.
const FLOOD: Bounds = Bounds::SMALL.time(Duration::from_secs(30)).cpu(Duration::from_secs(5));

/// Whether what comes back is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    All,
    Nothing,
}

/// What became of a flood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Poured {
    pub(super) sent: u64,
    pub(super) read: u64,
    /// Whether the server took nothing more for a second.
    pub(super) stalled: bool,
}

/// Sends `block` again and again, until so many bytes were sent or the other side takes no more.
///
/// # Errors
/// When the connection fails in another way than by an end of the other side's making.
pub(super) fn pour(stream: &TcpStream, block: &[u8], total: u64, reading: Reading) -> anyhow::Result<Poured> {
    stream.set_write_timeout(Some(Duration::from_secs(1)))?;
    thread::scope(|scope| {
        let reader = (reading == Reading::All).then(|| scope.spawn(|| drain(stream)));
        let mut poured = Poured { sent: 0, read: 0, stalled: false };
        let mut writer = stream;
        'blocks: while poured.sent < total {
            let mut rest = block;
            while !rest.is_empty() {
                match writer.write(rest) {
                    Ok(written) => {
                        rest = &rest[written..];
                        poured.sent += written as u64;
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        poured.stalled = true;
                        break 'blocks;
                    }
                    Err(_) => break 'blocks,
                }
            }
        }
        if let Some(reader) = reader {
            // A server that has read everything has answered everything, and ends.
            stream.shutdown(Shutdown::Write)?;
            poured.read = reader.join().unwrap_or_default();
        }
        Ok(poured)
    })
}

/// How many bytes come until the end.
fn drain(mut stream: &TcpStream) -> u64 {
    let mut buf = vec![0; 256 << 10];
    let mut read = 0;
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    while let Ok(len @ 1..) = stream.read(&mut buf) {
        read += len as u64;
    }
    read
}

/// A flood of one frame, on one connection.
fn flood(name: &str, one: &[u8], total: u64, reading: Reading, bounds: Bounds) -> Attack<Server> {
    let block = one.repeat((64 << 10) / one.len() + 1);
    Attack::new(name, bounds, move |server: &Server| {
        let poured = pour(&open(server.address)?, &block, total, reading)?;
        let Poured { sent, read, stalled } = poured;
        ensure!(sent >= total || stalled, "ended after {sent} bytes");
        ensure!(reading == Reading::Nothing || !stalled, "took nothing for a second after {sent} bytes");
        let how = if stalled { ", then backpressure" } else { "" };
        Ok(format!("{} MiB sent, {} MiB read{how}", sent / MIB, read / MIB))
    })
}

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let client = |first, payload: &[u8]| frame(By::Client, first, payload);
    vec![
        Attack::new("nothing, for comparison", FLOOD, |_: &Server| {
            thread::sleep(Duration::from_millis(200));
            Ok("nothing".to_owned())
        }),
        flood(
            "100 MiB of pings, pongs never read",
            &client(PING, &[7; 125]),
            100 * MIB,
            Reading::Nothing,
            FLOOD,
        ),
        flood("100 MiB of pings, pongs read", &client(PING, &[7; 125]), 100 * MIB, Reading::All, FLOOD),
        flood(
            "100 MiB of empty pings, never read",
            &client(PING, b""),
            100 * MIB,
            Reading::Nothing,
            FLOOD.cpu(SLOW),
        ),
        flood("100 MiB of pongs", &client(PONG, &[7; 125]), 100 * MIB, Reading::All, FLOOD),
        flood("10 MiB of empty messages, read", &client(TEXT, b""), 10 * MIB, Reading::All, FLOOD),
        flood(
            "100 MiB of messages, never read",
            &client(TEXT, &[b'x'; 1000]),
            100 * MIB,
            Reading::Nothing,
            UNREAD,
        ),
        flood(
            "1 GiB of 64 KiB messages, never read",
            &client(BINARY, &[1; 65_536]),
            1024 * MIB,
            Reading::Nothing,
            UNREAD,
        ),
        Attack::new("100 MiB of messages, read a byte at a time", UNREAD, sipped),
        Attack::new("10 MiB of Closes", FLOOD, |server: &Server| {
            let closes = close(By::Client, 1000, "").repeat(1 << 20);
            let seen = server.talk(&closes, Cut::Whole)?;
            expect(&seen, Ending::Close(Some(1000)))?;
            Ok("Close 1000, once".to_owned())
        }),
        too_many_fragments("131,073 empty fragments", b"", FLOOD),
        too_many_fragments("a million fragments of a byte", b"x", FLOOD),
        thirty_fragmented(),
        Attack::new("a frame of 64 KiB, a byte at a time", FLOOD, |server: &Server| {
            let all = [client_text(&[b'x'; 65_536]), close(By::Client, 1000, "")].concat();
            let seen = server.talk(&all, Cut::Bytes)?;
            ensure!(seen.frames == [(TEXT, vec![b'x'; 65_536])], "another echo came");
            expect(&seen, Ending::Close(Some(1000)))?;
            Ok("echoed".to_owned())
        }),
        Attack::new("10,000 connections with half a header", CROWD, |server: &Server| half_heads(server)),
        Attack::new("10,000 silent connections", CROWD, |server: &Server| crowd(server, |_| Ok(()))),
    ]
}

/// The same kinds, each so small that all of them take seconds. They run beside other things, and few of the honest client's
/// messages fall into them: what the server works before it answers has a margin, five times the bar.
pub(super) fn small() -> Vec<Attack<Server>> {
    const FLOOD: Bounds = Bounds { honest: Duration::from_millis(25), ..self::FLOOD };
    let client = |first, payload: &[u8]| frame(By::Client, first, payload);
    vec![
        flood(
            "10 MiB of pings, pongs never read",
            &client(PING, &[7; 125]),
            10 * MIB,
            Reading::Nothing,
            FLOOD,
        ),
        flood("10 MiB of pings, pongs read", &client(PING, &[7; 125]), 10 * MIB, Reading::All, FLOOD),
        flood("10 MiB of pongs", &client(PONG, &[7; 125]), 10 * MIB, Reading::All, FLOOD),
        flood("1 MiB of empty messages, read", &client(TEXT, b""), MIB, Reading::All, FLOOD),
        too_many_fragments("131,073 empty fragments", b"", FLOOD),
        too_many_fragments("131,073 fragments of a byte", b"x", FLOOD),
    ]
}

const SLOW: Duration = Duration::from_secs(10);

/// What waits for a peer that does not read: up to the mark, and the message that crosses it.
const UNREAD: Bounds = FLOOD.memory(2 << 20);

/// For a connection that has not said enough: 8 KiB, half of what a head may have.
const CROWD: Bounds = FLOOD.memory(10_000 * (8 << 10));

fn client_text(payload: &[u8]) -> Vec<u8> {
    frame(By::Client, TEXT, payload)
}

/// More fragments than a message may have.
fn too_many_fragments(name: &str, payload: &'static [u8], bounds: Bounds) -> Attack<Server> {
    Attack::new(name, bounds.memory(MIB), move |server: &Server| {
        let fragments = frame(By::Client, GOES_ON, payload).repeat(1_000_000);
        let all = [frame(By::Client, TEXT_BEGINS, ""), fragments].concat();
        let seen = server.talk(&all, Cut::Whole)?;
        expect(&seen, Ending::Close(Some(1008)))?;
        Ok("Close 1008".to_owned())
    })
}

/// A message of so many fragments of a byte.
pub(super) fn fragmented(fragments: usize) -> Vec<u8> {
    let middle = frame(By::Client, GOES_ON, "x").repeat(fragments - 2);
    [frame(By::Client, BINARY_BEGINS, "x"), middle, frame(By::Client, ENDS, "x")].concat()
}

/// Thirty at once: what is held is what was sent, twice at most.
fn thirty_fragmented() -> Attack<Server> {
    const FRAGMENTS: usize = 100_000;
    let bounds = FLOOD.memory(30 * (2 * FRAGMENTS as u64 + (64 << 10)));
    // Thirty attackers and the honest client share the processors: by the clock on the wall it waits for them as well.
    let bounds = Bounds { wall: Duration::from_millis(40), ..bounds };
    Attack::new("30 messages of 100,000 fragments at once", bounds, |server: &Server| {
        let message = [fragmented(FRAGMENTS), close(By::Client, 1000, "")].concat();
        thread::scope(|scope| {
            let talks: Vec<_> = (0..30)
                .map(|_| {
                    scope.spawn(|| {
                        let mut stream = open(server.address)?;
                        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
                        stream.write_all(&message)?;
                        let mut received = Vec::new();
                        stream.read_to_end(&mut received).context("no end")?;
                        let (first, payload, _) = read_frame(&received).context("no echo")?;
                        ensure!((first, payload.len()) == (BINARY, FRAGMENTS), "another echo");
                        Ok(())
                    })
                })
                .collect();
            talks.into_iter().try_for_each(|talk| talk.join().map_err(|_| anyhow::anyhow!("failed"))?)
        })?;
        Ok("30 echoes".to_owned())
    })
}

/// Echoes are read, but a byte each millisecond: the server waits with its next read, and does not give the client up.
fn sipped(server: &Server) -> anyhow::Result<String> {
    let (stream, done) = (open(server.address)?, AtomicBool::new(false));
    stream.set_read_timeout(Some(Duration::from_millis(100)))?;
    let block = client_text(&[b'x'; 1000]).repeat(64);
    let (poured, read) = thread::scope(|scope| {
        let sips = scope.spawn(|| {
            let (mut reader, mut byte, mut read) = (&stream, [0], 0);
            while !done.load(Ordering::Relaxed) {
                read += reader.read(&mut byte).unwrap_or_default();
                thread::sleep(Duration::from_millis(1));
            }
            read
        });
        let poured = pour(&stream, &block, 100 * MIB, Reading::Nothing);
        done.store(true, Ordering::Relaxed);
        (poured, sips.join().unwrap_or_default())
    });
    let Poured { sent, stalled, .. } = poured?;
    ensure!(stalled, "{sent} bytes were taken, and the echoes kept");
    ensure!(read > 100, "only {read} bytes came back");
    Ok(format!("{} MiB sent, then backpressure", sent / MIB))
}

/// Many connections that stay, each of which does the same first.
fn crowd(server: &Server, first: impl Fn(&mut TcpStream) -> anyhow::Result<()>) -> anyhow::Result<String> {
    let start = Instant::now();
    let mut streams = Vec::new();
    for number in 0..10_000 {
        let mut stream = connect(server.address).with_context(|| format!("connection {number}"))?;
        first(&mut stream)?;
        streams.push(stream);
    }
    // One more that is served shows that the others have been looked at.
    server.is_well()?;
    let (count, seconds) = (streams.len(), start.elapsed().as_secs_f32());
    Ok(format!("{count} connections in {seconds:.1} s"))
}

fn half_heads(server: &Server) -> anyhow::Result<String> {
    crowd(server, |stream| Ok(stream.write_all(&REQUEST.as_bytes()[..REQUEST.len() / 2])?))
}
