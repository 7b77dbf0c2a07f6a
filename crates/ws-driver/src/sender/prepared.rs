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
