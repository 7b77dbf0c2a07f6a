//! How many opening handshakes may be under way.
//!
//! A client that connects and says nothing costs memory and a descriptor until its time is up. With a cap alone, as many
//! of them as the cap would keep everybody else out for as long as the handshake may take, again and again. So at the cap
//! the slowest handshake gives way, once it has had the time that an honest client needs; before, the newcomer waits, which
//! is what a crowd of honest clients needs.

use std::{collections::BTreeMap, pin::pin, sync::Arc};

use tokio::{
    task::AbortHandle,
    time::{Duration, Instant, timeout_at},
};

use super::Address;
use crate::{
    sync::{Mutex, Notify},
    tasks::lock,
};

/// How long a handshake is safe from newcomers.
const GRACE: Duration = Duration::from_secs(1);

const MOMENT: Duration = Duration::from_millis(10);

/// The opening handshakes that are under way.
#[derive(Debug)]
pub(super) struct Crowd {
    max: usize,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    next: u64,
    /// Those that may have to give way, the oldest first.
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    peer: Address,
    /// Once it is spawned.
    task: Option<AbortHandle>,
}

/// A handshake's place among those under way.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    number: u64,
}

impl Crowd {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max: max.max(1), state: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a handshake; waits for one while all are taken. Tells whose handshake had to give way.
    pub(super) async fn enter(self: &Arc<Self>, peer: &Address, mut gave_way: impl FnMut(Address)) -> Place {
        loop {
            // Before it looks: of two places that are freed at once, two listeners must learn.
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            let retry = match self.try_enter(peer) {
                Ok(place) => return place,
                Err(Full::GaveWay(peer)) => {
                    gave_way(peer);
                    None
                }
                Err(Full::Until(retry)) => retry,
            };
            match retry {
                None => freed.await,
                Some(retry) => {
                    let _either = timeout_at(retry, freed).await;
                }
            }
        }
    }

    fn try_enter(self: &Arc<Self>, peer: &Address) -> Result<Place, Full> {
        let mut state = lock(&self.state);
        let now = Instant::now();
        if state.held < self.max {
            state.held += 1;
            state.next += 1;
            let number = state.next;
            state.waiting.insert(number, Waiting { since: now, peer: peer.clone(), task: None });
            return Ok(Place { crowd: Arc::clone(self), number });
        }
        let Some(oldest) = state.waiting.first_entry() else { return Err(Full::Until(None)) };
        let until = oldest.get().since + GRACE;
        match &oldest.get().task {
            Some(task) if until <= now => {
                task.abort();
                Err(Full::GaveWay(oldest.remove().peer))
            }
            // One that is only just being spawned is not looked for again at once.
            _ => Err(Full::Until(Some(until.max(now + MOMENT)))),
        }
    }

    /// Ends all handshakes that are under way.
    pub(super) fn abort(&self) {
        for waiting in lock(&self.state).waiting.values() {
            if let Some(task) = &waiting.task {
                task.abort();
            }
        }
    }
}

/// All places are taken.
enum Full {
    /// This client's is about to be free.
    GaveWay(Address),
    /// Until one is freed, or the oldest has had its time.
    Until(Option<Instant>),
}

impl Place {
    /// The handshake's task, once it is spawned; it may have ended already.
    pub(super) fn spawned(crowd: &Crowd, number: u64, task: AbortHandle) {
        if let Some(waiting) = lock(&crowd.state).waiting.get_mut(&number) {
            waiting.task = Some(task);
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The handshake is over but for the application, which has not taken the connection yet: it does not give way.
    pub(super) fn settle(&self) {
        lock(&self.crowd.state).waiting.remove(&self.number);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.crowd.state);
        state.waiting.remove(&self.number);
        state.held -= 1;
        drop(state);
        self.crowd.freed.notify_one();
    }
}
