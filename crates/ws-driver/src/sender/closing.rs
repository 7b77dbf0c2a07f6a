//! The Close of this side (RFC 6455 section 7.1.2).

use ws_extensions::ExtensionError;
use ws_frame::{CloseCode, ClosePayload, OpCode, Rsv};

use super::{Closing, Sender};
use crate::{Closed, Ending, Initiator, SendError, closed::Sent};

impl Sender {
    /// Queues a Close with a code and a reason of at most 123 bytes. Messages that extensions still work on leave
    /// first. Nothing can be sent behind it; a second Close sends nothing.
    ///
    /// # Errors
    /// [`SendError::ReasonTooLong`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        let mut payload = [0; 125];
        let len = ClosePayload { code, reason }
            .encode(&mut payload)
            .map_err(|_| SendError::ReasonTooLong(reason.len()))?;
        self.begin_close(Sent::new(Some(code), Initiator::Local), payload, len);
        Ok(())
    }

    /// Queues a Close without a code, which the peer reports as 1005.
    pub fn close_without_code(&mut self) {
        self.begin_close(Sent::new(None, Initiator::Local), [0; 125], 0);
    }

    /// Whether a Close was asked for, by either side; nothing more can be sent.
    #[inline]
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    /// How the connection ended, given how its receiving half did.
    #[must_use]
    pub fn closed(&self, ending: &Ending) -> Closed {
        Closed::new(ending, self.closing.as_ref().map(|closing| closing.sent))
    }

    /// The Close that answers the end of the receiving half: the peer's own sent back, why the connection fails, or none
    /// where nothing can be sent any more.
    pub(super) fn close_for(&mut self, ending: &Ending) {
        match ending {
            Ending::Close(None) => self.begin_close(Sent::new(None, Initiator::Peer), [0; 125], 0),
            Ending::Close(Some(close)) => self.say_close(close.code, close.reason.as_str(), Initiator::Peer),
            Ending::Failed(fault) => self.say_close(fault.close_code(), fault.reason(), Initiator::Local),
            Ending::Expired(_) | Ending::Lost => self.abandon(),
        }
    }

    /// A Close with a reason that fits: one that came in a Close does, and those of our own are short.
    fn say_close(&mut self, code: CloseCode, reason: &str, initiator: Initiator) {
        let mut payload = [0; 125];
        let len = ClosePayload { code, reason }.encode(&mut payload).unwrap_or(0);
        self.begin_close(Sent::new(Some(code), initiator), payload, len);
    }

    fn begin_close(&mut self, sent: Sent, payload: [u8; 125], len: usize) {
        if self.closing.is_some() || self.abandoned {
            return;
        }
        self.in_parts = None; // a message in parts stays unfinished, as the peer is told by the Close
        let busy = self.chain.as_mut().is_some_and(|chain| {
            chain.close();
            !chain.is_idle()
        });
        let waits = busy.then(|| Box::new((payload, len)));
        self.closing = Some(Closing { sent, waits });
        if !busy {
            self.frame(true, Rsv::NONE, OpCode::Close, &payload[..len]);
        }
    }

    /// Queues the Close that waited for extensions.
    pub(super) fn release_close(&mut self) {
        if self.closing.is_some() {
            self.chain = None;
        }
        if let Some(waits) = self.closing.as_mut().and_then(|closing| closing.waits.take()) {
            self.frame(true, Rsv::NONE, OpCode::Close, &waits.0[..waits.1]);
        }
    }

    /// An extension has failed on a message to be sent: the peer is told, and a Close that waited goes.
    pub(super) fn fail_extension(&mut self, error: &ExtensionError) {
        if self.closing.is_some() {
            self.release_close();
        } else {
            self.chain = None;
            self.say_close(error.close_code(), "extension failed", Initiator::Local);
        }
    }

    /// Forgets what waits, and takes nothing more: the transport can no longer be written to.
    pub fn abandon(&mut self) {
        self.abandoned = true;
        let left = self.outbox.is_empty();
        if let Some(closing) = &mut self.closing {
            closing.sent.lost |= !left || closing.waits.is_some();
        }
        self.outbox.clear();
        self.chain = None;
        self.in_parts = None;
    }

    /// Whether the transport can no longer be written to.
    #[inline]
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.abandoned
    }

    /// Whether the Close of this side is in the outbox, or past it.
    pub(crate) fn has_sent_close(&self) -> bool {
        self.abandoned || self.closing.as_ref().is_some_and(|closing| closing.waits.is_none())
    }
}
