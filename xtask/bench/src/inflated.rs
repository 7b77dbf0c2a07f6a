//! A dialogue in compressed messages: every reply is inflated and compared with the text that was sent.

use anyhow::{Context as _, Result, bail, ensure};
use flate2::{Decompress, FlushDecompress, Status};

use crate::dialogue::Dialogue;
use crate::script::{Burst, FLUSH_END, Script};
use crate::takeover::Takeover;

/// One connection on its way through a script.
pub(crate) struct Inflated<'a> {
    script: &'a Script,
    burst: usize,
    /// How many messages of the burst are answered.
    answered: usize,
    /// How many bytes that took so far.
    len: usize,
    /// What has arrived and is not a whole frame yet.
    pending: Vec<u8>,
    /// The payload of the message under way.
    payload: Vec<u8>,
    /// Whether it is compressed, once its first frame is there.
    compressed: Option<bool>,
    inflater: Decompress,
    text: Vec<u8>,
}

impl<'a> Inflated<'a> {
    pub(crate) fn new(script: &'a Script) -> Self {
        Self {
            script,
            burst: 0,
            answered: 0,
            len: 0,
            pending: Vec::new(),
            payload: Vec::new(),
            compressed: None,
            inflater: Decompress::new(false),
            text: Vec::new(),
        }
    }

    fn current(&self) -> &'a Burst {
        &self.script.bursts[self.burst]
    }

    /// Takes in one frame of a text message, in one frame or in several (RFC 6455 section 5.4).
    fn frame(&mut self, first: u8, payload: &[u8]) -> Result<()> {
        let compressed = match (first & 0x7f, self.compressed) {
            (0x01, None) => false,
            (0x41, None) => true,
            (0x00, Some(compressed)) => compressed,
            _ => bail!("the server sent a frame that begins with {first:#04x}"),
        };
        self.compressed = Some(compressed);
        self.payload.extend_from_slice(payload);
        if first & 0x80 != 0 {
            self.message(compressed)?;
            self.compressed = None;
            self.payload.clear();
            self.answered += 1;
        }
        Ok(())
    }

    /// Compares a whole message.
    fn message(&mut self, compressed: bool) -> Result<()> {
        let expected = self.current().texts.get(self.answered).context("more replies than messages")?;
        if compressed {
            self.inflate(expected.len())?;
        }
        let text = if compressed { &self.text } else { &self.payload };
        ensure!(text == expected, "the reply to message {} of burst {} differs", self.answered, self.burst);
        Ok(())
    }

    /// Inflates the message, which should have `len` bytes (RFC 7692 section 7.2.2).
    fn inflate(&mut self, len: usize) -> Result<()> {
        self.payload.extend(FLUSH_END);
        self.text.clear();
        // One byte more than there should be shows what is too long.
        self.text.reserve_exact(len + 1);
        if self.script.takeover == Takeover::Reset {
            self.inflater.reset(false);
        }
        let begin = self.inflater.total_in();
        let status = self.inflater.decompress_vec(&self.payload, &mut self.text, FlushDecompress::Sync)?;
        let taken = self.inflater.total_in() - begin;
        ensure!(
            status == Status::Ok && taken == self.payload.len() as u64,
            "a reply does not inflate to its end"
        );
        Ok(())
    }
}

impl Dialogue for Inflated<'_> {
    fn burst(&self) -> &[u8] {
        &self.current().sent
    }

    fn messages(&self) -> usize {
        self.current().texts.len()
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<Option<usize>> {
        self.len += bytes.len();
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let mut rest = &pending[..];
        while let Some((first, payload, behind)) = split(rest)? {
            self.frame(first, payload)?;
            rest = behind;
        }
        let taken = pending.len() - rest.len();
        pending.drain(..taken);
        self.pending = pending;
        if self.answered < self.messages() {
            return Ok(None);
        }
        ensure!(
            self.pending.is_empty() && self.compressed.is_none(),
            "the server sent more than its replies"
        );
        self.burst = (self.burst + 1) % self.script.bursts.len();
        self.answered = 0;
        Ok(Some(std::mem::take(&mut self.len)))
    }
}

