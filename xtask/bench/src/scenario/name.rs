//! Scenarios are read and written by name.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};

use super::{Content, Echo, Idle, Scenario};
use crate::takeover::Takeover;

/// More connections than this do not fit between the ephemeral ports of one address.
const MOST_CONNECTIONS: usize = 20_000;
/// A burst is held in memory twice: as it is sent, and as it is expected back.
const MOST_BYTES: usize = 64 << 20;
const MOST_THREADS: usize = 256;

impl FromStr for Scenario {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        let name = name.trim();
        if name == "rate" {
            return Ok(Self::Rate);
        }
        let (first, rest) = name.split_once([' ', '-', ':']).unwrap_or(("", name));
        if let Some(threads) = first.strip_prefix("threads") {
            let threads = threads.parse().with_context(|| format!("{name}: {threads:?} is not a number"))?;
            ensure!((1..=MOST_THREADS).contains(&threads), "{name}: 1 to {MOST_THREADS} threads");
            return match rest.parse()? {
                Self::Echo(echo) => Ok(Self::Threads(threads, echo)),
                _ => bail!("{name}: threads are counted for SIZExCONNECTIONS[pDEPTH]"),
            };
        }
        if let Some(connections) = rest.strip_prefix("idle") {
            let connections = count(connections, name)?;
            return match (first, Takeover::named(first)) {
                ("", _) => Ok(Self::Idle(Idle { connections, takeover: None, tls: false })),
                ("tls", _) => Ok(Self::Idle(Idle { connections, takeover: None, tls: true })),
                (_, Some(takeover)) => {
                    Ok(Self::Idle(Idle { connections, takeover: Some(takeover), tls: false }))
                }
                _ => bail!("{name}: the prefix of idle is nct, ct or tls"),
            };
        }
        let content = match (first, Takeover::named(first)) {
            ("", _) => Content::Binary,
            ("text", _) => Content::Text,
            ("utf8", _) => Content::Utf8,
            (_, Some(takeover)) => Content::Json(takeover),
            _ => bail!("{name}: the prefix is text, utf8, nct or ct, not {first}"),
        };
        let echo = |size: &str, connections: &str, depth: &str| {
            let echo = Echo {
                content,
                size: bytes(size, name)?,
                connections: count(connections, name)?,
                depth: count(depth, name)?,
            };
            ensure!(echo.size.saturating_mul(echo.depth) <= MOST_BYTES, "{name}: a burst is at most 64 MiB");
            ensure!(content.takeover().is_none() || echo.size > 0, "{name}: nothing does not compress");
            Ok(echo)
        };
        if let Some(rest) = rest.strip_prefix("broadcast") {
            let (connections, size) =
                rest.split_once('x').with_context(|| format!("{name}: broadcastRECEIVERSxSIZE[pDEPTH]"))?;
            let (size, depth) = size.split_once('p').unwrap_or((size, "1"));
            return Ok(Self::Broadcast(echo(size, connections, depth)?));
        }
        let (size, rest) = rest.split_once('x').with_context(|| {
            format!(
                "{name}: a scenario is SIZExCONNECTIONS[pDEPTH], broadcastRECEIVERSxSIZE[pDEPTH], \
                 idleCONNECTIONS or rate"
            )
        })?;
        let (connections, depth) = rest.split_once('p').unwrap_or((rest, "1"));
        Ok(Self::Echo(echo(size, connections, depth)?))
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let echo = match self {
            Self::Rate => return f.write_str("rate"),
            Self::Idle(Idle { connections, takeover, tls }) => {
                f.write_str(takeover.map_or("", Takeover::name))?;
                f.write_str(if *tls { "tls " } else { takeover.map_or("", |_| " ") })?;
                return write!(f, "idle{connections}");
            }
            Self::Threads(threads, echo) => return write!(f, "threads{threads} {}", Self::Echo(*echo)),
            Self::Echo(echo) | Self::Broadcast(echo) => echo,
        };
        f.write_str(match echo.content {
            Content::Binary => "",
            Content::Text => "text ",
            Content::Utf8 => "utf8 ",
            Content::Json(Takeover::Keep) => "ct ",
            Content::Json(Takeover::Reset) => "nct ",
        })?;
        match self {
            Self::Broadcast(_) => write!(f, "broadcast{}x{}", echo.connections, Size(echo.size))?,
            _ => write!(f, "{}x{}", Size(echo.size), echo.connections)?,
        }
        match echo.depth {
            1 => Ok(()),
            depth => write!(f, "p{depth}"),
        }
    }
}

/// A size in bytes, written as short as it goes.
struct Size(usize);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            size if size >= 1 << 20 && size % (1 << 20) == 0 => write!(f, "{}m", size >> 20),
            size if size >= 1 << 10 && size % (1 << 10) == 0 => write!(f, "{}k", size >> 10),
            size => write!(f, "{size}"),
        }
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
    use super::{Content, Echo, Scenario};
    use crate::scenario::ALL;

    #[test]
    fn names_are_read_and_written_alike() {
        let more =
            ["text 125x1p3", "0x1", "1500x10000", "idle1", "nct idle1", "ct 1x1p2", "threads8 16x64p2"];
        for name in ALL.split(',').chain(more).chain(["broadcast1x16p4", "utf8 broadcast9x1m"]) {
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
            "broadcast",
            "broadcast1000",
            "broadcast0x125",
            "nct broadcast1x0",
            "tls 16x64",
            "threads0 16x64",
            "threads2 idle5",
            "threads2 broadcast1x1",
        ] {
            assert!(name.parse::<Scenario>().is_err(), "{name}");
        }
    }
}
