//! One thread's share of the server: accept until told to stop, then see every connection to its end.

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    net::TcpListener,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{self, LocalSet, coop},
    time,
};

use super::{connection, service::Service, stop::Stop};
use crate::print;

/// How long to wait when the system has no descriptor or no memory left: until some connection has ended, likely.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections of a crowd are accepted before others have their turn. The runtime would accept 128, two milliseconds.
const TURN: u32 = 32;

/// Accepts until `stopping` says so, or its sender is gone; then drops who is in the handshake still, closes the connections of
/// this thread and waits for them.
///
/// Who is in the handshake waits in a queue of its own, of which 61 have their turn at a time ([`LocalSet`]) and then everybody
/// else. Thousands that come, or go, at once cost some 15 us each, and whoever is open would wait for all of them in one queue.
pub(super) async fn run(
    listener: TcpListener,
    service: &Arc<Service>,
    mut stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let stop = Arc::new(Stop::default());
    let mut stopped = pin!(coop::unconstrained(stopping.wait_for(|stopping| *stopping)));
    let mut crowd = LocalSet::new();
    let mut turn = 0;
    loop {
        let accepted = poll_fn(|cx| {
            if turn == 0 {
                let _empty = Pin::new(&mut crowd).poll(cx);
            }
            match listener.poll_accept(cx) {
                Poll::Ready(accepted) => Poll::Ready(Some(accepted)),
                // Not asked for each of a crowd, but when nobody waits to be accepted, or others have their turn.
                Poll::Pending => {
                    turn = 0;
                    stopped.as_mut().poll(cx).map(|_| None)
                }
            }
        });
        match accepted.await {
            None => break,
            Some(Ok((stream, peer))) => {
                connection::admit(&crowd, stream, peer, service, stop.watch());
                turn += 1;
                if turn >= TURN {
                    turn = 0;
                    task::yield_now().await;
                }
            }
            Some(Err(error)) if concerns_one_connection(&error) => {}
            Some(Err(error)) => {
                if service.verbose {
                    print::error(format_args!("cannot accept a connection: {error}"));
                }
                // The connection still waits: to try again at once would only spin.
                crowd.run_until(time::sleep(PAUSE)).await;
            }
        }
    }
    drop(listener);
    drop(crowd);
    stop.stop();
    stop.idle().await;
    Ok(())
}

/// Whether the error is that of a connection that was gone before it was accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
