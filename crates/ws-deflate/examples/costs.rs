//! What each setting makes of messages, and how long it takes: `cargo run --release -p ws-deflate --example costs`.

use ws_deflate::{Level, MemoryLevel, Options, Takeover, WindowBits};

#[path = "support/measure.rs"]
mod measure;

const MESSAGES: usize = 500;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let small = (Takeover::Keep, WindowBits::new(12)?, MemoryLevel::new(5)?);
    let large = (Takeover::Keep, WindowBits::MAX, MemoryLevel::DEFAULT);
    let none = (Takeover::Reset, WindowBits::MAX, MemoryLevel::DEFAULT);
    for len in [1 << 10, 16 << 10] {
        let messages: Vec<Vec<u8>> = (0..MESSAGES as u64).map(|number| quotes(number, len)).collect();
        for (name, (takeover, bits, memory)) in [("none", none), ("12 bits", small), ("15 bits", large)] {
            for level in [1, 5, 7, 9] {
                let options = Options::new()
                    .level(Level::new(level)?)
                    .memory_level(memory)
                    .takeover(takeover)
                    .peer_takeover(takeover)
                    .window_bits(bits)
                    .peer_window_bits(bits);
                let borrowed: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
                let (ratio, compress, decompress) = measure::best(options, &borrowed)?;
                println!(
                    "{len:6} bytes, kept: {name:8} level {level}: ratio {ratio:5.2}, compress {compress:6.1} us, \
                     decompress {decompress:5.1} us"
                );
            }
        }
    }
    Ok(())
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
