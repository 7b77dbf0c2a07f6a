//! The least a broadcast can do on tokio: one write for each receiver, on the spot, by whoever read the message.
//!
//! Nobody is woken and nothing is queued: a receiver whose socket is full is given up.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::TcpStream;

use crate::frames::{Batch, needed, reply};

/// More than a burst of the load generator.
const BUFFER: usize = 128 << 10;

/// Everybody who is connected.
#[derive(Default)]
pub(crate) struct Room(Mutex<Vec<Arc<TcpStream>>>);

impl Room {
    /// Passes on what one connection says to all others, until it is gone.
    pub(crate) async fn attend(&self, stream: TcpStream) -> io::Result<()> {
        let stream = Arc::new(stream);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&stream));
        let mut incomplete = Vec::new();
        loop {
            stream.readable().await?;
            if !self.turn(&stream, &mut incomplete)? {
                return Ok(());
            }
        }
    }

    /// Reads once, and sends all whole frames with one write to each; false once the peer is gone.
    fn turn(&self, stream: &Arc<TcpStream>, received: &mut Vec<u8>) -> io::Result<bool> {
        received.reserve(BUFFER);
        match stream.try_read_buf(received) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        }
        if received.len() < needed(received) {
            return Ok(true);
        }
        let Batch { reply, consumed, close } = reply(received);
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let frames = &received[reply];
        members.retain(|member| {
            Arc::ptr_eq(member, stream) || matches!(member.try_write(frames), Ok(len) if len == frames.len())
        });
        drop(members);
        received.drain(..consumed);
        if received.is_empty() {
            *received = Vec::new();
        }
        Ok(!close)
    }
}
