//! What a process takes, as Linux tells.

use std::{fs, time::Duration};

use anyhow::Context as _;

/// Memory and time of a process so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    /// Bytes of its own that are in memory.
    pub(super) resident: usize,
    /// What all its threads have run for.
    pub(super) cpu: Duration,
}

impl Usage {
    pub(super) fn of(process: u32) -> anyhow::Result<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).context("needs Linux")?;
        let mut cpu = Duration::ZERO;
        for thread in fs::read_dir(format!("/proc/{process}/task"))? {
            cpu += run_time(&fs::read_to_string(thread?.path().join("schedstat"))?)?;
        }
        Ok(Self { resident: resident(&status)?, cpu })
    }
}

/// `RssAnon` of a status: the heap and the stacks, not the program's text, of which both processes have the same.
fn resident(status: &str) -> anyhow::Result<usize> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("a status without RssAnon")?;
    Ok(kib.trim().parse::<usize>()? * 1024)
}

/// The first number of a schedstat: nanoseconds on a processor.
fn run_time(schedstat: &str) -> anyhow::Result<Duration> {
    let nanos = schedstat.split_whitespace().next().context("an empty schedstat")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_the_system_s_files() {
        let status = "Name:\tcrowd\nVmRSS:\t   20000 kB\nRssAnon:\t   12345 kB\nRssFile:\t 1 kB\n";
        assert_eq!(resident(status).unwrap(), 12345 * 1024);
        assert_eq!(run_time("1500000000 77 3\n").unwrap(), Duration::from_millis(1500));
        assert!(resident("Name:\tcrowd\n").is_err() && run_time("").is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_knows_itself() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident > 4096 && usage.cpu > Duration::ZERO);
    }
}
