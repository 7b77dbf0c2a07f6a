//! The registry by itself; `tests/loom_server.rs` has it under every order of threads, which is why these stand beside it.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use ws_endpoint::driver::CloseCode;

use super::{
    Address,
    registry::{Entry, Order, Registry, Remote},
};

fn enter(registry: &Arc<Registry>, port: u16) -> Remote {
    registry.enter(Address::Tcp(([127, 0, 0, 1], port).into()), "/")
}

fn poll(remote: &Remote) -> Poll<Arc<Order>> {
    remote.poll_order(&Context::from_waker(Waker::noop()))
}

#[test]
fn an_entry_is_small() {
    // Behind it: the counts of its Arc, its slot, and its path.
    assert!(size_of::<Entry>() + 16 + 8 <= 168, "{}", size_of::<Entry>());
    assert_eq!(size_of::<Option<Remote>>(), size_of::<usize>());
}

#[test]
fn an_order_is_found_once_and_slots_are_used_again() {
    let registry = Arc::<Registry>::default();
    let (first, second) = (enter(&registry, 1), enter(&registry, 2));
    assert!(poll(&first).is_pending());
    registry.tell_all(&Arc::new(Order::Drop));
    assert!(poll(&first).is_ready() && poll(&second).is_ready());
    assert!(poll(&first).is_pending());
    drop(first);
    assert_eq!(registry.len(), 1);
    let third = enter(&registry, 3);
    assert_eq!((third.entry().slot, registry.len()), (0, 2));
    assert!(poll(&third).is_pending());
    second.ended(true);
    second.ended(false);
    assert_eq!(registry.len(), 1);
}

#[test]
fn who_comes_late_is_told_and_who_does_not_answer_is_reported() {
    let registry = Arc::<Registry>::default();
    let (clean, lost, open) = (enter(&registry, 1), enter(&registry, 2), enter(&registry, 3));
    registry.tell_for_good(&Arc::new(Order::Close(CloseCode::GOING_AWAY, "bye".into())));
    let late = enter(&registry, 4);
    let Poll::Ready(order) = poll(&late) else { panic!("it is told nothing") };
    assert!(matches!(&*order, Order::Close(code, _) if *code == CloseCode::GOING_AWAY));
    clean.ended(true);
    late.ended(true);
    drop(lost);
    let ports = |addresses: Vec<Address>| -> Vec<_> {
        addresses.iter().filter_map(Address::tcp).map(|address| address.port()).collect()
    };
    let (answered, unanswered) = registry.outcome();
    assert_eq!((answered, ports(unanswered)), (2, vec![2, 3]));
    drop(open);
    assert_eq!(registry.len(), 0);
}
