//! Messages that are prepared for many connections: the same bytes, made once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::{Buf, Bytes, BytesMut};
use ws_driver::{Compress, Config, Limits, MaskSource, Message, Prepared, Role, SendError};
use ws_extensions::{
    Class, Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Registry, Session,
    SessionOptions, Work,
};
use ws_frame::Rsv;
use ws_testkit::{Endpoint, Frame};

/// How an extension goes about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Stream,
    Defer,
    /// Waits until it is polled by the I/O layer.
    Wait,
    Fail,
}

/// Adds a number to each byte of messages from a length on; only what `Compress::No` names passes.
#[derive(Clone, Debug)]
struct Shift {
    by: u8,
    way: Way,
    /// Adds the number of messages before, too, as an extension does that keeps a context.
    keeps: bool,
    worked: Arc<AtomicUsize>,
}

impl Shift {
    fn new(by: u8, way: Way) -> Self {
        Self { by, way, keeps: false, worked: Arc::default() }
    }

    fn worked(&self) -> usize {
        self.worked.load(Ordering::Relaxed)
    }

    fn server(&self) -> Endpoint {
        self.server_with(Config::new(Role::Server))
    }

    fn server_with(&self, config: Config) -> Endpoint {
        let mut registry = Registry::new();
        registry.register(self.clone()).unwrap();
        let options = SessionOptions::new(Role::Server, None);
        Endpoint::negotiated(config, registry.respond(Some("shift"), &options).unwrap())
    }
}

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
        let codec = || Shifter { shift: self.clone(), before: 0 };
        Some((Params::new(), Session::new(codec(), codec())))
    }
}

struct Shifter {
    shift: Shift,
    before: u8,
}

impl Shifter {
    fn work(&mut self, data: &[u8]) -> Vec<u8> {
        self.shift.worked.fetch_add(1, Ordering::Relaxed);
        let by = if self.shift.keeps { self.shift.by + self.before } else { self.shift.by };
        self.before += 1;
        data.iter().map(|byte| byte.wrapping_add(by)).collect()
    }
}

impl Codec for Shifter {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        if head.compress == Compress::No {
            return Plan::Pass;
        }
        head.rsv |= Rsv::RSV1;
        if matches!(self.shift.way, Way::Defer | Way::Wait) { Plan::Defer } else { Plan::Stream }
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        if self.shift.way == Way::Fail {
            return Err(ExtensionError::internal("no"));
        }
        out.extend_from_slice(&self.work(fragment))
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        let made = Bytes::from(self.work(&payload));
        match self.shift.way {
            Way::Wait => Work::future(async move { Ok((head, made)) }),
            _ => Work::concurrent(move || Ok((head, made))),
        }
    }

    fn class(&self) -> Option<Class> {
        (!self.shift.keeps).then(|| Class::of::<Self>([self.shift.by.into(), 0]))
    }
}

/// Nothing, what stands in place, what is copied, what is shared, and where the header gets longer.
fn messages() -> Vec<Message> {
    let mut messages = vec![Message::from("text"), Message::from("")];
    messages.extend([0, 1, 23, 24, 125, 126, 4095, 4096, 65_535, 65_536].map(|len| vec![7; len].into()));
    messages
}

fn client() -> Endpoint {
    let mut config = Config::new(Role::Client);
    let mut next = 0u8;
    config.mask_source = MaskSource::custom(move || {
        next = next.wrapping_add(1);
        [next, 1, 2, 3]
    });
    Endpoint::with(config)
}

#[test]
fn what_leaves_is_what_send_would_have_made() {
    let limited = |len| {
        move || {
            let mut config = Config::new(Role::Server);
            config.limits.max_sent_frame_len = len;
            Endpoint::with(config)
        }
    };
    let extended = |way| move || Shift::new(1, way).server();
    let short_frames = || {
        let mut config = Config::new(Role::Server);
        config.limits.max_sent_frame_len = 1000;
        Shift::new(1, Way::Stream).server_with(config)
    };
    let kept = || Shift { keeps: true, ..Shift::new(1, Way::Stream) }.server();
    let makers: [(&str, &dyn Fn() -> Endpoint); 8] = [
        ("server", &|| Endpoint::new(Role::Server)),
        ("client", &client),
        ("fragments", &limited(100)),
        ("long fragments", &limited(5000)),
        ("streaming extension", &extended(Way::Stream)),
        ("deferring extension", &extended(Way::Defer)),
        ("extension and fragments", &short_frames),
        ("extension with a context", &kept),
    ];
    for (name, make) in makers {
        for compress in [Compress::Default, Compress::No] {
            let (mut one, mut other) = (make(), make());
            for message in messages() {
                let sender = one.connection.sender();
                sender.write_compressed(message.kind(), message.as_bytes(), compress).unwrap();
                let prepared = Prepared::with_compress(message, compress);
                other.connection.sender().send_prepared(&prepared).unwrap();
                let (_, _) = (one.run_jobs(), other.run_jobs());
                assert_eq!(one.write(), other.write(), "{name}: {prepared:?}");
            }
        }
    }
}

