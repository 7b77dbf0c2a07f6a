//! Compressed messages that are not what they seem.

use std::rc::Rc;
use std::thread;
use std::time::Duration;

use anyhow::ensure;

use super::super::deflate::{Compressor, stored};
use super::super::peer::{Cut, Ending, Seen, open_with, talk};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{
    BINARY, BINARY_BEGINS, By, ENDS, GOES_ON, RSV1, TEXT, TEXT_BEGINS, close, frame, request_with,
};
use super::floods::{Reading, pour};
use super::{Server, expect};

const LIMIT: usize = 64 << 20;
const MIB: u64 = 1 << 20;

/// What one message at its limit may take: itself, and a little. It is inflated where its connection is driven, a little in
/// each turn; to give back what it took takes some milliseconds more at once.
const BOMB: Bounds = bomb_bounds(LIMIT as u64);

const fn bomb_bounds(limit: u64) -> Bounds {
    let bounds = Bounds::SMALL.time(Duration::from_secs(5)).cpu(Duration::from_millis(100));
    bounds.memory(limit + 2 * MIB).honest(Duration::from_millis(10))
}

/// What is refused at once.
const SMALL: Bounds = Bounds::SMALL.memory(MIB);

fn offer() -> String {
    request_with("Sec-WebSocket-Extensions: permessage-deflate")
}

/// A compressed frame.
fn compressed(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(By::Client, first | RSV1, payload)
}

fn send(server: &Server, frames: &[u8], cut: Cut) -> anyhow::Result<Seen> {
    talk(server.address, offer().as_bytes(), frames, cut, Duration::from_secs(4))
}

/// Messages that fail the connection, however they are cut.
fn refused(name: &str, bounds: Bounds, frames: Vec<u8>, cuts: &'static [Cut], code: u16) -> Attack<Server> {
    Attack::new(name, bounds, move |server: &Server| {
        for &cut in cuts {
            let seen = send(server, &frames, cut)?;
            ensure!(seen.frames.is_empty(), "{} messages were echoed", seen.frames.len());
            expect(&seen, Ending::Close(Some(code)))?;
        }
        Ok(format!("Close {code}"))
    })
}

/// Messages that are fine: so many come back, and the connection ends as it was asked to.
fn echoed(name: &str, bounds: Bounds, frames: &[Vec<u8>], count: usize) -> Attack<Server> {
    let all = [frames.concat(), close(By::Client, 1000, "")].concat();
    Attack::new(name, bounds, move |server: &Server| {
        let seen = send(server, &all, Cut::Whole)?;
        ensure!(seen.frames.len() == count, "{} messages were echoed", seen.frames.len());
        expect(&seen, Ending::Close(Some(1000)))?;
        Ok(format!("{count} echoes"))
    })
}

/// Whole, and a byte at a time: the verdict is the same.
const EVERY: &[Cut] = &[Cut::Whole, Cut::Bytes];
const ONCE: &[Cut] = &[Cut::Whole];

