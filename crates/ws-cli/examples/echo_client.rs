//! Echoes every message of a server until the connection closes: `echo_client URL`.
//!
//! It sends the text `ready` first, unless `WS_QUIET=1` is set. It succeeds only after a closing handshake with 1000,
//! 1001 or no code.

use std::{env, process::ExitCode};

use ws_stack::{BoxError, frame::NO_STATUS};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(code @ (1000 | 1001 | NO_STATUS)) => {
            eprintln!("closed with {code}");
            ExitCode::SUCCESS
        }
        Ok(code) => {
            eprintln!("closed with {code}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The code that the connection was closed with.
async fn run() -> Result<u16, BoxError> {
    let address = env::args().nth(1).ok_or("usage: echo_client URL")?;
    let mut ws = ws_stack::connect(&address).await?;
    if env::var_os("WS_QUIET").is_none_or(|quiet| quiet != "1") {
        ws.send("ready").await?;
    }
    let (rx, tx) = ws.halves();
    while let Some(message) = rx.recv(tx).await {
        tx.feed(message?)?;
    }
    Ok(ws.closed().map_or(1006, |closed| closed.code))
}
