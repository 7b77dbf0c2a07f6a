//! What an attack is: a name, what it does, and its bounds.

use std::path::Path;
use std::time::Duration;

/// How long a group may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// Seconds: a step of `cargo xtask test`.
    Quick,
    /// By command only.
    Long,
}

/// What an attack may cost the attacked process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
    /// Bytes of resident memory beyond what it had before.
    pub(crate) memory: u64,
    /// How long the server works before it answers an honest client, 99 of 100 times at most: 5 ms and a tick of the
    /// system, by which the clock of another process may be late.
    pub(crate) honest: Duration,
    /// How long that client waits by the clock on the wall, on a machine that does nothing else.
    pub(crate) wall: Duration,
}

/// What is added to [`Bounds::wall`] on a machine that is busy with something else: the client waits for a processor as
/// well, which says nothing about the server. It is the price of running this beside other things, in continuous
/// integration most of all.
const BUSY: Duration = Duration::from_millis(500);

/// How everything is run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    pub(crate) pace: Pace,
    /// Only what has this in its group's name or its own.
    pub(crate) only: Option<&'a str>,
    /// Whether the machine does nothing else, so that the clock on the wall tells something.
    pub(crate) is_quiet: bool,
    /// How many clients come and go.
    pub(crate) comings: u32,
    /// Where files of certificates are put.
    pub(crate) directory: &'a Path,
}

impl Run<'_> {
    /// How long an honest client may wait by the clock on the wall.
    pub(crate) fn wall(&self, bounds: &Bounds) -> Duration {
        if self.is_quiet { bounds.wall } else { bounds.wall + BUSY }
    }
}

impl Bounds {
    /// What anything may cost that is refused at once.
    pub(crate) const SMALL: Self = Self {
        time: Duration::from_secs(2),
        cpu: Duration::from_millis(20),
        memory: 512 << 10,
        honest: Duration::from_millis(5 + 4),
        wall: Duration::from_millis(5),
    };

    pub(crate) const fn time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    pub(crate) const fn cpu(self, cpu: Duration) -> Self {
        Self { cpu, ..self }
    }

    /// An honest client waits longer, by either clock.
    pub(crate) const fn honest(self, honest: Duration) -> Self {
        Self { honest, wall: honest, ..self }
    }

    pub(crate) const fn memory(self, memory: u64) -> Self {
        Self { memory, ..self }
    }
}

/// What an attack does.
type Act<T> = Box<dyn Fn(&T) -> anyhow::Result<String>>;

/// An attack on `T`. What it does gives a word on what was seen, or an error for what must not be.
pub(crate) struct Attack<T: ?Sized> {
    pub(crate) name: String,
    pub(crate) bounds: Bounds,
    pub(crate) act: Act<T>,
}

impl<T: ?Sized> Attack<T> {
    pub(crate) fn new(
        name: impl Into<String>,
        bounds: Bounds,
        act: impl Fn(&T) -> anyhow::Result<String> + 'static,
    ) -> Self {
        Self { name: name.into(), bounds, act: Box::new(act) }
    }

    /// Whether it was asked for, by its own name or its group's.
    pub(crate) fn is_meant(&self, group: &str, only: Option<&str>) -> bool {
        only.is_none_or(|only| group.contains(only) || self.name.contains(only))
    }
}
