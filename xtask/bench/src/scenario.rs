//! What is measured, by name: `1kx64p16`, `utf8 16kx64`, `idle5000`, `rate`.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};

use crate::takeover::Takeover;

/// The scenarios of a full run.
pub(crate) const ALL: &str = "16x64,16x64p16,1kx64,1kx64p16,utf8 1kx64p16,1kx1000,16kx64,64kx64,1mx8,idle5000,rate,\
     nct 1kx64,ct 1kx64,nct 16kx64,ct 16kx64,nct idle1000,ct idle1000";

/// More connections than this do not fit between the ephemeral ports of one address.
const MOST_CONNECTIONS: usize = 20_000;
/// A burst is held in memory twice: as it is sent, and as it is expected back.
const MOST_BYTES: usize = 64 << 20;

/// What the payloads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Random bytes in binary frames.
    Binary,
    /// ASCII in text frames.
    Text,
    /// Characters of one to four bytes in text frames.
    Utf8,
    /// Records in text frames, compressed.
    Json(Takeover),
}

/// Messages echoed, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) content: Content,
    /// The length of a payload in bytes.
    pub(crate) size: usize,
    pub(crate) connections: usize,
    /// How many messages a connection sends before it awaits their replies.
    pub(crate) depth: usize,
}

impl Echo {
    /// How its messages are compressed, if they are.
    pub(crate) fn takeover(&self) -> Option<Takeover> {
        match self.content {
            Content::Json(takeover) => Some(takeover),
            Content::Binary | Content::Text | Content::Utf8 => None,
        }
    }
}

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Echo(Echo),
    /// Resident memory of so many open connections, before and after one echo on each, with compression or without.
    Idle(usize, Option<Takeover>),
    /// Handshakes, from connecting to closing.
    Rate,
}

impl Scenario {
    /// How its messages are compressed, if they are.
    pub(crate) fn takeover(&self) -> Option<Takeover> {
        match self {
            Self::Echo(echo) => echo.takeover(),
            Self::Idle(_, takeover) => *takeover,
            Self::Rate => None,
        }
    }
}

impl FromStr for Scenario {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let name = name.trim();
        if name == "rate" {
            return Ok(Self::Rate);
        }
        let (content, rest) = match name.split_once([' ', '-', ':']) {
            Some(("text", rest)) => (Content::Text, rest),
            Some(("utf8", rest)) => (Content::Utf8, rest),
            Some((prefix, rest)) => match Takeover::named(prefix) {
                Some(takeover) => (Content::Json(takeover), rest),
                None => bail!("{name}: the prefix is text, utf8, nct or ct, not {prefix}"),
            },
            None => (Content::Binary, name),
        };
        if let Some(connections) = rest.strip_prefix("idle") {
            let takeover = match content {
                Content::Binary => None,
                Content::Json(takeover) => Some(takeover),
                Content::Text | Content::Utf8 => bail!("{name}: the prefix of idle is nct or ct"),
            };
            return Ok(Self::Idle(count(connections, name)?, takeover));
        }
        let (size, rest) = rest.split_once('x').with_context(|| {
            format!("{name}: a scenario is SIZExCONNECTIONS[pDEPTH], idleCONNECTIONS or rate")
        })?;
        let (connections, depth) = rest.split_once('p').unwrap_or((rest, "1"));
        let echo = Echo {
            content,
            size: bytes(size, name)?,
            connections: count(connections, name)?,
            depth: count(depth, name)?,
        };
        ensure!(echo.size.saturating_mul(echo.depth) <= MOST_BYTES, "{name}: a burst is at most 64 MiB");
        ensure!(echo.takeover().is_none() || echo.size > 0, "{name}: nothing does not compress");
        Ok(Self::Echo(echo))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let echo = match self {
            Self::Rate => return f.write_str("rate"),
            Self::Idle(connections, None) => return write!(f, "idle{connections}"),
            Self::Idle(connections, Some(takeover)) => {
                return write!(f, "{} idle{connections}", takeover.name());
            }
            Self::Echo(echo) => echo,
        };
        f.write_str(match echo.content {
            Content::Binary => "",
            Content::Text => "text ",
            Content::Utf8 => "utf8 ",
            Content::Json(Takeover::Keep) => "ct ",
            Content::Json(Takeover::Reset) => "nct ",
        })?;
        match echo.size {
            size if size >= 1 << 20 && size % (1 << 20) == 0 => write!(f, "{}m", size >> 20)?,
            size if size >= 1 << 10 && size % (1 << 10) == 0 => write!(f, "{}k", size >> 10)?,
            size => write!(f, "{size}")?,
        }
        write!(f, "x{}", echo.connections)?;
        if echo.depth > 1 {
            write!(f, "p{}", echo.depth)?;
        }
        Ok(())
    }
}

/// A number of connections or messages.
fn count(digits: &str, name: &str) -> Result<usize> {
    let count = digits.parse().with_context(|| format!("{name}: {digits:?} is not a number"))?;
    ensure!((1..=MOST_CONNECTIONS).contains(&count), "{name}: {count} is not within 1 to {MOST_CONNECTIONS}");
    Ok(count)
}

/// A size in bytes, with `k` for KiB and `m` for MiB.
fn bytes(size: &str, name: &str) -> Result<usize> {
    let (digits, shift) = match size.as_bytes().last() {
        Some(b'k') => (&size[..size.len() - 1], 10),
        Some(b'm') => (&size[..size.len() - 1], 20),
        _ => (size, 0),
    };
    let size: usize = digits.parse().with_context(|| format!("{name}: {size:?} is not a size"))?;
    ensure!(size <= MOST_BYTES >> shift, "{name}: a message is at most 64 MiB");
    Ok(size << shift)
}

#[cfg(test)]
mod tests {
    use super::{ALL, Content, Echo, Scenario};

    #[test]
    fn names_are_read_and_written_alike() {
        for name in
            ALL.split(',').chain(["text 125x1p3", "0x1", "1500x10000", "idle1", "nct idle1", "ct 1x1p2"])
        {
            assert_eq!(name.parse::<Scenario>().expect(name).to_string(), name);
        }
    }

    #[test]
    fn a_prefix_may_be_joined_by_a_dash_or_colon() {
        let wanted = Scenario::Echo(Echo { content: Content::Utf8, size: 1024, connections: 64, depth: 16 });
        for name in ["utf8 1kx64p16", "utf8-1kx64p16", " utf8:1kx64p16 "] {
            assert_eq!(name.parse::<Scenario>().expect(name), wanted);
        }
    }

    #[test]
    fn refuses_what_it_cannot_run() {
        for name in [
            "",
            "16",
            "x64",
            "16x",
            "16x0",
            "16x64p0",
            "16x64p",
            "65mx1",
            "8mx1p16",
            "nct 0x64",
            "cct 1kx64",
            "ct rate",
            "text idle5",
            "idle",
            "1kx20001",
        ] {
            assert!(name.parse::<Scenario>().is_err(), "{name}");
        }
    }
}
