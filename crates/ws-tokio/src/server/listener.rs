//! Where connections come from.

#[cfg(unix)]
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use std::{io, net::SocketAddr};

#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, TcpSocket, lookup_host};

use super::{Address, ServerStream, hooks::Pending};

/// A source of transports, for those that a [`Server`](crate::Server) does not know: pipes, tunnels, sockets of a service
/// manager's, pairs in memory for tests.
///
/// ```
/// use std::io;
/// use tokio::{io::DuplexStream, sync::mpsc};
/// use ws_tokio::{Address, Listener, ServerStream};
///
/// struct Pipes(mpsc::Receiver<DuplexStream>);
///
/// impl Listener for Pipes {
///     async fn accept(&mut self) -> io::Result<(ServerStream, Address)> {
///         match self.0.recv().await {
///             Some(pipe) => Ok((ServerStream::new(pipe), Address::Other("pipe".into()))),
///             None => std::future::pending().await,
///         }
///     }
///
///     fn local_addr(&self) -> Address {
///         Address::Other("pipes".into())
///     }
/// }
/// ```
pub trait Listener: Send + 'static {
    /// The next transport, and who is at its other end. It must be cancel-safe: a server that shuts down drops the future.
    ///
    /// # Errors
    /// The server tells its `on_error` and tries again after a moment, except for connections that were gone before they
    /// were accepted: there it tries again at once. A panic counts as an error.
    fn accept(&mut self) -> impl Future<Output = io::Result<(ServerStream, Address)>> + Send;

    /// Where it listens.
    fn local_addr(&self) -> Address;
}

/// TCP, with `TCP_NODELAY`: what is written is written in batches already.
impl Listener for TcpListener {
    async fn accept(&mut self) -> io::Result<(ServerStream, Address)> {
        let (tcp, peer) = Self::accept(self).await?;
        // Without it a reply may wait for the acknowledgement of the one before. A failure costs that and nothing else.
        let _ = tcp.set_nodelay(true);
        Ok((tcp.into(), peer.into()))
    }

    fn local_addr(&self) -> Address {
        Self::local_addr(self).map_or_else(|_| Address::Other("tcp".into()), Address::Tcp)
    }
}

#[cfg(unix)]
impl Listener for UnixListener {
    async fn accept(&mut self) -> io::Result<(ServerStream, Address)> {
        let (unix, peer) = Self::accept(self).await?;
        Ok((unix.into(), Address::Unix(peer.as_pathname().map(|path| Arc::new(path.to_path_buf())))))
    }

    fn local_addr(&self) -> Address {
        let address = Self::local_addr(self).ok();
        Address::Unix(address.and_then(|address| Some(Arc::new(address.as_pathname()?.to_path_buf()))))
    }
}

/// A listener of any kind.
pub(super) trait AnyListener: Send {
    fn accept(&mut self) -> Accepting<'_>;
    fn local_addr(&self) -> Address;
}

type Accepting<'a> = std::pin::Pin<Box<dyn Future<Output = io::Result<(ServerStream, Address)>> + Send + 'a>>;

impl<L: Listener> AnyListener for L {
    fn accept(&mut self) -> Accepting<'_> {
        // Called by the first poll, which is where a panic is caught.
        Box::pin(async move { Listener::accept(self).await })
    }

    fn local_addr(&self) -> Address {
        Listener::local_addr(self)
    }
}

/// Where a server is to listen.
pub(super) enum Source {
    Tcp(String),
    #[cfg(unix)]
    Unix(PathBuf),
    Own(Box<dyn AnyListener>),
}

