//! Two connections in memory and a hostile transport between them, under virtual time.

use std::collections::VecDeque;

use bytes::Buf;
use ws_driver::{Progress, Role};

use crate::{Endpoint, Rng};

/// What the transport does to what is written.
#[derive(Debug, Clone, Copy)]
pub struct Hostility {
    /// The most bytes that it takes of one write.
    pub write: usize,
    /// The most bytes that it gives to one read.
    pub read: usize,
    /// After how many bytes, both ways counted, it ends without a word. What it has taken until then arrives.
    pub end_after: Option<usize>,
}

impl Hostility {
    /// Takes and gives everything at once.
    pub const NONE: Self = Self { write: usize::MAX, read: usize::MAX, end_after: None };
    /// Takes and gives one byte at a time.
    pub const DRIBBLE: Self = Self { write: 1, read: 1, end_after: None };
}

/// A client, a server, and the transport between them. The same seed, the same run.
#[derive(Debug)]
pub struct Link {
    /// The client.
    pub client: Endpoint,
    /// The server.
    pub server: Endpoint,
    rng: Rng,
    hostility: Hostility,
    /// From the client to the server, and back.
    wires: [Wire; 2],
    moved: usize,
}

/// One way.
#[derive(Debug, Default)]
struct Wire {
    bytes: VecDeque<u8>,
    /// The writer has shut it down.
    shut: bool,
    /// The reader has been told so.
    told: bool,
}

impl Link {
    /// Connects two endpoints.
    #[must_use]
    pub fn new(client: Endpoint, server: Endpoint, hostility: Hostility, seed: u64) -> Self {
        Self { client, server, rng: Rng::new(seed), hostility, wires: Default::default(), moved: 0 }
    }

    /// Goes on until nothing moves any more.
    pub fn run(&mut self) {
        let mut idle = 0;
        while idle < 8 {
            let role = if self.rng.once_in(2) { Role::Client } else { Role::Server };
            idle = if self.step(role) { 0 } else { idle + 1 };
        }
        // Chance may have asked one side only.
        if self.step(Role::Client) | self.step(Role::Server) {
            self.run();
        }
    }

    /// Lets one side write and read once. Says whether anything moved.
    fn step(&mut self, role: Role) -> bool {
        let (this, out, back) = match role {
            Role::Client => (&mut self.client, 0, 1),
            Role::Server => (&mut self.server, 1, 0),
        };
        if self.hostility.end_after.is_some_and(|end| self.moved >= end) {
            let told = std::mem::replace(&mut self.wires[back].told, true);
            if !told {
                let bytes: Vec<u8> = self.wires[back].bytes.drain(..).collect();
                let _progress = this.read(&bytes);
                let _ended = this.end_of_stream();
            }
            return !told;
        }
        let mut moved = false;
        let wants = this.connection.wants();
        if wants.write {
            let outbox = this.connection.sender().outbox();
            let most = outbox.chunk().len().min(self.hostility.write);
            let len = 1 + self.rng.below(most);
            self.wires[out].bytes.extend(&outbox.chunk()[..len]);
            outbox.advance(len);
            self.moved += len;
            moved = true;
        } else if wants.shutdown {
            this.connection.shut();
            self.wires[out].shut = true;
            moved = true;
        }
        let wire = &mut self.wires[back];
        if wants.read && !wire.bytes.is_empty() {
            let len = 1 + self.rng.below(wire.bytes.len().min(self.hostility.read));
            let bytes: Vec<u8> = wire.bytes.drain(..len).collect();
            let _progress = this.read(&bytes);
            moved = true;
        } else if wants.read && wire.shut && !std::mem::replace(&mut wire.told, true) {
            let _ended: Progress = this.end_of_stream();
            moved = true;
        }
        moved
    }

    /// Lets time pass for both sides, second by second, and what they send at their deadlines go its way.
    pub fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.client.wait(1);
            self.server.wait(1);
            self.run();
        }
    }

    /// Whether neither side wants anything of its transport any more.
    pub fn is_over(&mut self) -> bool {
        let nothing = ws_driver::Wants::NOTHING;
        self.client.connection.wants() == nothing && self.server.connection.wants() == nothing
    }
}
