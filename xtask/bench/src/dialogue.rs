//! What one connection says, and how the answers to it are checked.

use anyhow::{Result, ensure};

use crate::traffic::Traffic;

/// One connection's bursts, each answered before the next.
pub(crate) trait Dialogue {
    /// The bytes of the burst under way.
    fn burst(&self) -> &[u8];

    /// How many messages it has.
    fn messages(&self) -> usize;

    /// Compares what has arrived with what should. Once the burst is answered, gives how many bytes that took, and the
    /// next burst is under way.
    fn receive(&mut self, bytes: &[u8]) -> Result<Option<usize>>;
}

/// The same burst again and again; what comes back is known to the byte.
pub(crate) struct Repeated<'a> {
    traffic: &'a Traffic,
    received: usize,
}

impl<'a> Repeated<'a> {
    pub(crate) fn new(traffic: &'a Traffic) -> Self {
        Self { traffic, received: 0 }
    }
}

impl Dialogue for Repeated<'_> {
    fn burst(&self) -> &[u8] {
        &self.traffic.sent
    }

    fn messages(&self) -> usize {
        self.traffic.messages
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        let expected = &self.traffic.expected[self.received..];
        ensure!(expected.starts_with(bytes), "a reply differs after {} bytes", self.received);
        self.received += bytes.len();
        if bytes.len() < expected.len() {
            return Ok(None);
        }
        self.received = 0;
        Ok(Some(self.traffic.expected.len()))
    }
}