/// A frame that is written on the spot, so much of it as the transport takes, and what is sent behind it.
#[test]
fn a_frame_that_is_passed_leaves_whole_wherever_it_was_cut() {
    for message in messages() {
        let prepared = Prepared::new(message);
        let mut expected = Endpoint::new(Role::Server);
        expected.connection.sender().send_prepared(&prepared).unwrap();
        let expected = [&expected.write()[..], b"\x81\x04next"].concat();
        let len = expected.len() - 6;
        for cut in (0..=len.min(20)).chain([len / 2, len.saturating_sub(1), len]) {
            let mut server = Endpoint::new(Role::Server);
            let sender = server.connection.sender();
            let frame = sender.pass(&prepared).expect("nothing is in its way");
            assert_eq!(frame, &expected[..len]);
            let mut wire = frame[..cut].to_vec();
            sender.passed(&prepared, cut);
            assert_eq!(sender.queued(), len - cut);
            assert_eq!(sender.pass(&prepared).is_some(), cut == len, "what is left goes first");
            sender.write(ws_driver::DataKind::Text, b"next").unwrap();
            wire.extend(server.write());
            assert_eq!(wire, expected, "cut behind {cut} of {len}");
        }
    }
}

#[test]
fn a_frame_is_passed_only_as_it_is_and_in_its_turn() {
    let prepared = Prepared::new(vec![0; 100]);
    let limited = |len| {
        let mut config = Config::new(Role::Server);
        config.limits.max_sent_frame_len = len;
        Endpoint::with(config)
    };
    let changed = |change: fn(&mut ws_driver::Sender)| {
        let mut server = Endpoint::new(Role::Server);
        change(server.connection.sender());
        server
    };
    let servers = [
        ("as it is", true, limited(100)),
        ("in fragments", false, limited(99)),
        ("masked", false, client()),
        ("by an extension", false, Shift::new(1, Way::Stream).server()),
        ("behind another", false, changed(|sender| sender.ping(b"").unwrap())),
        ("in another", false, changed(|sender| sender.start(ws_driver::DataKind::Text).unwrap())),
        ("behind a Close", false, changed(ws_driver::Sender::close_without_code)),
        ("behind the end", false, changed(ws_driver::Sender::abandon)),
    ];
    for (case, passes, mut server) in servers {
        if case == "behind a Close" {
            let _close = server.write();
        }
        assert_eq!(server.connection.sender().pass(&prepared).is_some(), passes, "{case}");
    }
}

#[test]
fn each_class_works_on_a_message_once() {
    for way in [Way::Stream, Way::Defer] {
        let shifts = [1, 2, 3].map(|by| Shift::new(by, way));
        let prepared = Prepared::new("hello");
        for _ in 0..100 {
            for shift in &shifts {
                let mut server = shift.server();
                server.connection.sender().send_prepared(&prepared.clone()).unwrap();
                let shifted: Vec<u8> = b"hello".iter().map(|byte| byte + shift.by).collect();
                assert_eq!(server.sent(), [Frame::text(shifted).with_rsv(0b100)]);
            }
            let mut plain = Endpoint::new(Role::Server);
            plain.connection.sender().send_prepared(&prepared).unwrap();
            assert_eq!(plain.sent(), [Frame::text("hello")]);
        }
        assert_eq!(shifts.map(|shift| shift.worked()), [1, 1, 1], "{way:?}");
    }
}

#[test]
fn more_classes_than_are_kept_work_by_themselves() {
    let prepared = Prepared::new("hello");
    let shifts: Vec<Shift> = (1..=6).map(|by| Shift::new(by, Way::Stream)).collect();
    for _ in 0..10 {
        for shift in &shifts {
            let mut server = shift.server();
            server.connection.sender().send_prepared(&prepared).unwrap();
            let shifted: Vec<u8> = b"hello".iter().map(|byte| byte + shift.by).collect();
            assert_eq!(server.sent(), [Frame::text(shifted).with_rsv(0b100)]);
        }
    }
    let worked: Vec<usize> = shifts.iter().map(Shift::worked).collect();
    assert_eq!(worked, [1, 1, 1, 1, 10, 10]);
}

