//! What each level makes of real data, as a table: `cargo run --release -p ws-deflate --example real_data`.
//!
//! JSON is what cargo says of this workspace, text is our documentation, binary is this program itself. Each is cut into
//! messages of 1 KiB and of 16 KiB.

use std::{env, error::Error, fs, process::Command};

use ws_deflate::{Level, MemoryLevel, Options, Takeover, WindowBits};

#[path = "support/measure.rs"]
mod measure;

/// The most messages of one kind.
const MESSAGES: usize = 400;

const TEXT: &str = concat!(
    include_str!("../../../README.md"),
    include_str!("../../../docs/architecture.md"),
    include_str!("../../../docs/extensions.md"),
    include_str!("../../../docs/conformance.md"),
    include_str!("../../../LICENSE-APACHE"),
);

fn main() -> Result<(), Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let json = Command::new(cargo).args(["metadata", "--offline", "--format-version", "1"]).output()?.stdout;
    let binary = fs::read(env::current_exe()?)?;
    println!("| data | message | contexts kept | level 1 | level 5 | level 7 |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (name, data) in [("JSON", &json[..]), ("text", TEXT.as_bytes()), ("binary", &binary[..])] {
        for len in [1 << 10, 16 << 10] {
            let messages: Vec<&[u8]> = data.chunks_exact(len).take(MESSAGES).collect();
            for (kept, settings) in settings()? {
                let mut row = format!("| {name} | {} KiB | {kept} |", len >> 10);
                for level in [1, 5, 7] {
                    let (ratio, compress, decompress) =
                        measure::best(settings.level(Level::new(level)?), &messages)?;
                    row += &format!(" {ratio:.1}, {compress:.0}, {decompress:.0} |");
                }
                println!("{row}");
            }
        }
    }
    Ok(())
}

/// The three forms that a server chooses from.
fn settings() -> Result<[(&'static str, Options); 3], Box<dyn Error>> {
    let (reset, kept) = (Takeover::Reset, Takeover::Keep);
    let small = WindowBits::new(12)?;
    Ok([
        ("none", Options::new().takeover(reset).peer_takeover(reset)),
        (
            "12 bits, memory level 5",
            Options::new()
                .takeover(kept)
                .peer_takeover(kept)
                .window_bits(small)
                .peer_window_bits(small)
                .memory_level(MemoryLevel::new(5)?),
        ),
        ("15 bits", Options::new().takeover(kept).peer_takeover(kept)),
    ])
}
