//! A message for many connections: what each delivery costs, in memory.

use std::hint::black_box;
use std::time::Instant;

use bytes::Buf as _;
use ws_endpoint::deflate::{Options, PermessageDeflate};
use ws_endpoint::driver::{Config, Connection, Negotiated, Prepared, Scratch};
use ws_endpoint::extensions::{Registry, SessionOptions};
use ws_endpoint::frame::Role;

use crate::case::{Case, Run};
use crate::material::quotes;

const RECEIVERS: usize = 64;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for len in [125, 1 << 10, 16 << 10] {
        for (name, deflate) in [("plain", false), ("deflate", true)] {
            cases.push(Case::new(format!("broadcast/{name}/{len}"), move || broadcast(deflate, len)));
        }
    }
    cases
}

/// One message to all receivers, prepared once. A run gives the number of deliveries.
fn broadcast(deflate: bool, len: usize) -> anyhow::Result<Run> {
    let mut registry = Registry::new();
    if deflate {
        registry.register(PermessageDeflate::new(Options::new().threshold(0)))?;
    }
    let mut connections = Vec::new();
    for _ in 0..RECEIVERS {
        let negotiated = if deflate {
            registry.respond(Some("permessage-deflate"), &SessionOptions::new(Role::Server, None))?
        } else {
            Negotiated::default()
        };
        connections.push(Connection::new(Config::new(Role::Server), negotiated, Instant::now()));
    }
    let payload = quotes(1, len);
    let mut scratch = Scratch::default();
    Ok(Box::new(move || {
        let message = Prepared::new(bytes::Bytes::copy_from_slice(&payload));
        for connection in &mut connections {
            connection.attach(&mut scratch);
            let sender = connection.sender();
            black_box(sender.send_prepared(&message).is_ok());
            let len = black_box(sender.outbox().chunk()).len();
            sender.outbox().advance(len);
            connection.detach(&mut scratch);
        }
        RECEIVERS
    }))
}
