//! Compression as a scenario asks for it: permessage-deflate with kept contexts, or without (RFC 7692 section 7.1.1).

use anyhow::{Context as _, Result, bail, ensure};

/// Whether both sides keep their context from message to message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Takeover {
    Keep,
    Reset,
}

/// What the server's answer leaves us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The window that we may compress with (RFC 7692 section 7.1.2.2).
    pub(crate) window_bits: u8,
}

impl Takeover {
    /// The prefix of a scenario's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Keep => "ct",
            Self::Reset => "nct",
        }
    }

    /// The one of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Keep, Self::Reset].into_iter().find(|takeover| takeover.name() == name)
    }

    /// The value of `Sec-WebSocket-Extensions` in our request.
    pub(crate) fn offer(self) -> &'static str {
        match self {
            Self::Keep => "permessage-deflate; client_max_window_bits",
            Self::Reset => {
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"
            }
        }
    }

    /// Reads the value in the answer. One that makes this another scenario than was asked for is an error.
    pub(crate) fn agree(self, answer: &str) -> Result<Terms> {
        let mut parameters = answer.split(';').map(str::trim);
        ensure!(
            parameters.next() == Some("permessage-deflate"),
            "the server uses another extension: {answer}"
        );
        let mut terms = Terms { window_bits: 15 };
        let (mut server_resets, mut client_resets) = (false, false);
        for parameter in parameters {
            match parameter.split_once('=').unwrap_or((parameter, "")) {
                ("server_no_context_takeover", "") => server_resets = true,
                ("client_no_context_takeover", "") => client_resets = true,
                ("client_max_window_bits", bits) => terms.window_bits = window_bits(bits)?,
                // Whatever its window, ours for inflating is the largest there is.
                ("server_max_window_bits", bits) => drop(window_bits(bits)?),
                _ => bail!("the server answers with {parameter}"),
            }
        }
        match self {
            Self::Keep => ensure!(!server_resets && !client_resets, "the server keeps no contexts: {answer}"),
            Self::Reset => ensure!(server_resets, "the server keeps its context: {answer}"),
        }
        Ok(terms)
    }
}

/// The size of a window, which may stand in quotes.
fn window_bits(value: &str) -> Result<u8> {
    let bits = value.trim_matches('"').parse().context("the server's window is not a number")?;
    ensure!((8..=15).contains(&bits), "there is no window of {bits} bits");
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::Takeover;

    #[test]
    fn an_answer_must_be_what_was_asked_for() {
        for (takeover, answer, window) in [
            (Takeover::Keep, "permessage-deflate", Some(15)),
            (
                Takeover::Keep,
                "permessage-deflate; server_max_window_bits=9;client_max_window_bits=\"12\"",
                Some(12),
            ),
            (Takeover::Keep, "permessage-deflate; server_no_context_takeover", None),
            (Takeover::Keep, "permessage-deflate; client_no_context_takeover", None),
            (Takeover::Keep, "permessage-deflate; client_max_window_bits=16", None),
            (Takeover::Keep, "permessage-deflate; client_max_window_bits", None),
            (Takeover::Keep, "permessage-deflate; other", None),
            (Takeover::Keep, "other", None),
            (Takeover::Reset, "permessage-deflate", None),
            (Takeover::Reset, "permessage-deflate; client_no_context_takeover", None),
            (Takeover::Reset, "permessage-deflate; server_no_context_takeover", Some(15)),
        ] {
            let terms = takeover.agree(answer).ok();
            assert_eq!(terms.map(|terms| terms.window_bits), window, "{takeover:?} {answer}");
        }
    }
}
