//! Proxies of our own, which are honest and note what they were asked.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::AbortOnDrop;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A listener on a port of its own, with a task for each connection and a list of what was noted.
pub struct Listening {
    pub port: u16,
    notes: Arc<Mutex<Vec<String>>>,
    _task: AbortOnDrop,
}

impl Listening {
    pub async fn start<F, R>(serve: F) -> Self
    where
        F: Fn(TcpStream, Arc<Mutex<Vec<String>>>) -> R + Send + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let notes = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&notes);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, notes, _task: AbortOnDrop(task) }
    }

    /// What was noted since the last time.
    pub fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().expect("no panic"))
    }
}

/// The head of an HTTP message, byte by byte, so that nothing behind it is taken.
pub async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<String, Failure> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head)?)
}

/// HTTP CONNECT: every name is this machine.
pub async fn connect<S>(mut client: S, notes: &Mutex<Vec<String>>) -> Result<(), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = head(&mut client).await?;
    let target = head.split(' ').nth(1).ok_or("a target")?;
    let port: u16 = target.rsplit_once(':').ok_or("a port")?.1.parse()?;
    notes.lock().expect("no panic").push(head.clone());
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    // RFC 9110 section 9.3.6: a length in this answer means nothing.
    client.write_all(b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}

/// SOCKS5 (RFC 1928), with user and password (RFC 1929) where the client offers them: every name is this machine.
pub async fn socks5(mut client: TcpStream, notes: &Mutex<Vec<String>>) -> Result<(), Failure> {
    let mut greeting = [0; 2];
    client.read_exact(&mut greeting).await?;
    let mut methods = vec![0; greeting[1].into()];
    client.read_exact(&mut methods).await?;
    let method = if methods.contains(&2) { 2 } else { 0 };
    client.write_all(&[5, method]).await?;
    let mut note = String::new();
    if method == 2 {
        let _version = client.read_u8().await?;
        for _ in 0..2 {
            let mut text = vec![0; client.read_u8().await?.into()];
            client.read_exact(&mut text).await?;
            note += &format!("{} ", String::from_utf8(text)?);
        }
        client.write_all(&[1, 0]).await?;
    }
    let mut request = [0; 4];
    client.read_exact(&mut request).await?;
    let len = match request[3] {
        1 => 4,
        4 => 16,
        _ => client.read_u8().await?.into(),
    };
    let mut host = vec![0; len];
    client.read_exact(&mut host).await?;
    let port = client.read_u16().await?;
    let host = if request[3] == 3 { String::from_utf8(host)? } else { format!("{host:?}") };
    notes.lock().expect("no panic").push(format!("{note}{host}:{port}"));
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