/// The first byte and the payload of a frame, and what is behind it.
type Split<'a> = (u8, &'a [u8], &'a [u8]);

/// Splits off the first frame; `None` when it is not whole yet.
fn split(bytes: &[u8]) -> Result<Option<Split<'_>>> {
    let Some((&[first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
    let (len, rest) = match second {
        0..126 => (second.into(), rest),
        126 => match rest.split_first_chunk() {
            Some((len, rest)) => (u16::from_be_bytes(*len).into(), rest),
            None => return Ok(None),
        },
        127 => match rest.split_first_chunk() {
            Some((len, rest)) => (u64::from_be_bytes(*len), rest),
            None => return Ok(None),
        },
        _ => bail!("the server masks its frames"),
    };
    let whole = rest.split_at_checked(usize::try_from(len)?);
    Ok(whole.map(|(payload, behind)| (first, payload, behind)))
}

#[cfg(test)]
mod tests {
    use super::{Dialogue, Inflated, Script, Takeover};
    use crate::scenario::{Content, Echo};
    use crate::takeover::Terms;
    use crate::traffic::frame;

    fn script(takeover: Takeover) -> Script {
        let echo = Echo { content: Content::Json(takeover), size: 20_000, connections: 1, depth: 2 };
        Script::new(&echo, takeover, Terms { window_bits: 15 }).expect("a script")
    }

    /// What was sent, without masks: the answer of a server that sends back what it got.
    fn unmasked(mut sent: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        while let [first, 0xfe, high, low, a, b, c, d, rest @ ..] = sent {
            let (payload, behind) = rest.split_at(u16::from_be_bytes([*high, *low]).into());
            let key = [*a, *b, *c, *d];
            let payload: Vec<_> =
                payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            frame(&mut out, first & 0x7f, None, &payload);
            sent = behind;
        }
        assert!(sent.is_empty());
        out
    }

    #[test]
    fn replies_are_inflated_however_they_are_cut_and_the_script_begins_again() {
        for takeover in [Takeover::Keep, Takeover::Reset] {
            let script = script(takeover);
            let mut dialogue = Inflated::new(&script);
            for round in 0..2 * script.bursts.len() {
                let reply = unmasked(dialogue.burst());
                let (body, last) = reply.split_at(reply.len() - 1);
                for chunk in body.chunks(round * 100 + 1) {
                    assert_eq!(dialogue.receive(chunk).expect("so far so good"), None);
                }
                assert_eq!(dialogue.receive(last).expect("a reply"), Some(reply.len()));
            }
        }
    }

    #[test]
    fn a_reply_may_be_uncompressed_or_in_parts() {
        let script = script(Takeover::Keep);
        let mut dialogue = Inflated::new(&script);
        let [first, second] = &script.bursts[0].texts[..] else { panic!("two messages") };
        let mut reply = Vec::new();
        frame(&mut reply, 1, None, first);
        let second_at = reply.len();
        frame(&mut reply, 1, None, &second[..500]);
        reply[second_at] = 0x01;
        frame(&mut reply, 0, None, &second[500..]);
        assert_eq!(dialogue.receive(&reply).expect("a reply"), Some(reply.len()));
    }

    #[test]
    fn what_is_not_the_reply_is_found_out() {
        let script = script(Takeover::Reset);
        let reply = unmasked(&script.bursts[0].sent);
        let other = unmasked(&script.bursts[1].sent);
        let mut masked = reply.clone();
        masked[1] |= 0x80;
        let mut spoilt = reply.clone();
        spoilt[100] ^= 1;
        let mut reserved = reply.clone();
        reserved[0] |= 0x20;
        let more = [&reply[..], &[0x81, 0]].concat();
        let part = [&reply[..], &[0x81]].concat();
        for wrong in [other, masked, spoilt, reserved, more, part] {
            assert!(Inflated::new(&script).receive(&wrong).is_err());
        }
    }
}
