//! The bytes that an endpoint wants written.

use std::io::IoSlice;

use bytes::{Buf, Bytes};
use ws_driver::Outbox;

/// The bytes that an endpoint wants written: the opening handshake's, then the connection's.
///
/// It is a [`Buf`]: write its [`chunk`](Buf::chunk), or all of it with `write_vectored`, and say with
/// [`advance`](Buf::advance) how much was written.
#[derive(Debug)]
pub struct Outgoing<'a> {
    pub(super) head: &'a mut Bytes,
    pub(super) outbox: Option<&'a mut Outbox>,
    pub(super) unflushed: &'a mut bool,
}

impl Outgoing<'_> {
    /// Takes all of it, as written: for a transport that takes everything at once. Costs a copy.
    #[must_use]
    pub fn into_bytes(mut self) -> Bytes {
        self.copy_to_bytes(self.remaining())
    }

    /// Says whether written bytes may still stand in a buffer of the transport's own, as those of TLS do. Until they have
    /// left, the deadline for a peer that takes nothing is watched.
    pub fn set_unflushed(&mut self, unflushed: bool) {
        *self.unflushed = unflushed;
    }

    /// Whether they do.
    #[must_use]
    pub fn is_unflushed(&self) -> bool {
        *self.unflushed
    }
}

impl Buf for Outgoing<'_> {
    fn remaining(&self) -> usize {
        self.head.len() + self.outbox.as_ref().map_or(0, |outbox| outbox.len())
    }

    fn chunk(&self) -> &[u8] {
        match &self.outbox {
            Some(outbox) if self.head.is_empty() => outbox.chunk(),
            _ => self.head,
        }
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let taken = self.head.chunks_vectored(slices);
        let Some(outbox) = &self.outbox else { return taken };
        taken + outbox.chunks_vectored(slices.get_mut(taken..).unwrap_or_default())
    }

    fn advance(&mut self, count: usize) {
        let of_head = count.min(self.head.len());
        self.head.advance(of_head);
        if let Some(outbox) = &mut self.outbox {
            outbox.advance(count - of_head);
        }
    }
}
