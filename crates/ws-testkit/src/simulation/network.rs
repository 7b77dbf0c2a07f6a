//! A transport that delays, cuts, fills up, resets and goes silent.

use std::collections::VecDeque;

use super::plan::Weather;
use crate::Rng;

/// A transport that dribbles does so for the first part of each stretch of bytes: in long messages bytes that come one by
/// one show nothing new, and would take most of the time of all lives.
const STRETCH: u64 = 16_384;
const DRIBBLES: u64 = 2_048;

/// The least of a write, and of a read, behind that part.
const FLOWS: usize = 1_000;

/// What a read gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Bytes(Vec<u8>),
    /// Nothing has arrived yet.
    Nothing,
    /// The writer has shut its side down, or is gone.
    End,
}

/// One way of a connection.
#[derive(Debug)]
pub(super) struct Way {
    weather: Weather,
    flight: VecDeque<(u64, Vec<u8>)>,
    in_flight: usize,
    /// Bytes that were written, and read, so far.
    written: u64,
    read: u64,
    /// When the writer's end arrives.
    end: Option<u64>,
    /// The transport is no more.
    reset: bool,
}

impl Way {
    pub(super) fn new(weather: Weather) -> Self {
        Self { weather, flight: VecDeque::new(), in_flight: 0, written: 0, read: 0, end: None, reset: false }
    }

    /// Takes what fits of a write. `None` when the transport is broken.
    pub(super) fn write(&mut self, now: u64, bytes: &[u8], rng: &mut Rng) -> Option<usize> {
        if self.is_reset(now) {
            return None;
        }
        let room = self.weather.window.saturating_sub(self.in_flight);
        // As TCP does, which does not open its window byte by byte (RFC 9293 section 3.8.6.2.2).
        if room < self.weather.window / 4 {
            return Some(0);
        }
        let most = bytes.len().min(room).min(size(self.weather.write, self.written));
        if most == 0 {
            return Some(0);
        }
        let taken = 1 + rng.below(most);
        let latest = self.flight.back().map_or(0, |&(at, _)| at);
        let at = latest.max(now + rng.below(self.weather.delay + 1) as u64);
        if !self.is_silent(now) {
            let mut bytes = bytes[..taken].to_vec();
            if let Some(last) = bytes.last_mut()
                && std::mem::take(&mut self.weather.turns_a_bit)
            {
                *last ^= 1;
            }
            self.flight.push_back((at, bytes));
        }
        self.in_flight += taken;
        self.written += taken as u64;
        Some(taken)
    }

    pub(super) fn read(&mut self, now: u64, rng: &mut Rng) -> Read {
        let is_over = self.end.is_some_and(|end| end <= now) || self.is_reset(now);
        match self.flight.front_mut() {
            Some((at, bytes)) if *at <= now => {
                let most = bytes.len().min(size(self.weather.read, self.read));
                let rest = bytes.split_off(1 + rng.below(most));
                let read = std::mem::replace(bytes, rest);
                if bytes.is_empty() {
                    self.flight.pop_front();
                }
                self.in_flight = self.in_flight.saturating_sub(read.len());
                self.read += read.len() as u64;
                Read::Bytes(read)
            }
            None if is_over => Read::End,
            _ => Read::Nothing,
        }
    }

    /// The writer ends its side.
    pub(super) fn shut(&mut self, now: u64, rng: &mut Rng) {
        if self.end.is_none() && !self.is_silent(now) {
            let latest = self.flight.back().map_or(0, |&(at, _)| at);
            self.end = Some(latest.max(now + rng.below(self.weather.delay + 1) as u64));
        }
    }

    /// One side has dropped the transport: what is written from now on is lost.
    pub(super) fn reset(&mut self) {
        self.reset = true;
    }

    /// When something arrives next, behind `now`.
    pub(super) fn next(&self, now: u64) -> Option<u64> {
        let arrival = self.flight.front().map(|&(at, _)| at).or(self.end);
        let reset = self.weather.reset_at;
        [arrival, reset].into_iter().flatten().filter(|&at| at > now).min()
    }

    fn is_reset(&self, now: u64) -> bool {
        self.reset || self.weather.reset_at.is_some_and(|at| at <= now)
    }

    /// Whether what is written vanishes.
    fn is_silent(&self, now: u64) -> bool {
        self.weather.silent_from.is_some_and(|at| at <= now)
    }
}

/// The most bytes of a write or a read that comes behind so many.
fn size(most: usize, behind: u64) -> usize {
    if behind % STRETCH < DRIBBLES { most } else { most.max(FLOWS) }
}
