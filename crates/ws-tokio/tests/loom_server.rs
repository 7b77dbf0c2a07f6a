//! What a server knows of its connections and handshakes, under every order in which the threads can run that share it.
//!
//! The files under test are the crate's own; their locks and what tokio has to tell tasks are loom's here, and so are the
//! threads. What is only counted in atomics is one step.
#![allow(dead_code, unreachable_pub, reason = "the files under test have more than is tested")]

#[path = "../src/server/crowd.rs"]
mod crowd;
#[path = "support/every_order.rs"]
mod every_order;
#[path = "../src/server/registry.rs"]
mod registry;

mod sync {
    pub(crate) use loom::sync::Mutex;

    pub(crate) use crate::every_order::Notify;
}

mod tasks {
    pub(crate) use crate::every_order::lock;
}

use std::{future::poll_fn, sync::Arc, task::Context};

use crowd::Crowd;
use every_order::{join, under_every_order};
use loom::{future::block_on, thread};
use registry::{Order, Registry, Remote};
use ws_endpoint::driver::CloseCode;
use ws_tokio::Address;

fn peer() -> Address {
    Address::Tcp(([127, 0, 0, 1], 1).into())
}

fn enter(registry: &Arc<Registry>) -> Remote {
    registry.enter(peer(), "/")
}

/// A connection that waits for nothing but its orders.
fn wait_for_order(remote: &Remote) -> Arc<Order> {
    block_on(poll_fn(|cx: &mut Context<'_>| remote.poll_order(cx)))
}

#[test]
fn a_connection_that_comes_while_the_server_shuts_down_is_told() {
    under_every_order(|| {
        let registry = Arc::<Registry>::default();
        let shut = Arc::clone(&registry);
        let shutdown = thread::spawn(move || {
            shut.tell_for_good(&Arc::new(Order::Close(CloseCode::GOING_AWAY, "bye".into())));
            block_on(shut.emptied());
            shut.outcome().0
        });
        // One is there before, or comes in the middle of it, or behind.
        let remote = enter(&registry);
        assert!(matches!(&*wait_for_order(&remote), Order::Close(CloseCode::GOING_AWAY, _)));
        remote.ended(true);
        drop(remote);
        let answered = join(shutdown);
        assert!(answered <= 1 && registry.len() == 0, "{answered} have answered");
    });
}

#[test]
fn an_order_wakes_a_connection_that_waits_and_the_last_one_stands() {
    under_every_order(|| {
        let registry = Arc::<Registry>::default();
        let remote = enter(&registry);
        let orders = [Order::Close(CloseCode::GOING_AWAY, "bye".into()), Order::Drop].map(|order| {
            let registry = Arc::clone(&registry);
            thread::spawn(move || registry.tell_all(&Arc::new(order)))
        });
        let _first = wait_for_order(&remote);
        orders.into_iter().for_each(join);
        // At most one more was left, if the first was found before it came.
        assert!(remote.entry().was_told());
        let _second = remote.entry().take_order();
        assert!(remote.entry().take_order().is_none());
    });
}

#[test]
fn who_waits_for_the_last_connection_learns_of_its_end() {
    under_every_order(|| {
        let registry = Arc::<Registry>::default();
        let remotes = [enter(&registry), enter(&registry)];
        let waits = Arc::clone(&registry);
        let waiting = thread::spawn(move || {
            block_on(waits.emptied());
            waits.len()
        });
        let [first, second] = remotes;
        let leaving = thread::spawn(move || first.ended(false));
        drop(second);
        join(leaving);
        assert_eq!(join(waiting), 0);
    });
}

/// The one who frees a place tells one who waits; two may be freed before the first has looked.
#[test]
fn whoever_waits_for_a_place_gets_one_when_there_are_as_many() {
    // For the times that are tried again at: they do not come, so that nobody is saved by them.
    let stopped = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let stopped = stopped.expect("a runtime");
    let _times = stopped.enter();
    under_every_order(|| {
        let crowd = Crowd::new(2);
        let taken = [(); 2].map(|()| {
            let place = block_on(crowd.enter(&peer(), |_| {}));
            place.settle();
            place
        });
        let listeners = [(); 2].map(|()| {
            let crowd = Arc::clone(&crowd);
            thread::spawn(move || block_on(crowd.enter(&peer(), |_| panic!("nobody is slow"))))
        });
        let leaving = thread::spawn(move || drop(taken));
        let places = listeners.map(join);
        join(leaving);
        assert_ne!(places[0].number(), places[1].number());
    });
}
