//! A life, from the first byte of the handshake to the last of both transports.

use std::{sync::Arc, time::Instant};

use bytes::BytesMut;
use ws_driver::{Ending, MaskSource, Role};
use ws_endpoint::{
    ClientConfig, ClientHandshake, Opened, ServerConfig, ServerHandshake, handshake::ClientRequest,
};

use super::{
    Broken,
    network::Way,
    plan::{DAY, KEEPALIVE, Plan},
    side::{Clock, Side},
};
use crate::{FAULTS, Fault, Faults, Rng, Seen};

/// How a life went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Life {
    /// Messages that arrived.
    pub messages: usize,
    /// Whether both sides ended with a closing handshake.
    pub is_clean: bool,
    /// How long it took, in milliseconds of its own time.
    pub millis: u64,
    /// A digest of all that happened: the same seed, the same digest.
    pub digest: u64,
}

/// Lives the life of this seed.
///
/// # Errors
/// [`Broken`] when a promise does not hold. The seed lives the same life again.
pub fn live(seed: u64) -> Result<Life, Broken> {
    live_on(seed, false)
}

/// The same life over a transport that turns over one bit of each way's first write, which it has to find.
///
/// # Errors
/// [`Broken`], if the bit mattered.
pub fn live_on_a_bad_line(seed: u64) -> Result<Life, Broken> {
    live_on(seed, true)
}

/// Lives a life of this seed once for each call of either side's transport, which fails: a read with an error or the end
/// of the stream, a write with an error or by taking a single byte, the shutdown with an error. Says how many lives that were.
///
/// # Errors
/// [`Broken`] when a promise does not hold, with the call that failed.
pub fn live_with_each_call_failing(seed: u64) -> Result<u64, (String, Broken)> {
    let mut lives = 0;
    for failing in [Role::Client, Role::Server] {
        // Those of a flush never come: a driver does not.
        for (call, fault) in FAULTS {
            for before in 0.. {
                let faults = [Role::Client, Role::Server].map(|role| match role == failing {
                    true => Faults::new(call, fault, before),
                    false => Faults::elsewhere(),
                });
                let mut rng = Rng::new(seed);
                let mut plan = Plan::failing(&mut rng, faults);
                plan.is_calm = fault == Fault::Short;
                let told = |broken| (format!("{failing:?} {call:?} {fault:?} behind {before}"), broken);
                let (_, has_struck) = live_as(seed, plan, &mut rng).map_err(told)?;
                if !has_struck {
                    break;
                }
                lives += 1;
            }
        }
    }
    Ok(lives)
}

fn live_on(seed: u64, turns_a_bit: bool) -> Result<Life, Broken> {
    let mut rng = Rng::new(seed);
    let mut plan = Plan::new(&mut rng);
    plan.weather.iter_mut().for_each(|weather| weather.turns_a_bit = turns_a_bit);
    live_as(seed, plan, &mut rng).map(|(life, _)| life)
}

/// Lives this plan; and whether a call has failed in it.
fn live_as(seed: u64, plan: Plan, rng: &mut Rng) -> Result<(Life, bool), Broken> {
    let (start, is_calm) = (Instant::now(), plan.is_calm);
    let mut ways = plan.weather.map(Way::new);
    let mut clock = Clock { start, now: 0 };
    let mut sides = open(plan, clock, rng)?;
    let mut digest = Digest(seed);
    while !sides.iter().all(|side| side.is_over) {
        if step(&mut sides, &mut ways, clock, rng)? {
            receive(&mut sides, clock.now, &mut digest)?;
            continue;
        }
        let wakes = sides.iter().filter_map(|side| side.wakes(clock.now));
        let arrives = ways.iter().filter_map(|way| way.next(clock.now));
        clock.now = wakes.chain(arrives).min().ok_or(Broken::Stuck(waiting(&sides)))?;
        if clock.now > DAY {
            return Err(Broken::Endless);
        }
    }
    receive(&mut sides, clock.now, &mut digest)?;
    let endings = sides.each_mut().map(Side::ending);
    judge(&sides, &endings, is_calm)?;
    let life = Life {
        messages: sides.iter().map(|side| side.received.0).sum(),
        is_clean: endings.iter().all(|ending| matches!(ending, Some(Ending::Close(_)))),
        millis: clock.now,
        digest: digest.0,
    };
    Ok((life, sides.iter().any(|side| side.faults.has_struck())))
}

