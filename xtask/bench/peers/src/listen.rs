//! One thread that accepts and serves.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, TcpStream};

use crate::Takeover;

/// The port this server was asked to listen on: its first argument.
///
/// # Errors
/// When there is no argument, or it is not a port.
pub fn port() -> io::Result<SocketAddr> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    let port =
        port.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "give the port to listen on"))?;
    Ok((Ipv4Addr::LOCALHOST, port).into())
}

/// What this server was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// How it compresses, if it does.
    pub takeover: Option<Takeover>,
    /// Whether a message goes to everybody but its sender, and not back to it.
    pub broadcast: bool,
}

/// What this server was asked to do: its arguments behind the port.
///
/// # Errors
/// When one of them is none of `ct`, `nct` and `broadcast`.
pub fn wanted() -> io::Result<Wanted> {
    let mut wanted = Wanted::default();
    for word in std::env::args().skip(2) {
        match word.as_str() {
            "ct" => wanted.takeover = Some(Takeover::Keep),
            "nct" => wanted.takeover = Some(Takeover::Reset),
            "broadcast" => wanted.broadcast = true,
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "behind the port: ct, nct, broadcast",
                ));
            }
        }
    }
    Ok(wanted)
}

/// Prints the one line that tells that the server may be connected to.
///
/// # Errors
/// When nobody reads standard output any more.
pub fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "listening on {address}")?;
    out.flush()
}

/// Accepts on the port of the command line, for ever, on one thread, and runs `connection` for each stream.
///
/// Tokio's cooperative budget is left off, as the fastest documented echo of several libraries does.
///
/// # Errors
/// When the port cannot be listened on, or accepting fails.
pub fn serve<F>(connection: impl Fn(TcpStream) -> F) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let address = port()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        announce(address)?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            tokio::spawn(tokio::task::unconstrained(connection(stream)));
        }
    })
}
