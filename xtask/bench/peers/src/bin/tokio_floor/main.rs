//! The least a WebSocket server can do on tokio: read, unmask in place, write. It checks nothing.
//!
//! In an echo, all connections share one read buffer; one has memory of its own only while it holds an incomplete frame, or a
//! reply that the socket did not take.

mod broadcast;
mod frames;

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;

use crate::broadcast::Room;
use crate::frames::{Batch, KEY, needed, reply};

const BUFFER: usize = 128 << 10;

thread_local! {
    static SHARED: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

/// What one turn could not finish.
enum Rest {
    Nothing,
    Incomplete(BytesMut),
    Unsent(Vec<u8>, BytesMut),
    Closed,
}

async fn connection(mut stream: TcpStream, room: Option<Arc<Room>>) {
    if peers::upgrade(&mut stream).await.is_err() {
        return;
    }
    // A connection that is lost concerns nobody but its client.
    let _ = match room {
        None => echo(stream).await,
        Some(room) => room.attend(stream).await,
    };
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let rest = poll_fn(|cx| SHARED.with_borrow_mut(|buffer| turn(&mut stream, buffer, cx))).await?;
        let incomplete = match rest {
            Rest::Nothing => continue,
            Rest::Closed => return Ok(()),
            Rest::Incomplete(incomplete) => incomplete,
            Rest::Unsent(unsent, incomplete) => {
                stream.write_all(&unsent).await?;
                incomplete
            }
        };
        if !incomplete.is_empty() && !finish(&mut stream, incomplete).await? {
            return Ok(());
        }
    }
}

/// Reads once, answers every whole frame of it with one write.
fn turn(stream: &mut TcpStream, buffer: &mut [u8], cx: &mut Context<'_>) -> Poll<io::Result<Rest>> {
    let mut stream = Pin::new(stream);
    let mut unread = ReadBuf::new(buffer);
    ready!(stream.as_mut().poll_read(cx, &mut unread))?;
    let received = unread.filled_mut();
    if received.is_empty() {
        return Poll::Ready(Ok(Rest::Closed));
    }
    let Batch { reply, consumed, close } = reply(received);
    let sent = if reply.is_empty() {
        0
    } else {
        match stream.as_mut().poll_write(cx, &received[reply.clone()]) {
            Poll::Ready(sent) => sent?,
            Poll::Pending => 0,
        }
    };
    let unsent = &received[reply][sent..];
    let incomplete = BytesMut::from(&received[consumed..]);
    Poll::Ready(Ok(if close {
        Rest::Closed
    } else if !unsent.is_empty() {
        Rest::Unsent(unsent.to_vec(), incomplete)
    } else if !incomplete.is_empty() {
        Rest::Incomplete(incomplete)
    } else {
        Rest::Nothing
    }))
}

/// Reads the rest of one frame, and no byte beyond it, straight behind its beginning; false once the peer is gone.
async fn finish(stream: &mut TcpStream, mut frame: BytesMut) -> io::Result<bool> {
    loop {
        let missing = needed(&frame) - frame.len();
        if missing == 0 {
            break;
        }
        frame.reserve(missing);
        if stream.read_buf(&mut (&mut frame).limit(missing)).await? == 0 {
            return Ok(false);
        }
    }
    let Batch { reply, close, .. } = reply(&mut frame);
    debug_assert_eq!(reply.start, KEY);
    stream.write_all(&frame[reply]).await?;
    Ok(!close)
}

fn main() -> io::Result<()> {
    let room = peers::wanted()?.broadcast.then(Arc::default);
    peers::serve(move |stream| connection(stream, room.clone()))
}