impl Source {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Tcp(address) => address.clone(),
            #[cfg(unix)]
            Self::Unix(path) => path.display().to_string(),
            Self::Own(listener) => listener.local_addr().to_string(),
        }
    }

    pub(super) fn bind(self, backlog: u32) -> Pending<io::Result<Box<dyn AnyListener>>> {
        Box::pin(async move {
            match self {
                Self::Tcp(address) => {
                    Ok(Box::new(bind_tcp(&address, backlog).await?) as Box<dyn AnyListener>)
                }
                #[cfg(unix)]
                Self::Unix(path) => Ok(Box::new(UnixSocket::bind(&path)?) as Box<dyn AnyListener>),
                Self::Own(listener) => Ok(listener),
            }
        })
    }
}

/// A listener of our own: its connections may have `TCP_NODELAY` from it, which saves a system call for each.
struct TcpSocketListener {
    listener: TcpListener,
    nodelay_is_inherited: bool,
}

impl Listener for TcpSocketListener {
    async fn accept(&mut self) -> io::Result<(ServerStream, Address)> {
        if !self.nodelay_is_inherited {
            return Listener::accept(&mut self.listener).await;
        }
        let (tcp, peer) = self.listener.accept().await?;
        Ok((tcp.into(), peer.into()))
    }

    fn local_addr(&self) -> Address {
        Listener::local_addr(&self.listener)
    }
}

/// Listens on the first address of a name that can be listened on.
async fn bind_tcp(address: &str, backlog: u32) -> io::Result<TcpSocketListener> {
    let mut failed = None;
    for address in lookup_host(address).await? {
        match listen(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address")))
}

fn listen(address: SocketAddr, backlog: u32) -> io::Result<TcpSocketListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port whose last connections still wait for stray packets can be bound again. On Windows the option means another
    // thing: that two may listen at once.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    let nodelay_is_inherited = cfg!(target_os = "linux") && socket.set_nodelay(true).is_ok();
    socket.bind(address)?;
    Ok(TcpSocketListener { listener: socket.listen(backlog)?, nodelay_is_inherited })
}

/// A Unix socket whose file goes when nobody listens any more.
#[cfg(unix)]
struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

#[cfg(unix)]
impl UnixSocket {
    /// Listens on a path. A file that a server left behind which has ended without notice is in nobody's use.
    fn bind(path: &Path) -> io::Result<Self> {
        let bound = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(path) => {
                fs::remove_file(path)?;
                UnixListener::bind(path)
            }
            bound => bound,
        };
        Ok(Self { listener: bound?, path: path.to_path_buf() })
    }
}

/// Whether the path is a socket on which nobody listens.
#[cfg(unix)]
fn is_left_behind(path: &Path) -> bool {
    let connected = std::os::unix::net::UnixStream::connect(path);
    matches!(connected, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
        && fs::symlink_metadata(path)
            .is_ok_and(|file| std::os::unix::fs::FileTypeExt::is_socket(&file.file_type()))
}

#[cfg(unix)]
impl Listener for UnixSocket {
    async fn accept(&mut self) -> io::Result<(ServerStream, Address)> {
        Listener::accept(&mut self.listener).await
    }

    fn local_addr(&self) -> Address {
        Listener::local_addr(&self.listener)
    }
}

#[cfg(unix)]
impl Drop for UnixSocket {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        net::TcpStream,
        time::{Duration, timeout},
    };

    use super::*;

    #[tokio::test]
    async fn a_connection_has_no_delay_from_its_listener_or_when_it_is_accepted() {
        let bare = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let bare = TcpSocketListener { listener: bare, nodelay_is_inherited: false };
        let own = bind_tcp("127.0.0.1:0", 8).await.unwrap();
        assert_eq!(own.nodelay_is_inherited, cfg!(target_os = "linux"));
        for mut listener in [own, bare] {
            let address = listener.listener.local_addr().unwrap();
            let _client = TcpStream::connect(address).await.unwrap();
            let accepted = timeout(Duration::from_secs(10), Listener::accept(&mut listener)).await;
            let (stream, _) = accepted.unwrap().unwrap();
            assert!(stream.tcp().unwrap().nodelay().unwrap());
        }
    }
}
