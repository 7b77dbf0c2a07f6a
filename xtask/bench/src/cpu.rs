//! What a process has cost, from the scheduler's accounting, and where it may run.

use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// The CPU time of a process: user and system, all of its threads, the ended ones too, to the nanosecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuClock(ClockId);

impl CpuClock {
    /// The clock of another process.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let clock = clock_getcpuclockid(Pid::from_raw(process.cast_signed()));
        Ok(Self(clock.context("the process has no CPU clock")?))
    }

    /// The clock of this process.
    pub(crate) fn own() -> Self {
        Self(ClockId::CLOCK_PROCESS_CPUTIME_ID)
    }

    /// How much the process has run so far.
    pub(crate) fn now(self) -> Result<Duration> {
        Ok(clock_gettime(self.0).context("the process is gone")?.into())
    }
}

/// Keeps the calling thread, and the processes it starts, on some cores.
pub(crate) fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for &core in cores {
        set.set(core)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).with_context(|| format!("cannot run on {cores:?}"))
}

#[cfg(test)]
mod tests {
    use super::CpuClock;

    #[test]
    fn a_clock_runs_while_the_process_does() {
        for clock in [CpuClock::own(), CpuClock::of(std::process::id()).expect("own process")] {
            let before = clock.now().expect("alive");
            let sum = (0..1_000_000_u64).fold(0, |sum, i| std::hint::black_box(sum ^ i));
            assert!(clock.now().expect("alive") > before, "{sum}");
        }
    }
}
