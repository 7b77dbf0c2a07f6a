//! What a life has in store: made up from its seed before it begins.

use std::time::Duration;

use ws_driver::{DataKind, Delivery};
use ws_endpoint::{
    ConnectionOptions,
    deflate::{Options, PermessageDeflate, Takeover, WindowBits},
    extensions::Registry,
};

use super::extension::Scramble;
use crate::{Faults, Rng};

/// Milliseconds of a virtual day on which nothing lives that long.
pub(super) const DAY: u64 = 86_400_000;

/// How long the payload of a ping is that only asks whether the peer lives.
pub(super) const KEEPALIVE: usize = 4;

/// The longest message.
const LONGEST: usize = 70_000;

/// How the transport behaves, one way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    /// The most milliseconds that a write takes to arrive.
    pub(super) delay: usize,
    /// The most bytes of one write, and of one read.
    pub(super) write: usize,
    pub(super) read: usize,
    /// How many bytes may be under way.
    pub(super) window: usize,
    /// When the transport breaks.
    pub(super) reset_at: Option<u64>,
    /// From when on everything that is written vanishes.
    pub(super) silent_from: Option<u64>,
    /// Whether a bit of the first write is turned over: what no transport does, and the checks must find.
    pub(super) turns_a_bit: bool,
}

/// One thing that an application does.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// Sends a message whole: copied, or given away.
    Send { kind: DataKind, payload: Vec<u8>, owned: bool },
    /// Begins a message in parts.
    Start(DataKind),
    /// Sends a part of it.
    Part(Vec<u8>),
    /// Ends it.
    Finish,
    /// Sends a ping.
    Ping(Vec<u8>),
    /// Is busy elsewhere for so many milliseconds: its connection is not polled.
    Busy(u64),
    /// Closes.
    Close,
    /// Drops the transport.
    Drop,
}

/// A life.
#[derive(Debug)]
pub(super) struct Plan {
    /// From the client to the server, and back.
    pub(super) weather: [Weather; 2],
    /// What each application does, and when.
    pub(super) acts: [Vec<(u64, Act)>; 2],
    pub(super) options: [ConnectionOptions; 2],
    pub(super) registries: [Registry; 2],
    /// The most milliseconds that a job of an extension takes.
    pub(super) job: usize,
    /// Nothing happens that may cost a message: whatever was sent arrives, and both sides end cleanly.
    pub(super) is_calm: bool,
    /// The calls of both sides' transports, of which one may fail.
    pub(super) faults: [Faults; 2],
}

impl Plan {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let is_calm = rng.once_in(2);
        let weather = [(); 2].map(|()| Weather::new(is_calm, rng));
        let options = [(); 2].map(|()| options(is_calm, rng));
        let acts = [(); 2].map(|()| acts(is_calm, rng));
        let job = if is_calm { 2_000 } else { [0, 50, 4_000, 20_000][rng.below(4)] };
        let faults = [Faults::none(), Faults::none()];
        Self { weather, acts, options, registries: registries(rng), job, is_calm, faults }
    }

    /// A life in which nothing goes wrong but the call that fails, over a transport that takes and gives what it can: few
    /// calls, so that each of them can fail in turn.
    pub(super) fn failing(rng: &mut Rng, faults: [Faults; 2]) -> Self {
        let mut plan = Self::new(rng);
        while !plan.is_calm {
            plan = Self::new(rng);
        }
        for weather in &mut plan.weather {
            (weather.read, weather.write, weather.window) = (usize::MAX, usize::MAX, 1 << 20);
        }
        Self { faults, ..plan }
    }
}

impl Weather {
    fn new(is_calm: bool, rng: &mut Rng) -> Self {
        let chunk = |rng: &mut Rng| match rng.below(20) {
            0 => 1,
            1 => 7,
            size => [1_000, 100_000, usize::MAX][size % 3],
        };
        let breaks = |rng: &mut Rng| (!is_calm && rng.once_in(4)).then(|| rng.below(90_000) as u64);
        Self {
            delay: if is_calm { rng.below(300) } else { [0, 20, 3_000, 40_000][rng.below(4)] },
            write: chunk(rng).max(if is_calm { 1_000 } else { 1 }),
            read: chunk(rng).max(if is_calm { 1_000 } else { 1 }),
            window: [1_000, 65_536, 1 << 20][rng.below(3)],
            reset_at: breaks(rng),
            silent_from: breaks(rng),
            turns_a_bit: false,
        }
    }
}

