//! Messages to be sent on their way through the extensions.

use ws_extensions::{Chain, MessageHead, Route};
use ws_frame::OpCode;

use super::Sender;
use crate::SendError;

impl Sender {
    /// Lets a whole message enter the extensions. `true`: they let it pass as it is.
    pub(super) fn enter(&mut self, head: MessageHead, payload: &[u8]) -> Result<bool, SendError> {
        if !self.begin_outgoing(head, Some(payload.len())) {
            return Ok(true);
        }
        self.push(payload, true);
        Ok(false)
    }

    /// Whether a message that begins goes through the extensions.
    pub(super) fn begin_outgoing(&mut self, head: MessageHead, len: Option<usize>) -> bool {
        self.chain.as_mut().is_some_and(|chain| chain.begin(head, len) == Route::Queued)
    }

    pub(super) fn push(&mut self, part: &[u8], last: bool) {
        if let Some(chain) = &mut self.chain {
            chain.push(part, last);
        }
    }

    /// Queues what the extensions have finished, in order, and the Close once nothing is left inside.
    pub(crate) fn pump(&mut self) -> Result<(), SendError> {
        let Some(mut chain) = self.chain.take() else { return Ok(()) };
        self.drain(&mut chain);
        let failure = chain.failure();
        let idle = chain.is_idle();
        self.chain = Some(chain);
        if let Some(error) = failure {
            self.fail_extension(&error);
            return Err(error.into());
        }
        if idle {
            self.release_close();
        }
        Ok(())
    }

    fn drain(&mut self, chain: &mut Chain) {
        while let Some(front) = chain.front() {
            let (rsv, opcode) = match self.front_started {
                false => (front.head.rsv, front.head.kind.opcode()),
                true => (ws_frame::Rsv::NONE, OpCode::Continuation),
            };
            if front.finished {
                self.made(true, rsv, opcode, front.data);
                self.front_started = false;
                chain.pop();
            } else if front.data.is_empty() {
                return;
            } else {
                // A message in parts leaves in fragments as it is made.
                self.made(false, rsv, opcode, front.data);
                self.front_started = true;
            }
        }
    }

    /// Whether messages may go through extensions: without, there is never deferred work.
    #[inline]
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.chain.is_some()
    }

    /// The outgoing extensions, while there are any.
    pub(crate) fn chain(&mut self) -> Option<&mut Chain> {
        self.chain.as_deref_mut()
    }
}
