//! The listeners, one for each thread, all on one address.

use std::{
    io,
    net::{SocketAddr, TcpListener, ToSocketAddrs},
};

use anyhow::{Context, bail};
use tokio::{net::TcpSocket, runtime::Builder};

/// How many connections may wait to be accepted; the system has a bound of its own.
const BACKLOG: u32 = 4096;

/// Whether connections have `TCP_NODELAY` from their listener, which saves a system call for each.
pub(super) const NODELAY_IS_INHERITED: bool = cfg!(target_os = "linux");

/// Listens on `address` with as many sockets as there are threads.
pub(super) fn bind(address: &str, threads: usize) -> anyhow::Result<Vec<TcpListener>> {
    let wanted = address
        .to_socket_addrs()
        .with_context(|| format!("{address:?} is no address to listen on, such as 127.0.0.1:9001"))?
        .next();
    let Some(wanted) = wanted else { bail!("{address:?} has no address") };
    let listen = || -> io::Result<_> {
        // tokio makes sockets inside a runtime only; the listeners move to others.
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let _guard = runtime.enter();
        sockets(wanted, threads)
    };
    listen().with_context(|| format!("cannot listen on {wanted}"))
}

fn sockets(wanted: SocketAddr, threads: usize) -> io::Result<Vec<TcpListener>> {
    if threads == 1 {
        return Ok(vec![socket(wanted, false)?]);
    }
    // Listeners that share an address would share it with another server's, too: find out that there is none.
    let address = socket(wanted, false)?.local_addr()?;
    (0..threads).map(|_| socket(address, true)).collect()
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again finds its port although old connections linger. Windows means something else by it.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    if shared {
        share(&socket)?;
    }
    if NODELAY_IS_INHERITED {
        // A failure costs what it would cost on a connection.
        let _ = socket.set_nodelay(true);
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Lets several listeners have one address; the system spreads the connections.
#[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin"))))]
fn share(socket: &TcpSocket) -> io::Result<()> {
    socket.set_reuseport(true)
}

#[cfg(not(all(unix, not(any(target_os = "solaris", target_os = "illumos", target_os = "cygwin")))))]
fn share(_: &TcpSocket) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no SO_REUSEPORT: use one thread"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_listener_takes_a_free_port_for_itself() {
        let listeners = bind("127.0.0.1:0", 1).unwrap();
        let address = listeners[0].local_addr().unwrap();
        assert_ne!(address.port(), 0);
        for threads in [1, 2] {
            let error = bind(&address.to_string(), threads).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot listen on {address}"));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn several_listeners_share_an_address() {
        let listeners = bind("localhost:0", 3).unwrap();
        let mut addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        addresses.dedup();
        assert_eq!((listeners.len(), addresses.len()), (3, 1));
    }

    #[test]
    fn a_connection_has_no_delay_from_its_listener() {
        let listener = bind("127.0.0.1:0", 1).unwrap().remove(0);
        listener.set_nonblocking(false).unwrap();
        let _client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(accepted.nodelay().unwrap(), NODELAY_IS_INHERITED);
    }

    #[test]
    fn what_is_no_address_is_said_so() {
        for address in ["", "9001", "127.0.0.1", "127.0.0.1:port"] {
            let error = bind(address, 1).unwrap_err().to_string();
            assert!(error.contains("is no address to listen on"), "{error}");
        }
    }
}
