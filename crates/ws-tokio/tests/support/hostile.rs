//! A transport that makes every step as small as it can be, and futures that are dropped on the way.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use ws_testkit::Frame;
use ws_tokio::{
    WebSocket,
    endpoint::{driver::Config, frame::Role},
};

use super::{
    mock::{Mock, Wire, mock},
    open,
};

/// Polls so many times, and drops.
pub fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
    }
    None
}

/// A connection over a transport that is pending before each call and moves a byte at a time.
pub fn hostile(role: Role) -> (WebSocket<Mock>, Wire) {
    let (io, wire) = mock();
    wire.state().stutters = true;
    wire.state().step = 1;
    let mut config = Config::new(role);
    config.limits.high_water_mark = 20;
    (open(io, config), wire)
}

/// Gives a connection these frames, a byte with each read.
pub fn push(wire: &Wire, sender: Role, frames: &[Frame]) {
    for byte in frames.iter().flat_map(|frame| frame.by(sender)) {
        wire.push([byte]);
    }
}
