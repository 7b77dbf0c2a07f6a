//! Two connections in memory, moved by hand, and what each has sent.

mod account;
mod side;

use std::time::Duration;

use ws_driver::{CloseCode, Role};
use ws_testkit::Endpoint;

use self::side::Side;
use crate::Input;

/// A client, a server, and a wire each way, under virtual time.
#[derive(Debug)]
pub struct Pair {
    /// The client first.
    sides: [Side; 2],
    /// Whether the transport has ended without a word.
    cut: bool,
    /// Whether time has passed while something was on its way.
    waited: bool,
}

impl Pair {
    /// Connects two endpoints.
    pub fn new(client: Endpoint, server: Endpoint) -> Self {
        Self {
            sides: [Side::new(Role::Client, client), Side::new(Role::Server, server)],
            cut: false,
            waited: false,
        }
    }

    /// Takes the next step of a script.
    pub fn step(&mut self, input: &mut Input<'_>) {
        let step = input.byte();
        let from = usize::from(step & 1);
        match step >> 1 & 7 {
            0..=2 => self.sides[from].act(input),
            3 | 4 => drop(!self.cut && self.sides[from].write(input.byte().into())),
            5 => drop(!self.cut && self.read(from, input.byte().into())),
            6 => {
                self.waited = true;
                self.wait(u64::from(input.byte()) % 32);
            }
            // Seldom, or no script would come far.
            _ if input.byte() % 16 == 15 => self.cut = true,
            _ => self.settle(),
        }
    }

    /// Ends what the script has left open, and judges the whole.
    ///
    /// # Panics
    /// When a side has seen anything but what the other has sent, or does not come to its end.
    pub fn finish(mut self) {
        self.settle();
        let _refused_when_closing =
            self.sides[0].endpoint.connection.sender().close(CloseCode::NORMAL, "end");
        // What a lost transport has left is ended by a deadline.
        for _ in 0..3 {
            self.settle();
            self.wait(40);
        }
        let disturbed = self.cut || self.waited;
        let [client, server] = &mut self.sides;
        account::judge(client, server, disturbed);
        account::judge(server, client, disturbed);
    }

    /// Gives up to `most` bytes, or the end behind them, to the side that is not `from`.
    fn read(&mut self, from: usize, most: usize) -> bool {
        let [client, server] = &mut self.sides;
        let (from, to) = if from == 0 { (client, server) } else { (server, client) };
        if !to.endpoint.connection.wants().read {
            return false;
        }
        if !from.wire.is_empty() {
            let bytes: Vec<u8> = from.wire.drain(..most.min(from.wire.len())).collect();
            let _progress = to.endpoint.read(&bytes);
            return !bytes.is_empty();
        }
        from.shut && to.end()
    }

    /// Time passes on both sides.
    fn wait(&mut self, seconds: u64) {
        for side in &mut self.sides {
            side.endpoint.now += Duration::from_secs(seconds);
            side.endpoint.connection.poll_deadline(side.endpoint.now);
            let _progress = side.endpoint.advance();
        }
    }

    /// Lets everything arrive. What was on its way when the transport ended is lost.
    fn settle(&mut self) {
        loop {
            let mut moved = false;
            for from in [0, 1] {
                if self.cut {
                    moved |= self.sides[from].end();
                } else {
                    moved |= self.sides[from].write(usize::MAX);
                    moved |= self.read(from, usize::MAX);
                }
            }
            if !moved {
                return;
            }
        }
    }
}
