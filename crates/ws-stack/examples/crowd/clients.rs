//! The clients: they connect, count what they get, and stay until the server closes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};
use ws_stack::{BoxError, Connect, Timeouts};

/// How many connect at once.
const AT_ONCE: usize = 200;

/// How long to wait for what all of them shall get.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the clients have seen together.
#[derive(Default)]
struct Seen {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    open: usize,
    failed: usize,
    delivered: usize,
}

impl Seen {
    fn note(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }

    /// Waits until it is enough, or for as long as it may take; gives what there is then.
    async fn until(&self, enough: impl Fn(&State) -> bool) -> (usize, usize, usize) {
        let look = || {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            (enough(&state), (state.open, state.failed, state.delivered))
        };
        let _late = timeout(PATIENCE, async {
            while !look().0 {
                self.changed.notified().await;
            }
        })
        .await;
        look().1
    }
}

pub(crate) async fn run(
    count: usize,
    addresses: &[String],
    mut lines: mpsc::Receiver<String>,
) -> Result<(), BoxError> {
    let seen = Arc::<Seen>::default();
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut clients = JoinSet::new();
    let before = Instant::now();
    for address in addresses.iter().cycle().take(count) {
        let (address, seen, turns) = (address.clone(), Arc::clone(&seen), Arc::clone(&turns));
        clients.spawn(async move { stay(&address, &seen, &turns).await });
    }
    let (open, failed, _) = seen.until(|state| state.open + state.failed == count).await;
    println!("open {open} {failed} {}", before.elapsed().as_millis());

    while let Some(line) = lines.recv().await {
        match line.split_once(' ').unwrap_or((&line, "")) {
            // When so many messages have been delivered to all of them together.
            ("delivered", wanted) => {
                let wanted = wanted.parse()?;
                let before = Instant::now();
                let (_, _, delivered) = seen.until(|state| state.delivered >= wanted).await;
                println!("delivered {delivered} {}", before.elapsed().as_millis());
            }
            // When all have been closed.
            ("closed", _) => {
                let (mut in_order, mut otherwise) = (0, 0);
                while let Some(code) = clients.join_next().await {
                    if code? == Some(1001) { in_order += 1 } else { otherwise += 1 }
                }
                println!("closed {in_order} {otherwise}");
                break;
            }
            _ => return Err(format!("not a command: {line}").into()),
        }
    }
    Ok(())
}

/// A client's life; gives the code that it was closed with.
async fn stay(address: &str, seen: &Seen, turns: &Semaphore) -> Option<u16> {
    let turn = turns.acquire().await.ok()?;
    // The pings shall be the server's.
    let mut timeouts = Timeouts::default();
    timeouts.ping_after = None;
    let connect = Connect::new(&format!("ws://{address}/")).ok()?.timeouts(timeouts);
    let Ok(mut ws) = connect.await else {
        seen.note(|state| state.failed += 1);
        return None;
    };
    drop(turn);
    seen.note(|state| state.open += 1);
    while let Some(Ok(_)) = ws.recv().await {
        seen.note(|state| state.delivered += 1);
    }
    Some(ws.closed()?.code)
}
