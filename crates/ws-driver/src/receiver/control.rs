//! Control frames (RFC 6455 section 5.5).

use std::sync::Arc;

use ws_frame::{CloseError, ClosePayload, Header, Masker, OpCode, Utf8Validator};

use super::{Ready, Receiver, Step};
use crate::{CloseReason, Ending, Fault, Payload, Progress, Replies, Text, round_trip::Mark};

impl Receiver {
    /// A control frame whose header was decoded; it is used up when its whole payload is there.
    pub(super) fn control(
        &mut self,
        header: Header,
        header_len: usize,
        replies: &mut Replies,
    ) -> Result<Step, Fault> {
        // The header's check has bounded the length of a control frame by 125.
        let len = usize::try_from(header.len).unwrap_or(usize::MAX);
        let start = self.at + header_len;
        if self.buf.len() - start < len {
            if header.opcode == OpCode::Close {
                self.check_partial_close(&self.buf[start..], header.mask)?;
            }
            return Ok(self.starve());
        }
        self.heard = true;
        let payload = &mut self.buf[start..start + len];
        if let Some(key) = header.mask {
            Masker::new(key).apply(payload);
        }
        self.at = start;
        match header.opcode {
            OpCode::Ping => {
                if self.auto_pong {
                    replies.pong(payload, self.limits.max_pending_pongs);
                }
                self.ready = Ready::Ping { len };
            }
            OpCode::Pong => {
                if self.pinged.is_some_and(|mark| mark == Mark::of(payload)) {
                    self.pinged = None;
                    self.ponged = true;
                }
                self.ready = Ready::Pong { len };
            }
            _ => {
                let close = self.read_close(start, len)?;
                replies.close(self.ending.insert(Arc::new(Ending::Close(close))));
                self.discard();
                return Ok(Step::Again);
            }
        }
        Ok(Step::Done(Progress::Ready))
    }

    /// A ping was sent: its pong is waited for, and no other's.
    pub(crate) fn expect_pong(&mut self, ping: Mark) {
        self.pinged = Some(ping);
        self.ponged = false;
    }

    /// Whether that pong has arrived since this was last asked.
    #[inline]
    pub(crate) fn take_ponged(&mut self) -> bool {
        std::mem::take(&mut self.ponged)
    }

    #[inline]
    pub(crate) fn has_ponged(&self) -> bool {
        self.ponged
    }

    fn read_close(&self, start: usize, len: usize) -> Result<Option<CloseReason>, Fault> {
        let payload = &self.buf[start..start + len];
        if !self.validate {
            // A reason that is not UTF-8 is neither shown nor sent back.
            let parsed = ClosePayload::parse_unvalidated(payload)?;
            return Ok(parsed.map(|(code, reason)| CloseReason {
                code,
                reason: Text::from_utf8(Payload::copy_from_slice(reason)).unwrap_or_default(),
            }));
        }
        let parsed = ClosePayload::parse(payload)?;
        Ok(parsed.map(|close| CloseReason { code: close.code, reason: close.reason.into() }))
    }

    /// Judges the bytes of a Close that is not all there: a wrong code or byte is refused as soon as it arrives.
    fn check_partial_close(&self, arrived: &[u8], mask: Option<[u8; 4]>) -> Result<(), Fault> {
        let mut payload = [0; 125];
        let payload = &mut payload[..arrived.len()];
        payload.copy_from_slice(arrived);
        if let Some(key) = mask {
            Masker::new(key).apply(payload);
        }
        let Some((code, reason)) = payload.split_at_checked(2) else { return Ok(()) };
        ClosePayload::parse(code)?;
        if self.validate {
            Utf8Validator::default().push(reason).map_err(CloseError::Utf8)?;
        }
        Ok(())
    }
}