/// The opening handshake, cut anywhere; the first frames may come with it.
fn open(plan: Plan, clock: Clock, rng: &mut Rng) -> Result<[Side; 2], Broken> {
    let failed = |error: &dyn std::fmt::Display| Broken::Handshake(error.to_string());
    let [for_client, for_server] = plan.options;
    let [offers, answers] = plan.registries;
    let mut config = ClientConfig::default();
    (config.connection, config.extensions) = (for_client, offers);
    let masks = rng.next_u64();
    config.set_mask_source(move || {
        let mut rng = Rng::new(masks);
        MaskSource::custom(move || (rng.next_u64() as u32).to_ne_bytes())
    });
    let request = ClientRequest::new("ws://example.com/").map_err(|error| failed(&error))?;
    let mut client = ClientHandshake::new(request, &config).map_err(|error| failed(&error))?;
    let mut config = ServerConfig::default();
    (config.connection, config.extensions) = (for_server, answers);
    let mut server = ServerHandshake::new(Arc::new(config));

    let mut wire = BytesMut::new();
    let mut accepted = None;
    for piece in pieces(client.request_bytes(), rng) {
        wire.extend_from_slice(piece);
        accepted = server.receive(&mut wire).map_err(|refusal| failed(&refusal))?.or(accepted);
    }
    let accepted = accepted.ok_or_else(|| failed(&"no request was found"))?;
    let accepted = accepted.accept().map_err(|refusal| failed(&refusal))?;
    let mut wire = BytesMut::new();
    let mut opened: Option<Opened> = None;
    for piece in pieces(&accepted.response_bytes(), rng) {
        wire.extend_from_slice(piece);
        opened = client.receive(&mut wire, clock.instant()).map_err(|error| failed(&error))?.or(opened);
    }
    let client = opened.ok_or_else(|| failed(&"no answer was found"))?.connection;
    let server = accepted.open(clock.instant()).connection;
    let [of_client, of_server] = plan.acts;
    let mut sides = [
        Side::new(Role::Client, client, of_client, plan.job),
        Side::new(Role::Server, server, of_server, plan.job),
    ];
    for (side, faults) in sides.iter_mut().zip(plan.faults) {
        side.faults = faults;
    }
    Ok(sides)
}

fn pieces<'a>(bytes: &'a [u8], rng: &mut Rng) -> Vec<&'a [u8]> {
    let mut rest = bytes;
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(1 + rng.below(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Lets both sides do what they can, in an order that chance has chosen. Says whether anything moved.
fn step(sides: &mut [Side; 2], ways: &mut [Way; 2], clock: Clock, rng: &mut Rng) -> Result<bool, Broken> {
    let [client, server] = sides;
    let [there, back] = ways;
    let mut moved = false;
    let turns = if rng.once_in(2) { [Role::Client, Role::Server] } else { [Role::Server, Role::Client] };
    for role in turns {
        moved |= match role {
            Role::Client => client.run(clock, there, back, rng)?,
            Role::Server => server.run(clock, back, there, rng)?,
        };
    }
    Ok(moved)
}

/// Compares what has arrived with what was sent.
fn receive(sides: &mut [Side; 2], now: u64, digest: &mut Digest) -> Result<(), Broken> {
    let [client, server] = sides;
    compare(Role::Client, client, server, now, digest)?;
    compare(Role::Server, server, client, now, digest)
}

fn compare(role: Role, to: &mut Side, from: &Side, now: u64, digest: &mut Digest) -> Result<(), Broken> {
    for seen in to.take_seen() {
        digest.add(now, &seen);
        let (index, is_sent) = match &seen {
            Seen::Ping(payload) if payload.len() == KEEPALIVE => continue,
            Seen::Pong(_) => continue,
            Seen::Ping(payload) => {
                to.received.1 += 1;
                (to.received.1 - 1, from.sent.pings.get(to.received.1 - 1) == Some(payload))
            }
            message => {
                to.received.0 += 1;
                (to.received.0 - 1, from.sent.messages.get(to.received.0 - 1) == Some(message))
            }
        };
        if !is_sent {
            return Err(Broken::Received { role, index, what: format!("{:.200}", format!("{seen:?}")) });
        }
    }
    Ok(())
}

/// Whether both have ended in a way that this life explains.
fn judge(sides: &[Side; 2], endings: &[Option<Ending>; 2], is_calm: bool) -> Result<(), Broken> {
    for (i, role) in [Role::Client, Role::Server].into_iter().enumerate() {
        let (to, from) = (&sides[i], &sides[1 - i]);
        let ending = &endings[i];
        let is_explained = match ending {
            Some(Ending::Close(_)) => true,
            Some(Ending::Failed(fault)) => !is_calm && fault.close_code().get() == 1011,
            Some(Ending::Expired(_) | Ending::Lost) => !is_calm,
            _ => to.has_dropped,
        };
        if !is_explained {
            return Err(Broken::Ending { role, ending: ending.clone() });
        }
        let counts = (to.received.0, from.sent.messages.len());
        if is_calm && counts.0 != counts.1 {
            return Err(Broken::Missing { role, counts });
        }
        if let Some(arrived) = to.arrived()
            && to.received.0 != arrived
        {
            return Err(Broken::Undelivered { role, counts: (to.received.0, arrived) });
        }
    }
    Ok(())
}

fn waiting(sides: &[Side; 2]) -> Role {
    if sides[0].is_over { Role::Server } else { Role::Client }
}

/// A digest of what has happened (in the manner of FNV-1a, by words).
struct Digest(u64);

impl Digest {
    fn add(&mut self, now: u64, seen: &Seen) {
        let (kind, bytes) = match seen {
            Seen::Text(bytes) => (1, bytes),
            Seen::Binary(bytes) => (2, bytes),
            Seen::Ping(bytes) => (9, bytes),
            Seen::Pong(bytes) => (10, bytes),
        };
        let (words, rest) = bytes.as_chunks();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        let head = [now, kind, bytes.len() as u64];
        for word in head.into_iter().chain(words).chain(rest.iter().map(|byte| u64::from(*byte))) {
            self.0 = (self.0 ^ word).wrapping_mul(0x0100_0000_01B3).rotate_left(17);
        }
    }
}
