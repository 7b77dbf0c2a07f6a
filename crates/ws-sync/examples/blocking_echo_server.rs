//! Echoes every message, a thread for each connection: `blocking_echo_server PORT`.

use std::{
    error::Error,
    io,
    net::{TcpListener, TcpStream},
    thread,
};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("usage: blocking_echo_server PORT")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    println!("listening on ws://{}/", listener.local_addr()?);
    Ok(serve(&listener)?)
}

/// Serves until the listener fails.
pub(crate) fn serve(listener: &TcpListener) -> io::Result<()> {
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || {
            if let Err(error) = echo(stream) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn echo(stream: TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_nodelay(true)?;
    let mut ws = ws_sync::accept(stream)?;
    while let Some(lent) = ws.recv_lent() {
        let (message, sender) = lent?;
        sender.forward(message)?;
    }
    Ok(())
}
