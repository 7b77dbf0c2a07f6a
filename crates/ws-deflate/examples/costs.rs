//! What each setting makes of messages, and how long it takes: `cargo run --release -p ws-deflate --example costs`.

use std::{hint::black_box, time::Instant};

use ws_deflate::{Level, MemoryLevel, Options, PermessageDeflate, Takeover, WindowBits};
use ws_extensions::{Chain, Compress, MessageHead, Registry, SessionOptions};
use ws_frame::{DataKind, Role};

const MESSAGES: usize = 500;

/// The quickest counts: whatever else the machine does makes the others slower.
const ROUNDS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let small = (Takeover::Keep, WindowBits::new(12)?, MemoryLevel::new(5)?);
    let large = (Takeover::Keep, WindowBits::MAX, MemoryLevel::DEFAULT);
    let none = (Takeover::Reset, WindowBits::MAX, MemoryLevel::DEFAULT);
    for len in [1 << 10, 16 << 10] {
        let messages: Vec<Vec<u8>> = (0..MESSAGES as u64).map(|number| quotes(number, len)).collect();
        for (name, (takeover, bits, memory)) in [("none", none), ("12 bits", small), ("15 bits", large)] {
            for level in [1, 4, 6, 7, 9] {
                let options = Options::new()
                    .level(Level::new(level)?)
                    .memory_level(memory)
                    .takeover(takeover)
                    .peer_takeover(takeover)
                    .window_bits(bits)
                    .peer_window_bits(bits);
                let mut best = (0.0, f64::MAX, f64::MAX);
                for _ in 0..ROUNDS {
                    let (ratio, compress, decompress) = run(options, &messages)?;
                    best = (ratio, best.1.min(compress), best.2.min(decompress));
                }
                let (ratio, compress, decompress) = best;
                println!(
                    "{len:6} bytes, kept: {name:8} level {level}: ratio {ratio:5.2}, compress {compress:6.1} us, \
                     decompress {decompress:5.1} us"
                );
            }
        }
    }
    Ok(())
}

/// Ratio, and microseconds per message in both directions.
fn run(options: Options, messages: &[Vec<u8>]) -> Result<(f64, f64, f64), Box<dyn std::error::Error>> {
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(options))?;
    let offer = registry.offer(&SessionOptions::new(Role::Client, None));
    let mut server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, None))?;
    let mut client = offer.activate(server.header.as_deref())?;
    let head = MessageHead::new(DataKind::Text).with_compress(Compress::Yes);
    let begun = Instant::now();
    let mut wire = Vec::new();
    for message in messages {
        wire.push(pass(&mut client.outgoing, head, message).ok_or("a message was lost")?);
    }
    let compressed = begun.elapsed();
    let begun = Instant::now();
    for (head, payload) in &wire {
        black_box(pass(&mut server.incoming, *head, payload).ok_or("a message was refused")?);
    }
    let decompressed = begun.elapsed();
    let before: usize = messages.iter().map(Vec::len).sum();
    let after: usize = wire.iter().map(|(_, payload)| payload.len()).sum();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / messages.len() as f64;
    Ok((before as f64 / after as f64, each(compressed), each(decompressed)))
}

fn pass(chain: &mut Chain, head: MessageHead, data: &[u8]) -> Option<(MessageHead, Vec<u8>)> {
    let _ = chain.begin(head, Some(data.len()));
    chain.push(data, true);
    let front = chain.front()?;
    let made = (front.head, front.data.to_vec());
    chain.pop();
    Some(made)
}

/// A list of quotes in JSON, as a feed would send it.
fn quotes(number: u64, len: usize) -> Vec<u8> {
    const NAMES: [&str; 8] = ["ACME", "INITECH", "GLOBEX", "UMBRA", "STARK", "WAYNE", "HOOLI", "VANDELAY"];
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 20
    };
    let mut text = format!("{{\"type\":\"quotes\",\"sequence\":{number},\"quotes\":[");
    while text.len() < len {
        let name = NAMES[random() as usize % NAMES.len()];
        let (bid, volume, at) =
            (random() % 100_000, random() % 5_000, 1_700_000_000_000 + random() % 10_000_000);
        text.push_str(&format!(
            "{{\"symbol\":\"{name}\",\"bid\":{}.{:02},\"ask\":{}.{:02},\"volume\":{volume},\"time\":{at}}},",
            bid / 100,
            bid % 100,
            (bid + 3) / 100,
            (bid + 3) % 100,
        ));
    }
    text.truncate(len);
    text.into_bytes()
}
