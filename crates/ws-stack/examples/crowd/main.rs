//! A server, and a crowd of clients that stay: what `cargo xtask crowd` measures.
//!
//! `crowd server PING_SECONDS ADDRESS...` listens and broadcasts when it is told to; `crowd clients COUNT ADDRESS...`
//! connects. Both are told what to do by lines on their standard input, and answer each with one line.

mod clients;
mod descriptors;
mod server;

use std::time::Duration;

use tokio::sync::mpsc;
use ws_stack::BoxError;

const USAGE: &str = "usage: crowd server PING_SECONDS ADDRESS... | crowd clients COUNT ADDRESS...";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    descriptors::raise_limit();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [role, number, addresses @ ..] = arguments.as_slice() else { return Err(USAGE.into()) };
    match role.as_str() {
        "server" => server::run(Duration::from_secs_f64(number.parse()?), addresses, lines()).await,
        "clients" => clients::run(number.parse()?, addresses, lines()).await,
        _ => Err(USAGE.into()),
    }
}

/// The lines of standard input; their end when it is closed.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
