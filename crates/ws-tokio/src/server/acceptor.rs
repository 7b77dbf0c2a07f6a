//! Takes in what comes to one listener.

use std::{io, pin::pin, sync::Arc};

use tokio::{
    sync::mpsc,
    time::{Duration, sleep},
};

use super::{
    ServerConnection, ServerError,
    contain::{Contained, Panicked},
    crowd::{Crowd, Place},
    handshake::Shared,
    listener::AnyListener,
};
use crate::race::unless;

/// How long to wait when the system has no descriptor or no memory left: until some connection has ended, likely.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts until the server shuts down. Each client has its handshake in a task of its own, so that a slow one holds up
/// nobody.
pub(super) async fn run<T: Send + 'static>(
    mut listener: Box<dyn AnyListener>,
    shared: Arc<Shared<T>>,
    crowd: Arc<Crowd>,
    ready: mpsc::Sender<ServerConnection<T>>,
) {
    let mut stopped = pin!(shared.stopped());
    loop {
        let accepting = Contained(listener.accept());
        let Ok(accepted) = unless(accepting, stopped.as_mut()).await else { return };
        let panicked = |Panicked(message)| Err(io::Error::other(format!("the listener panicked: {message}")));
        let (stream, peer) = match accepted.unwrap_or_else(panicked) {
            Ok(accepted) => accepted,
            Err(error) if concerns_one_connection(&error) => continue,
            Err(source) => {
                let listener = listener.local_addr();
                shared.hooks.rest.report(&ServerError::Accept { listener, source });
                // The connection still waits: to try again at once would only spin.
                if unless(sleep(PAUSE), stopped.as_mut()).await.is_err() {
                    return;
                }
                continue;
            }
        };
        let gave_way = |peer| shared.hooks.rest.report(&ServerError::Crowded { peer });
        let Ok(place) = unless(crowd.enter(&peer, gave_way), stopped.as_mut()).await else { return };
        let number = place.number();
        let (shared, ready) = (Arc::clone(&shared), ready.clone());
        let task = tokio::spawn(async move {
            if let Some(connection) = shared.shake_hands(stream, &peer).await {
                place.settle();
                // Without a receiver there is no server any more.
                let _gone = ready.send(connection).await;
            }
        });
        Place::spawned(&crowd, number, task.abort_handle());
    }
}

/// Whether the error is that of a connection that was gone before it was accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}
