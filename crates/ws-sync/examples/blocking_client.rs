//! Sends each line of its input and prints what comes back, one for one: `blocking_client URL`.

use std::{
    error::Error,
    io::{self, BufRead, Write},
};

use ws_sync::endpoint::driver::{CloseCode, Closed};

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: blocking_client URL")?;
    if let Some(closed) = talk(&address, io::stdin().lock(), io::stdout())? {
        eprintln!("closed with {}", closed.code);
    }
    Ok(())
}

/// Talks until the input ends, or the server closes.
pub(crate) fn talk(
    address: &str,
    input: impl BufRead,
    mut output: impl Write,
) -> Result<Option<Closed>, Box<dyn Error>> {
    let mut ws = ws_sync::connect(address)?;
    for line in input.lines() {
        ws.send(line?)?;
        let Some(message) = ws.recv() else { break };
        writeln!(output, "{}", message?.as_text().unwrap_or("(bytes)"))?;
    }
    Ok(ws.close(CloseCode::NORMAL, "")?)
}
