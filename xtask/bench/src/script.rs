//! Compressed messages, made beforehand: what is sent, and the text that must come back.

use anyhow::{Context as _, Result};
use flate2::{Compress, Compression, FlushCompress};

use crate::json::message;
use crate::random::Random;
use crate::scenario::Echo;
use crate::takeover::{Takeover, Terms};
use crate::traffic::frame;

/// What a flush ends with, and a message leaves out (RFC 7692 section 7.2.1).
pub(crate) const FLUSH_END: [u8; 4] = [0, 0, 0xff, 0xff];
/// RSV1 on a text frame says that the message is compressed (RFC 7692 section 6).
const COMPRESSED_TEXT: u8 = 0x41;
/// Twice the largest window: whoever keeps a context does not find the script's last round in it.
const LONG_ENOUGH: usize = 64 << 10;

/// A sequence of bursts that can begin again after its end.
///
/// The first message refers to nothing before it, so that it can follow the last. Those after it refer to what came
/// before where contexts are kept, as far as the terms allow.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) takeover: Takeover,
    pub(crate) bursts: Vec<Burst>,
}

/// Some messages that are sent at once.
#[derive(Debug)]
pub(crate) struct Burst {
    /// Masked frames.
    pub(crate) sent: Vec<u8>,
    /// The text of each message.
    pub(crate) texts: Vec<Vec<u8>>,
}

impl Script {
    pub(crate) fn new(echo: &Echo, takeover: Takeover, terms: Terms) -> Result<Self> {
        let mut random = Random::new();
        let mut compressor = compressor(terms);
        let count = LONG_ENOUGH.div_ceil(echo.depth * echo.size.max(1));
        let mut bursts = Vec::with_capacity(count);
        for _ in 0..count {
            let mut burst = Burst { sent: Vec::new(), texts: Vec::new() };
            for _ in 0..echo.depth {
                let text = message(echo.size, &mut random);
                if takeover == Takeover::Reset {
                    compressor.reset();
                }
                let payload = compressed(&mut compressor, &text)?;
                let key = (random.next() as u32).to_be_bytes();
                frame(&mut burst.sent, COMPRESSED_TEXT, Some(key), &payload);
                burst.texts.push(text);
            }
            bursts.push(burst);
        }
        Ok(Self { takeover, bursts })
    }
}

/// A compressor that keeps to the window we were granted. Windows of 8 bits are made with 9: zlib does, too.
fn compressor(terms: Terms) -> Compress {
    Compress::new_with_window_bits(Compression::default(), false, terms.window_bits.max(9))
}

/// One message's payload (RFC 7692 section 7.2.1).
fn compressed(compressor: &mut Compress, text: &[u8]) -> Result<Vec<u8>> {
    let mut payload = Vec::with_capacity(text.len() + text.len() / 8 + 64);
    compressor.compress_vec(text, &mut payload, FlushCompress::Sync)?;
    let end = payload.len().checked_sub(FLUSH_END.len()).filter(|&end| payload[end..] == FLUSH_END);
    payload.truncate(end.context("zlib has not flushed")?);
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::{Echo, LONG_ENOUGH, Script, Takeover, Terms};
    use crate::scenario::Content;

    fn script(takeover: Takeover, window_bits: u8) -> Script {
        let echo = Echo { content: Content::Json(takeover), size: 1000, connections: 1, depth: 3 };
        Script::new(&echo, takeover, Terms { window_bits }).expect("a script")
    }

    fn sent(script: &Script) -> usize {
        script.bursts.iter().map(|burst| burst.sent.len()).sum()
    }

    #[test]
    fn a_script_is_longer_than_any_window() {
        let texts: Vec<_> = script(Takeover::Keep, 15).bursts.into_iter().map(|burst| burst.texts).collect();
        assert!(texts.iter().flatten().map(Vec::len).sum::<usize>() >= LONG_ENOUGH);
        assert!(texts.iter().all(|texts| texts.len() == 3));
    }

    #[test]
    fn contexts_and_larger_windows_find_more() {
        let lens = [(Takeover::Keep, 15), (Takeover::Keep, 9), (Takeover::Reset, 9)]
            .map(|(takeover, window)| sent(&script(takeover, window)));
        assert!(lens.is_sorted() && lens[0] < lens[2], "{lens:?}");
        assert_eq!(sent(&script(Takeover::Keep, 8)), lens[1]);
    }
}