fn options(is_calm: bool, rng: &mut Rng) -> ConnectionOptions {
    let mut options = ConnectionOptions::default();
    let mut limits = *options.limits;
    limits.max_message_len = LONGEST + 1_000; // what cannot be compressed grows a little
    limits.high_water_mark = [1_000, 10_000, 1 << 20][rng.below(3)];
    limits.max_sent_frame_len = [100, 4_096, usize::MAX][rng.below(3)];
    limits.max_extension_jobs = 1 + rng.below(10);
    options.limits = limits.into();
    if rng.once_in(4) {
        options.delivery = Delivery::Parts;
    }
    let mut timeouts = *options.timeouts;
    if is_calm {
        timeouts.close = Some(Duration::from_secs(3_600)); // a full and slow transport may take that long
    } else {
        timeouts.idle = rng.once_in(4).then(|| Duration::from_secs(1 + rng.below(60) as u64));
        timeouts.max_age = rng.once_in(4).then(|| Duration::from_secs(1 + rng.below(60) as u64));
    }
    options.timeouts = timeouts.into();
    options
}

fn acts(is_calm: bool, rng: &mut Rng) -> Vec<(u64, Act)> {
    let mut acts = Vec::new();
    let mut at = 0;
    let pace = [1, 100, 10_000][rng.below(3)];
    for _ in 0..rng.below(12) {
        at += rng.below(pace) as u64;
        match rng.below(8) {
            0 => acts.push((at, Act::Ping(ping(rng)))),
            1 if !is_calm => acts.push((at, Act::Busy(rng.below(60_000) as u64))),
            2 | 3 => in_parts(&mut acts, &mut at, pace, rng),
            _ => {
                let kind = kind(rng);
                let len = if rng.once_in(20) { LONGEST } else { [0, 1, 100, 3_000][rng.below(4)] };
                let payload = payload(kind, rng.below(len + 1), rng);
                acts.push((at, Act::Send { kind, payload, owned: rng.once_in(2) }));
            }
        }
    }
    let end = if is_calm || rng.once_in(2) { Act::Close } else { Act::Drop };
    acts.push((at + rng.below(120_000) as u64, end));
    acts
}

fn in_parts(acts: &mut Vec<(u64, Act)>, at: &mut u64, pace: usize, rng: &mut Rng) {
    let kind = kind(rng);
    acts.push((*at, Act::Start(kind)));
    for _ in 0..rng.below(5) {
        *at += rng.below(pace) as u64;
        let len = [0, 10, 5_000][rng.below(3)];
        acts.push((*at, Act::Part(payload(kind, rng.below(len + 1), rng))));
    }
    acts.push((*at, Act::Finish));
}

fn kind(rng: &mut Rng) -> DataKind {
    if rng.once_in(2) { DataKind::Text } else { DataKind::Binary }
}

/// A payload of about this length: text with characters of all lengths, or bytes of which half can be compressed.
fn payload(kind: DataKind, len: usize, rng: &mut Rng) -> Vec<u8> {
    match kind {
        DataKind::Binary if rng.once_in(2) => vec![rng.below(256) as u8; len],
        DataKind::Binary => bytes(len, rng),
        DataKind::Text => {
            let mut text = String::with_capacity(len + 4);
            while text.len() + 4 <= len {
                text.push(['a', 'z', 'é', '€', '🦀'][rng.below(5)]);
            }
            text.into_bytes()
        }
    }
}

/// The payload of a ping, told by its length from those of the keepalive.
fn ping(rng: &mut Rng) -> Vec<u8> {
    let len = rng.below(126);
    bytes(if len == KEEPALIVE { len + 1 } else { len }, rng)
}

fn bytes(len: usize, rng: &mut Rng) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
    bytes.truncate(len);
    bytes
}

/// The extensions of the client and of the server.
fn registries(rng: &mut Rng) -> [Registry; 2] {
    let mut registries = [Registry::new(), Registry::new()];
    let [deflate, scramble, first] = [(); 3].map(|()| rng.once_in(2));
    let seed = rng.next_u64();
    for (i, registry) in registries.iter_mut().enumerate() {
        let options = deflate_options(rng);
        for turn in [first, !first] {
            // Names are registered once: a refusal would be a mistake of this plan.
            if turn && scramble {
                let _new = registry.register(Scramble::new(seed ^ i as u64));
            } else if !turn && deflate {
                let _new = registry.register(PermessageDeflate::new(options));
            }
        }
    }
    registries
}

fn deflate_options(rng: &mut Rng) -> Options {
    let takeover = |rng: &mut Rng| if rng.once_in(2) { Takeover::Keep } else { Takeover::Reset };
    let bits = WindowBits::new(8 + rng.below(8) as u8).unwrap_or(WindowBits::MAX);
    let options =
        Options::new().threshold(rng.below(500)).takeover(takeover(rng)).peer_takeover(takeover(rng));
    let options = options.window_bits(bits).limits_optional();
    if rng.once_in(3) { options.defer_from(1_000) } else { options }
}