pub(super) fn attacks() -> anyhow::Result<Vec<Attack<Server>>> {
    let whole = Compressor::new().repeated(b'x', 10_000)?;
    let mut damaged = whole.clone();
    damaged[0] |= 0b110;
    let bad_text = compressed(TEXT, &message(stored(b"ab\xff", false)));
    let mut rows = bombs(BOMB)?;
    rows.extend([
        exact("64 MiB exactly", LIMIT, 1000)?,
        exact("64 MiB and a byte", LIMIT + 1, 1009)?,
        refused("a block of no type", SMALL, compressed(BINARY, &damaged), EVERY, 1007),
        refused("a distance before the window", SMALL, compressed(BINARY, &far_back()), EVERY, 1007),
        refused(
            "a stream that ends inside a block",
            SMALL,
            compressed(BINARY, &[0x00, 5, 0, 0xfa, 0xff, b'x']),
            EVERY,
            1007,
        ),
        refused(
            "a stored block whose lengths differ",
            SMALL,
            compressed(BINARY, &[0, 1, 0, 0, 0, b'x']),
            EVERY,
            1007,
        ),
        refused("text that is not UTF-8 behind inflation", SMALL, bad_text, EVERY, 1007),
        refused(
            "RSV1 on a continuation",
            SMALL,
            [frame(By::Client, TEXT_BEGINS | RSV1, &whole), frame(By::Client, ENDS | RSV1, "")].concat(),
            ONCE,
            1002,
        ),
        refused("RSV1 on a ping", SMALL, frame(By::Client, 0x89 | RSV1, ""), ONCE, 1002),
        refused("RSV2 on text", SMALL, frame(By::Client, 0x81 | 0x20, ""), ONCE, 1002),
        echoed(
            "final blocks, and messages behind them",
            SMALL,
            &[
                compressed(BINARY, &message(stored(b"one", true))),
                compressed(BINARY, &message(stored(b"two", true))),
            ],
            2,
        ),
        echoed(
            "stored blocks of 64 KiB",
            SMALL.memory(2 * MIB),
            &[compressed(BINARY, &message(stored(&[7; 65_535], false)))],
            1,
        ),
        echoed("empty compressed messages", SMALL, &[compressed(TEXT, &[0]), compressed(TEXT, &[0])], 2),
        empty_blocks(),
        tiny(),
    ]);
    Ok(rows)
}

/// Against a server whose messages may have 16 MiB, as is usual where messages are compressed.
pub(super) fn at_16_mib() -> anyhow::Result<Vec<Attack<Server>>> {
    let bounds = bomb_bounds(16 * MIB);
    let mut rows = bombs(bounds)?;
    let dense = Compressor::new().repeated(0, 512 << 20)?;
    // Of each that waits there is what was made before it counts as long, which for short fragments may be a MiB.
    let bounds = bounds.memory(bounds.memory + 40 * MIB).honest(Duration::from_millis(20));
    rows.push(forty("40 bombs in fragments of 1000 bytes at once", bounds, fragmented(&dense)));
    Ok(rows)
}

/// A compressed message in fragments.
fn fragmented(payload: &[u8]) -> Vec<u8> {
    let fragments = payload.chunks(1000).map(|fragment| frame(By::Client, GOES_ON, fragment));
    let begin = frame(By::Client, BINARY_BEGINS | RSV1, "");
    [begin].into_iter().chain(fragments).flatten().collect()
}

/// Bombs of 512 MiB: alone, fed by a context, and forty at once, which take 8 MiB beside the one that goes off: 24 MiB in all at
/// a limit of 16.
fn bombs(bounds: Bounds) -> anyhow::Result<Vec<Attack<Server>>> {
    let forty_at_most = bounds.memory(bounds.memory + 6 * MIB).honest(Duration::from_millis(20));
    let bomb = compressed(BINARY, &Compressor::new().repeated(0, 512 << 20)?);
    let mut nested = Compressor::new();
    let seed = compressed(BINARY, &nested.repeated(b'x', 30_000)?);
    let fed = compressed(BINARY, &nested.repeated(b'x', 512 << 20)?);
    Ok(vec![
        // They go off one after the other and let others have their turn; those that wait look who is next. First of all,
        // because the system may leave the memory of one message to the process, and the next would seem to take none.
        forty("40 bombs of 512 MiB at once", forty_at_most, bomb.clone()),
        refused("a bomb of 512 MiB", bounds, bomb, ONCE, 1009),
        Attack::new("a bomb of 512 MiB that the context feeds", bounds, move |server: &Server| {
            let seen = send(server, &[&seed[..], &fed].concat(), Cut::Whole)?;
            ensure!(seen.frames.len() == 1, "{} messages were echoed", seen.frames.len());
            expect(&seen, Ending::Close(Some(1009)))?;
            Ok("Close 1009".to_owned())
        }),
    ])
}

/// Blocks, and the first bits of the empty one that ends a message.
fn message(blocks: Vec<u8>) -> Vec<u8> {
    [blocks, vec![0]].concat()
}

