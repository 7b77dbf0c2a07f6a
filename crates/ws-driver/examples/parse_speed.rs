//! How long it takes to receive a message, in memory: `cargo run --release -p ws-driver --example parse_speed`.
//!
//! A stream of 64 MiB of masked frames goes through a server's receiver, 64 KiB at a time. Beside it stands what cannot
//! be avoided: a loop that reads the header and unmasks in place, over the same buffers. The best of several runs counts.
//! A length as argument leaves the others out.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use ws_driver::{Config, Connection, Event, Negotiated, Progress, Role, Scratch};

const STREAM: usize = 64 << 20;
const READ: usize = 64 << 10;
const RUNS: usize = 7;

/// A masked frame with a payload of this length.
fn frame(opcode: u8, len: usize, byte: u8) -> Vec<u8> {
    let key = [0x11, 0x22, 0x33, 0x44];
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(len) {
        Ok(len @ 0..126) => frame.push(0x80 | len.to_be_bytes()[1]),
        Ok(len) => {
            frame.push(0xFE);
            frame.extend(len.to_be_bytes());
        }
        Err(_) => {
            frame.push(0xFF);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(key);
    frame.extend((0..len).map(|n| byte ^ key[n % 4]));
    frame
}

/// The driver. Gives the number of messages.
fn driver(stream: &[u8]) -> usize {
    let mut connection = Connection::new(Config::new(Role::Server), Negotiated::default(), Instant::now());
    let mut scratch = Scratch::default();
    let mut count = 0;
    let mut rest = stream;
    while !rest.is_empty() {
        connection.receiver().attach(&mut scratch);
        let buffer = connection.receiver().buffer();
        let len = rest.len().min(buffer.capacity() - buffer.len()).min(READ);
        buffer.extend_from_slice(&rest[..len]);
        rest = &rest[len..];
        while let Progress::Ready = connection.advance() {
            if let Event::Message(message) = connection.event() {
                black_box(message.as_bytes());
                count += 1;
            }
        }
    }
    count
}

/// Header and mask, and no rule checked.
fn bare(stream: &[u8]) -> usize {
    let mut buffer = Vec::with_capacity(2 * READ);
    let mut count = 0;
    for read in stream.chunks(READ) {
        buffer.extend_from_slice(read);
        let mut at = 0;
        while let Some([_, second, ..]) = buffer.get(at..) {
            let (len, header) = match second & 0x7F {
                126 => match buffer.get(at + 2..at + 4) {
                    Some(len) => (usize::from(u16::from_be_bytes([len[0], len[1]])), 4),
                    None => break,
                },
                127 => break, // not in these streams
                len => (usize::from(len), 2),
            };
            let Some(frame) = buffer.get_mut(at + header..at + header + 4 + len) else { break };
            let (key, payload) = frame.split_at_mut(4);
            let key = u32::from_le_bytes([key[0], key[1], key[2], key[3]]);
            let wide = u64::from(key) << 32 | u64::from(key);
            let (chunks, tail) = payload.as_chunks_mut::<8>();
            for chunk in chunks {
                *chunk = (u64::from_le_bytes(*chunk) ^ wide).to_le_bytes();
            }
            for (byte, key) in tail.iter_mut().zip(key.to_le_bytes().into_iter().cycle()) {
                *byte ^= key;
            }
            black_box(&*payload);
            count += 1;
            at += header + 4 + len;
        }
        buffer.drain(..at);
    }
    count
}

fn best(stream: &[u8], run: fn(&[u8]) -> usize) -> (usize, Duration) {
    let mut best = (0, Duration::MAX);
    for _ in 0..RUNS {
        let start = Instant::now();
        let count = run(black_box(stream));
        best = (count, best.1.min(start.elapsed()));
    }
    best
}

fn main() {
    println!(
        "{:>8} {:>7} {:>10} {:>10} {:>6} {:>8}",
        "bytes", "kind", "driver ns", "bare ns", "ratio", "GB/s"
    );
    let only = std::env::args().nth(1);
    for len in [16, 125, 1024, 16 * 1024] {
        if only.as_ref().is_some_and(|only| *only != len.to_string()) {
            continue;
        }
        for (kind, opcode, byte) in [("binary", 2, 0xFF), ("text", 1, b'x')] {
            let frame = frame(opcode, len, byte);
            let stream = frame.repeat(STREAM / frame.len());
            let (expected, bare) = best(&stream, bare);
            let (count, driver) = best(&stream, driver);
            assert_eq!(count, expected, "both see the same messages");
            let per = |time: Duration| time.as_secs_f64() * 1e9 / expected as f64;
            let speed = stream.len() as f64 / driver.as_secs_f64() / 1e9;
            println!(
                "{len:>8} {kind:>7} {:>10.1} {:>10.1} {:>6.2} {speed:>8.1}",
                per(driver),
                per(bare),
                per(driver) / per(bare)
            );
        }
    }
}