#[test]
fn a_message_stays_behind_those_that_extensions_still_work_on() {
    let shift = Shift::new(1, Way::Defer);
    let prepared = Prepared::new("b");
    let mut server = shift.server();
    let sender = server.connection.sender();
    sender.send(Message::from("a")).unwrap();
    sender.send_prepared(&prepared).unwrap();
    sender.send(Message::from("c")).unwrap();
    assert_eq!(server.write(), b"", "nothing overtakes");
    let _progress = server.run_jobs();
    let expected = ["b", "c", "d"].map(|text| Frame::text(text).with_rsv(0b100));
    assert_eq!(server.sent(), expected);
}

#[test]
fn work_that_waits_is_done_by_each_connection() {
    let shift = Shift::new(1, Way::Wait);
    let prepared = Prepared::new("a");
    for count in 1..=2 {
        let mut server = shift.server();
        server.connection.sender().send_prepared(&prepared).unwrap();
        assert!(server.connection.next_job().is_some(), "for the I/O layer");
        assert_eq!((server.write(), shift.worked()), (Vec::new(), count));
    }
}

#[test]
fn an_extension_that_fails_closes_its_own_connection() {
    let prepared = Prepared::new("hello");
    let mut failing = Shift::new(1, Way::Fail).server();
    let failed = failing.connection.sender().send_prepared(&prepared);
    assert!(matches!(failed, Err(SendError::Extension(_))));
    assert_eq!(failing.sent_close(), Some(Some(1011)));
    let mut sound = Shift::new(1, Way::Stream).server();
    sound.connection.sender().send_prepared(&prepared).unwrap();
    assert_eq!(sound.sent(), [Frame::text("ifmmp").with_rsv(0b100)]);
}

#[test]
fn limits_and_states_hold_as_for_send() {
    let prepared = Prepared::new(vec![0; 100]);
    let mut config = Config::new(Role::Server);
    (config.limits.high_water_mark, config.limits.max_queued_beyond_mark) = (50, 60);
    let mut server = Endpoint::with(config);
    let sender = server.connection.sender();
    sender.send_prepared(&prepared).unwrap();
    assert!(sender.is_above_mark());
    assert_eq!(sender.send_prepared(&prepared), Err(SendError::Full { queued: 102, limit: 110 }));
    assert_eq!(sender.queued(), 102);
    let _written = server.write();
    let sender = server.connection.sender();
    sender.start(prepared.kind()).unwrap();
    assert_eq!(sender.send_prepared(&prepared), Err(SendError::MessageOpen));
    sender.finish().unwrap();
    sender.close_without_code();
    assert_eq!(sender.send_prepared(&prepared), Err(SendError::Closed));
}

#[test]
fn a_long_message_is_shared_and_not_copied() {
    let prepared = Prepared::new(vec![1; Limits::default().high_water_mark / 2]);
    let outbox = |by: Option<&Shift>| {
        let mut server = by.map_or_else(|| Endpoint::new(Role::Server), Shift::server);
        server.connection.sender().send_prepared(&prepared).unwrap();
        let outbox = server.connection.sender().outbox();
        let chunk = outbox.chunk();
        (chunk.as_ptr(), chunk.len())
    };
    let shift = Shift::new(1, Way::Stream);
    assert_eq!(outbox(None), outbox(None), "the same memory");
    let _making = outbox(Some(&shift));
    assert_eq!(outbox(Some(&shift)), outbox(Some(&shift)), "the same memory");
}

#[test]
fn threads_may_send_the_same_message() {
    const fn shared<T: Send + Sync + Clone>() {}
    shared::<Prepared>();
    let shift = Shift::new(1, Way::Stream);
    let prepared = Prepared::new(BytesMut::from(&b"hello"[..]).freeze());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let mut server = shift.server();
                    server.connection.sender().send_prepared(&prepared).unwrap();
                    assert_eq!(server.sent(), [Frame::binary("ifmmp").with_rsv(0b100)]);
                }
            });
        }
    });
    assert!(shift.worked() <= 4, "at most once for each thread");
}

#[test]
fn what_was_prepared_can_be_looked_at() {
    let prepared = Prepared::from(Message::from("text"));
    assert_eq!((prepared.kind(), prepared.as_bytes()), (ws_driver::DataKind::Text, &b"text"[..]));
    assert_eq!((prepared.len(), prepared.is_empty()), (4, false));
    assert!(Prepared::new("").is_empty());
}