/// A fixed Huffman block whose first symbol is a match: there is nothing to refer back to. Symbol 257 (length 3) is
/// 0000001, distance 0 is 00000 (RFC 1951 section 3.2.6).
fn far_back() -> Vec<u8> {
    // From the low bit: not final, type 01, then the codes from their high bits.
    let bits = [0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0];
    let mut bytes = vec![0; 3];
    for (at, bit) in bits.into_iter().enumerate() {
        bytes[at / 8] |= bit << (at % 8);
    }
    bytes
}

/// A message of this length, given the limit.
fn exact(name: &str, len: usize, code: u16) -> anyhow::Result<Attack<Server>> {
    let payload = Compressor::new().repeated(0, len)?;
    let frames = [compressed(BINARY, &payload), close(By::Client, 1000, "")].concat();
    // The echo is compressed, too, and in one go.
    let bounds = BOMB.cpu(Duration::from_millis(800)).memory(2 * LIMIT as u64 + 2 * MIB);
    let bounds = bounds.honest(Duration::from_millis(125));
    Ok(Attack::new(name, bounds, move |server: &Server| {
        let seen = send(server, &frames, Cut::Whole)?;
        expect(&seen, Ending::Close(Some(code)))?;
        Ok(format!("Close {code}"))
    }))
}

/// Bombs on forty connections at once: they go off one after the other.
fn forty(name: &str, bounds: Bounds, bomb: Vec<u8>) -> Attack<Server> {
    let bounds = bounds.cpu(40 * bounds.cpu).time(Duration::from_secs(20));
    let bomb = Rc::new(bomb);
    Attack::new(name, bounds, move |server: &Server| {
        let bomb: &[u8] = &bomb;
        let address = server.address;
        thread::scope(|scope| {
            let talks: Vec<_> = (0..40)
                .map(|_| {
                    scope.spawn(move || {
                        let patience = Duration::from_secs(20);
                        talk(address, offer().as_bytes(), bomb, Cut::Whole, patience)
                    })
                })
                .collect();
            for talk in talks {
                let seen = talk.join().map_err(|_| anyhow::anyhow!("failed"))??;
                expect(&seen, Ending::Close(Some(1009)))?;
            }
            Ok("Close 1009, 40 times".to_owned())
        })
    })
}

/// Blocks without contents inflate to nothing, and cost what they are long.
fn empty_blocks() -> Attack<Server> {
    let blocks = compressed(BINARY, &message(stored(b"", false).repeat(2 << 20)));
    let bounds = SMALL.cpu(Duration::from_secs(2)).memory(2 * MIB).time(Duration::from_secs(5));
    Attack::new("10 MiB of empty blocks", bounds, move |server: &Server| {
        let all = [&blocks[..], &close(By::Client, 1000, "")].concat();
        let seen = send(server, &all, Cut::Whole)?;
        expect(&seen, Ending::Close(Some(1000)))?;
        ensure!(seen.frames.iter().map(|(_, payload)| payload.len()).sum::<usize>() < 16, "a long echo");
        Ok("an empty echo".to_owned())
    })
}

/// The smallest compressed messages, as many as go.
fn tiny() -> Attack<Server> {
    let bounds = SMALL.time(Duration::from_secs(20)).cpu(Duration::from_secs(10));
    Attack::new("500,000 compressed messages of a byte", bounds, |server: &Server| {
        let block = compressed(TEXT, &message(stored(b"x", false))).repeat(1_000);
        let total = block.len() as u64 * 500;
        let poured = pour(&open_with(server.address, &offer())?, &block, total, Reading::All)?;
        ensure!(poured.sent >= total && !poured.stalled, "{poured:?}");
        ensure!(poured.read >= 500_000 * 3, "only {} bytes came back", poured.read);
        Ok(format!("{} MiB sent, {} MiB read", poured.sent / MIB, poured.read / MIB))
    })
}
