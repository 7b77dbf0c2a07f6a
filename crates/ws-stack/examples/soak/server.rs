//! A server that counts what is on its heap.

use std::time::Duration;

use tokio::time;
use ws_stack::{BoxError, Server, deflate};
use ws_testkit::Heap;

/// Echoes every message, and prints each second how many bytes are on the heap.
///
/// All of it happens in one thread: [`Heap`] counts for each.
pub(crate) async fn serve() -> Result<(), BoxError> {
    let server = Server::builder().deflate(deflate::Options::default()).bind("127.0.0.1:0").await?;
    println!("listening on {}", server.url("/").ok_or("it does not listen")?);
    let served = server.serve(|mut conn| async move {
        let (rx, tx) = conn.socket.halves();
        while let Some(message) = rx.recv(tx).await {
            tx.feed(message?)?;
        }
        Ok::<_, BoxError>(())
    });
    let mut served = std::pin::pin!(served);
    let mut seconds = time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = &mut served => return Ok(()),
            _ = seconds.tick() => println!("heap {}", Heap::held()),
        }
    }
}
