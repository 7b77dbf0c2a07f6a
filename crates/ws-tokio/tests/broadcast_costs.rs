//! What a message to many connections costs: memory that is taken, and work of extensions.

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Waker},
};

use support::mock::mock;
use tokio::time::Instant;
use ws_testkit::{Frame, Heap, read_frames};
use ws_tokio::{
    Group, MemberOptions, SlowConsumer, SpawnOptions, WebSocket,
    endpoint::{
        driver::{Config, Connection, Prepared, Timeouts},
        extensions::{
            Class, Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Registry,
            Session, SessionOptions,
        },
        frame::{Role, Rsv},
    },
};

#[global_allocator]
static HEAP: Heap = Heap;

const MEMBERS: usize = 1000;

/// Adds one to each byte, and counts how often it does.
#[derive(Clone, Default)]
struct Shift(Arc<AtomicUsize>);

impl Extension for Shift {
    fn name(&self) -> &'static str {
        "shift"
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV1
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        None
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), Session::new(self.clone(), self.clone())))
    }
}

impl Codec for Shift {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        head.rsv |= Rsv::RSV1;
        Plan::Stream
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        out.extend_from_slice(&fragment.iter().map(|byte| byte + 1).collect::<Vec<_>>())
    }

    fn class(&self) -> Option<Class> {
        Some(Class::of::<Self>([0, 0]))
    }
}

fn server(shift: Option<&Shift>) -> Connection {
    let mut config = Config::new(Role::Server);
    config.timeouts = Timeouts::NONE.into();
    let mut registry = Registry::new();
    if let Some(shift) = shift {
        registry.register(shift.clone()).expect("one extension");
    }
    let options = SessionOptions::new(Role::Server, None);
    let offer = shift.map(|_| "shift");
    let negotiated = registry.respond(offer, &options).expect("agreed");
    Connection::new(config, negotiated, Instant::now().into_std())
}

#[tokio::test]
async fn extensions_work_once_for_all_members_of_a_class() {
    let shift = Shift::default();
    let group = Group::new();
    let options = MemberOptions::new(SlowConsumer::Skip);
    let members: Vec<_> = (0..100)
        .map(|place| {
            let (io, wire) = mock();
            let ws = WebSocket::from_connection(io, server((place % 2 == 0).then_some(&shift)));
            let handle = ws.spawn(1);
            group.add(&handle.sender(), options.clone()).expect("open");
            (handle, wire)
        })
        .collect();
    for text in ["HAL", "VMS"] {
        group.send(&Prepared::new(text)).await;
    }
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    let extended = [Frame::text("IBM").with_rsv(0b100), Frame::text("WNT").with_rsv(0b100)];
    let plain = [Frame::text("HAL"), Frame::text("VMS")];
    for (place, (_, wire)) in members.iter().enumerate() {
        let expected = if place % 2 == 0 { &extended } else { &plain };
        assert_eq!(&read_frames(Role::Server, &wire.written()), expected);
    }
    assert_eq!(shift.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_delivery_takes_no_memory() {
    let group = Group::new();
    let mut options = MemberOptions::new(SlowConsumer::Skip);
    options.max_messages = 8;
    // Tasks that are polled by hand, so that only what they do is counted.
    let mut members: Vec<_> = (0..MEMBERS)
        .map(|_| {
            let (io, wire) = mock();
            let ws = WebSocket::from_connection(io, server(None));
            let (handle, task) = ws.into_task(SpawnOptions::new(1));
            group.add(&handle.sender(), options.clone()).expect("open");
            (handle, wire, Box::pin(task))
        })
        .collect();
    let mut cx = Context::from_waker(Waker::noop());
    let mut round = |counts: bool| {
        for (_, wire, _) in &members {
            wire.state().written.reserve(1000);
            wire.state().slices.reserve(10);
        }
        let before = Heap::calls();
        for number in 0..4 {
            assert_eq!(group.try_send(&Prepared::new(format!("message {number}")), None).queued, MEMBERS);
        }
        let prepared = Heap::calls() - before;
        for (_, _, task) in &mut members {
            assert!(task.as_mut().poll(&mut cx).is_pending());
        }
        let delivered = Heap::calls() - before - prepared;
        for (_, wire, _) in &members {
            assert_eq!(wire.written().len(), 4 * 11);
        }
        if counts {
            assert!(prepared <= 4 * 6, "{prepared} for four messages");
            assert_eq!(delivered, 0, "for 4,000 deliveries");
        }
    };
    for warm in 0..20 {
        round(warm >= 5);
    }
}

#[test]
fn what_waits_costs_each_member_a_few_words() {
    let group = Group::new();
    let members: Vec<_> =
        (0..MEMBERS).map(|_| group.subscribe(MemberOptions::new(SlowConsumer::Skip))).collect();
    let before = Heap::held();
    for _ in 0..100 {
        assert_eq!(group.try_send(&Prepared::new(vec![7; 10_000]), None).queued, MEMBERS);
    }
    let each = (Heap::held() - before - 100 * 10_000) / MEMBERS.cast_signed();
    assert!(each < 1200, "{each} bytes for 100 messages");
    drop(members);
    assert_eq!(group.count(), 0);
}

/// What a connection with a task of its own may cost in all while it is idle, its handle and its membership of a group
/// included, its transport not.
const IDLE: isize = 2000;

#[tokio::test]
async fn an_idle_task_with_its_handle_takes_less_than_two_kilobytes() {
    let group = Group::new();
    let (mut transports, wires): (Vec<_>, Vec<_>) = (0..101).map(|_| mock()).unzip();
    for wire in &wires {
        wire.state().written.reserve(100);
        wire.state().slices.reserve(10);
    }
    let mut handles = Vec::with_capacity(101);
    let mut before = 0;
    for members in 1..=101 {
        let io = transports.pop().expect("one for each");
        let handle = WebSocket::from_connection(io, server(None)).spawn(16);
        group.add(&handle.sender(), MemberOptions::new(SlowConsumer::Skip)).expect("open");
        handles.push(handle);
        if members == 1 || members == 101 {
            for _ in 0..2 {
                group.send(&Prepared::new("a message")).await;
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
            }
        }
        if members == 1 {
            before = Heap::held(); // the buffers of this thread are there
        }
    }
    let each = (Heap::held() - before) / 100;
    assert!(each < IDLE, "{each} bytes for each");
    assert_eq!(read_frames(Role::Server, &wires[0].written()).len(), 2);
}

#[tokio::test]
async fn a_task_whose_inbox_is_full_holds_no_buffers() {
    let (mut transports, wires): (Vec<_>, Vec<_>) = (0..51).map(|_| mock()).unzip();
    let mut handles = Vec::with_capacity(51);
    let frames = Frame::binary([7; 100]).by(Role::Client).repeat(3);
    wires.iter().for_each(|wire| wire.push(frames.clone()));
    let mut before = 0;
    for count in 1..=51 {
        let io = transports.pop().expect("one for each");
        handles.push(WebSocket::from_connection(io, server(None)).spawn(1));
        if count == 1 || count == 51 {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
        if count == 1 {
            before = Heap::held();
        }
    }
    let each = (Heap::held() - before) / 50;
    // The message in the inbox, and what has arrived behind it.
    assert!(each < IDLE + 1000, "{each} bytes for each");
    for handle in &mut handles {
        for _ in 0..3 {
            assert_eq!(handle.recv().await.expect("not the end").expect("a message").as_bytes(), [7; 100]);
        }
    }
}
