//! How far receiving is from what cannot be avoided: `cargo run --release -p counts --example parse_speed`.
//!
//! A stream of 64 MiB of frames goes through a connection, 64 KiB at a time, every rule checked. Beside it stands a loop
//! over the same buffers that reads the header and unmasks in place, and checks nothing. They take turns of about a
//! mebibyte, short enough that a busy machine leaves some of them alone, and the quickest turn of each counts. A length
//! as argument leaves the others out.

use std::time::Instant;

use counts::parse::{LENGTHS, Payload, Receive, by_connection, by_floor, message};
use ws_endpoint::frame::Role;

const STREAM: usize = 64 << 20;
const TURN: usize = 1 << 20;
const ROUNDS: usize = 5;

fn main() {
    println!(
        "{:>8} {:>7} {:>7} {:>12} {:>10} {:>6} {:>6}",
        "bytes", "to", "kind", "received ns", "floor ns", "ratio", "GB/s"
    );
    let only = std::env::args().nth(1);
    for len in LENGTHS {
        if only.as_ref().is_some_and(|only| *only != len.to_string()) {
            continue;
        }
        for (to, role) in [("server", Role::Server), ("client", Role::Client)] {
            for payload in Payload::ALL {
                let frame = message(role, payload, len);
                let [received, floor] = best(&frame, [by_connection(role), by_floor()]);
                let (ratio, speed) = (received / floor, len as f64 / received);
                println!(
                    "{len:>8} {to:>7} {:>7} {received:>12.1} {floor:>10.1} {ratio:>6.2} {speed:>6.1}",
                    payload.name()
                );
            }
        }
    }
}

/// Nanoseconds for each message, at best.
fn best(frame: &[u8], mut receivers: [Receive; 2]) -> [f64; 2] {
    let turn = frame.repeat((TURN / frame.len()).max(1));
    let stream = turn.repeat(STREAM / turn.len());
    let turns: Vec<_> = stream.chunks(turn.len()).collect();
    let mut best = [f64::MAX; 2];
    for at in 0..ROUNDS * turns.len() {
        // Half a stream apart, so that neither finds in a cache what the other has just read.
        for (n, (receive, best)) in receivers.iter_mut().zip(&mut best).enumerate() {
            let start = Instant::now();
            let messages = receive(turns[(at + n * turns.len() / 2) % turns.len()]);
            *best = best.min(start.elapsed().as_secs_f64() * 1e9 / messages as f64);
        }
    }
    best
}
