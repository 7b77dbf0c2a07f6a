//! An honest client, who only wants its messages back: how long does it wait while others attack?
//!
//! Two clocks tell. The one on the wall counts also what the machine does for others, the attackers among them. The other
//! one is the server's CPU time: what the server did instead of answering. The bound is on that one.

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};

use super::peer::open;
use super::process::cpu;
use super::wire::{By, TEXT, frame};

/// An honest client at work: a message each millisecond.
#[derive(Debug)]
pub(crate) struct Honest {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<(Duration, Duration)>>>,
}

/// What an honest client waited 99 of 100 times at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// By the clock on the wall.
    pub(crate) wall: Duration,
    /// What the server worked meanwhile.
    pub(crate) server: Duration,
}

impl Honest {
    /// Connects and begins.
    ///
    /// # Errors
    /// When it cannot connect.
    pub(crate) fn start(address: SocketAddr, server: u32) -> anyhow::Result<Self> {
        let mut stream = open(address).context("an honest client is not let in")?;
        // How long it may wait is judged at the end; here it is only not for ever.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let (message, mut echo) = (frame(By::Client, TEXT, "an honest message"), [0; 19]);
            let mut waits = Vec::new();
            while !stopping.load(Ordering::Relaxed) {
                let (start, before) = (Instant::now(), cpu(server)?);
                stream.write_all(&message).context("an honest client cannot send")?;
                stream.read_exact(&mut echo).context("an honest client gets no answer")?;
                waits.push((start.elapsed(), cpu(server)?.saturating_sub(before)));
                ensure!(&echo[2..] == b"an honest message", "an honest client gets another answer");
                thread::sleep(Duration::from_millis(1));
            }
            Ok(waits)
        });
        Ok(Self { stop, thread })
    }

    /// Ends, and gives what it waited 99 of 100 times at most.
    ///
    /// # Errors
    /// When a message was not answered.
    pub(crate) fn finish(self) -> anyhow::Result<Wait> {
        self.stop.store(true, Ordering::Relaxed);
        let waits = self.thread.join().map_err(|_| anyhow!("the honest client failed"))??;
        ensure!(!waits.is_empty(), "an honest client had no answer at all");
        let (wall, server) = waits.into_iter().unzip();
        Ok(Wait { wall: percentile(wall), server: percentile(server) })
    }
}

/// The smallest wait that 99 of 100 do not exceed.
fn percentile(mut waits: Vec<Duration>) -> Duration {
    waits.sort_unstable();
    let rank = (waits.len() * 99).div_ceil(100).saturating_sub(1);
    waits.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_the_nearest_rank() {
        let waits = |count| (1..=count).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(waits(1)), Duration::from_millis(1));
        assert_eq!(percentile(waits(100)), Duration::from_millis(99));
        assert_eq!(percentile(waits(200)), Duration::from_millis(198));
    }
}
