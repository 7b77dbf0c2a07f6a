//! Clients that come, talk and go, well and badly, for as long as they are let: what `cargo xtask soak` sends to a server; and
//! with `soak serve` a server for them that counts what is on its heap.
//!
//! `soak CONNECTIONS SEED PAUSE ADDRESS` keeps so many connections to an echo server open at once, each of which is silent for
//! up to so many milliseconds now and then. Each second it prints
//! `tally LIVES OPEN ASKED ANSWERED BYTES FAILED`, and for each failure a line `failed SEED WHY`. A line on standard
//! input, or its end, stops it: no life begins any more, and those that go on end with their next pause.

#[path = "../crowd/descriptors.rs"]
mod descriptors;
mod leave;
mod life;
mod message;
mod server;
mod stop;
mod talk;
mod tally;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{sync::Semaphore, task::JoinSet, time};
use ws_stack::BoxError;
use ws_testkit::Heap;

use self::{life::Visitor, stop::Stop, tally::Tally};

const USAGE: &str = "usage: soak CONNECTIONS SEED PAUSE ADDRESS, or soak serve";

#[global_allocator]
static HEAP: Heap = Heap;

/// How many connect at once: a listener has a queue of some hundred.
const AT_ONCE: usize = 200;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    descriptors::raise_limit();
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments == ["serve"] {
        return server::serve().await;
    }
    let [connections, seed, pause, address] = arguments.as_slice() else { return Err(USAGE.into()) };
    let (connections, seed): (u64, u64) = (connections.parse()?, seed.parse()?);
    let (pause, server): (usize, SocketAddr) = (pause.parse()?, address.parse()?);

    let (tally, stop) = (Arc::<Tally>::default(), Stop::on_input());
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut places = JoinSet::new();
    for place in 0..connections {
        let visitor =
            Visitor::new(server, place, pause, Arc::clone(&turns), Arc::clone(&tally), stop.clone());
        places.spawn(async move {
            // Each place has seeds of its own, so that a life can be told from all others.
            for life in 0_u64.. {
                if visitor.stop.is_on() {
                    break;
                }
                visitor.live(seed.wrapping_add(place << 32).wrapping_add(life)).await;
            }
        });
    }
    let mut seconds = time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = seconds.tick() => tally.print(),
            ended = places.join_next() => match ended {
                Some(ended) => ended?,
                None => break,
            },
        }
    }
    tally.print();
    println!("end");
    Ok(())
}
