//! Messages that were prepared for many connections.

use super::{Sender, data::SEGMENT};
use crate::{
    Prepared, SendError,
    prepared::{Framed, Passage},
};

impl Sender {
    /// Queues a message that was prepared for many connections; see [`Prepared`] for what that saves.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendError> {
        self.check_ready(message.len())?;
        self.messaged = true;
        let Some(chain) = self.chain.as_deref_mut() else {
            self.framed(message.plain());
            return Ok(());
        };
        match message.pass(chain) {
            Passage::Made(framed) => {
                self.framed(&framed);
                Ok(())
            }
            Passage::Entered => self.pump(),
            Passage::Apart => self.write_hinted(message.head(), message.as_bytes()),
        }
    }

    /// The frame of a prepared message, where it may be written as it is: nothing waits before it, and neither a mask nor an
    /// extension changes it. For an I/O layer that writes it on the spot, without a copy, and tells so by
    /// [`passed`](Self::passed).
    #[inline]
    #[must_use]
    pub fn pass<'a>(&self, message: &'a Prepared) -> Option<&'a [u8]> {
        let plain = message.plain();
        let is_open = self.check_open().is_ok() && self.in_parts.is_none();
        let as_it_is = self.chain.is_none() && !self.role.masks();
        let fits = plain.payload().len() <= self.limits.max_sent_frame_len;
        (is_open && as_it_is && fits && self.outbox.is_empty()).then_some(&plain.frame)
    }

    /// Says that so much was written of what [`pass`](Self::pass) has given for this message. What is left is queued.
    #[inline]
    pub fn passed(&mut self, message: &Prepared, written: usize) {
        self.messaged = true;
        self.outbox.pass(&message.plain().frame, written);
    }

    fn framed(&mut self, framed: &Framed) {
        let (rsv, opcode, len) = (framed.rsv, framed.kind.opcode(), framed.payload().len());
        if self.role.masks() {
            self.message(true, rsv, opcode, framed.payload());
        } else if len > self.limits.max_sent_frame_len {
            self.segments(rsv, opcode, framed.shared_payload());
        } else if len < SEGMENT {
            self.outbox.cork(framed.frame.len()).extend_from_slice(&framed.frame);
        } else {
            self.outbox.segment(framed.frame.clone());
        }
    }
}
