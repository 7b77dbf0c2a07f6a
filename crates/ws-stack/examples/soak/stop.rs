//! When it is enough.

use std::time::Duration;

use tokio::{sync::watch, time};

/// Says when to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Comes with the first line on standard input, or with its end.
    pub(crate) fn on_input() -> Self {
        let (sender, stop) = watch::channel(false);
        std::thread::spawn(move || {
            let _line = std::io::stdin().lines().next();
            sender.send_replace(true);
        });
        Self(stop)
    }

    pub(crate) fn is_on(&self) -> bool {
        *self.0.borrow()
    }

    /// Ready when it is enough.
    pub(crate) async fn come(&mut self) {
        // Who says so is gone only when it has been said.
        let _told = self.0.wait_for(|stop| *stop).await;
    }

    /// Waits for so long; false when it is enough.
    pub(crate) async fn pause(&mut self, pause: Duration) -> bool {
        time::timeout(pause, self.come()).await.is_err()
    }
}
