//! What is measured, by name: `1kx64p16`, `utf8 16kx64`, `broadcast1000x125`, `tls idle1000`, `rate`.

mod name;

use crate::takeover::Takeover;

/// The scenarios of a full run.
pub(crate) const ALL: &str = "16x64,16x64p16,1kx64,1kx64p16,utf8 1kx64p16,1kx1000,1kx10000,16kx64,64kx64,1mx8,\
     broadcast1000x125,nct broadcast1000x1k,nct 1kx64,ct 1kx64,nct 16kx64,ct 16kx64,rate,idle5000,idle10000,\
     tls idle1000,nct idle1000,ct idle1000,threads1 nct 1kx64,threads2 nct 1kx64";

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

impl Content {
    /// How it is compressed, if it is.
    pub(crate) fn takeover(self) -> Option<Takeover> {
        match self {
            Self::Json(takeover) => Some(takeover),
            Self::Binary | Self::Text | Self::Utf8 => None,
        }
    }
}

/// Messages for a while: there and back on each connection, or from one to all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Echo {
    pub(crate) content: Content,
    /// The length of a payload in bytes.
    pub(crate) size: usize,
    /// How many connections send, or receive what another one sends.
    pub(crate) connections: usize,
    /// How many messages a connection sends before it awaits what comes of them.
    pub(crate) depth: usize,
}

/// Connections that do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    pub(crate) takeover: Option<Takeover>,
    /// Whether they are over TLS.
    pub(crate) tls: bool,
}

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    Echo(Echo),
    /// The same with a server of so many threads, wherever the system lets it and the load generator run.
    Threads(usize, Echo),
    /// What one more connection sends goes to each of the connections.
    Broadcast(Echo),
    /// Resident memory of open connections, before and after one echo on each.
    Idle(Idle),
    /// Handshakes, from connecting to closing.
    Rate,
}

/// What a scenario asks of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Setup {
    pub(crate) takeover: Option<Takeover>,
    pub(crate) broadcast: bool,
    pub(crate) tls: bool,
    /// How many threads it is to have, if that matters.
    pub(crate) threads: Option<usize>,
    /// Whether connections come and go, and no message is sent.
    pub(crate) visits: bool,
}

impl Scenario {
    /// How its messages are compressed, if they are.
    pub(crate) fn takeover(&self) -> Option<Takeover> {
        match self {
            Self::Echo(echo) | Self::Threads(_, echo) | Self::Broadcast(echo) => echo.content.takeover(),
            Self::Idle(idle) => idle.takeover,
            Self::Rate => None,
        }
    }

    /// What it asks of a server.
    pub(crate) fn setup(&self) -> Setup {
        Setup {
            takeover: self.takeover(),
            broadcast: matches!(self, Self::Broadcast(_)),
            tls: matches!(self, Self::Idle(Idle { tls: true, .. })),
            threads: if let Self::Threads(threads, _) = self { Some(*threads) } else { None },
            visits: matches!(self, Self::Rate),
        }
    }

    /// How many connections are open at the same time.
    pub(crate) fn connections(&self) -> usize {
        match self {
            Self::Echo(echo) | Self::Threads(_, echo) => echo.connections,
            Self::Broadcast(echo) => echo.connections + 1,
            Self::Idle(idle) => idle.connections,
            Self::Rate => 64,
        }
    }

    /// Whether it says the same in each round: memory does not depend on the moment.
    pub(crate) fn is_steady(&self) -> bool {
        matches!(self, Self::Idle(_))
    }
}
