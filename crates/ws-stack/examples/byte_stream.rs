//! A connection as a byte stream, here for a tunnel: what speaks over TCP speaks over a WebSocket.
//! `cargo run -p ws-stack --example byte_stream`

use std::{io, net::SocketAddr};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use ws_stack::{BoxError, Server};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // A service that knows nothing of WebSockets.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let service = listener.local_addr()?;
    tokio::spawn(async move { shout(listener.accept().await?.0).await });

    // The tunnel: bytes both ways, and each end's end.
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    let tunnel = tokio::spawn(tunnel(server, service));

    // The client reads lines and writes them, as from a socket.
    let mut stream = ws_stack::connect(&address).await?.into_byte_stream();
    for line in ["hello\n", "is anybody there?\n"] {
        stream.write_all(line.as_bytes()).await?;
        stream.flush().await?; // a message leaves with a flush, or when it is large
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        println!("{}", answer.trim_end());
    }
    stream.shutdown().await?; // a closing handshake
    println!("closed with {:?}", stream.closed().map(|closed| closed.code));
    let (up, down) = tunnel.await??;
    println!("{up} bytes went up, {down} came down");
    Ok(())
}

async fn tunnel(server: Server, service: SocketAddr) -> Result<(u64, u64), BoxError> {
    let conn = server.accept().await.ok_or("the server has shut down")?;
    let mut tcp = TcpStream::connect(service).await?;
    let mut bytes = conn.into_socket().into_byte_stream();
    Ok(copy_bidirectional(&mut bytes, &mut tcp).await?)
}

async fn shout(tcp: TcpStream) -> io::Result<()> {
    let (read, mut write) = tcp.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        write.write_all(format!("{}\n", line.to_uppercase()).as_bytes()).await?;
    }
    Ok(())
}
