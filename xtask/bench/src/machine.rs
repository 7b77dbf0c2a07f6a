//! What the machine is, and what it must allow.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Serialize;

const CONGESTION_CONTROL: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// What figures depend on, and when they were taken.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    date: String,
    /// The code that was measured; with a plus where it had been changed.
    commit: String,
    compiler: String,
    processor: String,
    pub(crate) cores: usize,
    kernel: String,
    congestion_control: String,
    /// What else it had to do when the run began, as a load average of one minute.
    load: String,
}

impl Machine {
    pub(crate) fn describe() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpuinfo = read("/proc/cpuinfo");
        let processor = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let dirty =
            if said("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() { "" } else { "+" };
        Self {
            date: said("date", &["-u", "+%Y-%m-%d"]),
            commit: said("git", &["rev-parse", "--short=10", "HEAD"]) + dirty,
            compiler: said("rustc", &["--version"]),
            processor: processor.map_or("unknown", |(_, name)| name).to_owned(),
            cores: cpuinfo.lines().filter(|line| line.starts_with("processor")).count(),
            kernel: read("/proc/sys/kernel/osrelease"),
            congestion_control: read(CONGESTION_CONTROL),
            load: read("/proc/loadavg").split(' ').next().unwrap_or_default().to_owned(),
        }
    }
}

/// What a program says when it is run in the repository; nothing when it cannot be run.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { date, commit, compiler, processor, cores, kernel, congestion_control, load } = self;
        write!(
            f,
            "{date}, commit {commit}, {compiler}; {processor}, {cores} cores, Linux {kernel}, TCP {congestion_control}, load average {load} \
             before it began"
        )
    }
}

/// Raises the number of open files to what the system lets us have, for the servers too, and checks that it is enough.
pub(crate) fn allow_descriptors(wanted: u64) -> Result<()> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    ensure!(
        wanted <= most,
        "this needs {wanted} open files and the system allows {most}: raise the hard limit"
    );
    Ok(())
}

/// Sees to a congestion control that loopback does not upset: BBR paces by a distance that is not there.
///
/// Where the system's is another than cubic or reno, and we may, this moves to a network namespace of our own with
/// nothing but a loopback in it, and takes reno there: the system keeps its setting. Where we may not, it says so.
pub(crate) fn steady_network() -> Result<Option<String>> {
    let current = fs::read_to_string(CONGESTION_CONTROL).unwrap_or_default();
    if ["cubic", "reno"].contains(&current.trim()) {
        return Ok(None);
    }
    if unshare(CloneFlags::CLONE_NEWNET).is_err() {
        let warning = "the system's TCP congestion control is {} and distorts figures on loopback: run as root, or set cubic or reno";
        return Ok(Some(warning.replace("{}", current.trim())));
    }
    let status = Command::new("ip").args(["link", "set", "lo", "up"]).status().context("cannot run ip")?;
    ensure!(status.success(), "cannot bring up the loopback of a new network namespace");
    fs::write(CONGESTION_CONTROL, "reno").context("cannot set reno in a new network namespace")?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::{Machine, allow_descriptors};

    #[test]
    fn a_machine_has_a_kernel_and_a_core() {
        let machine = Machine::describe();
        assert!(machine.cores > 0 && !machine.kernel.is_empty(), "{machine}");
    }

    #[test]
    fn refuses_more_descriptors_than_there_can_be() {
        assert!(allow_descriptors(3).is_ok());
        assert!(allow_descriptors(u64::MAX).is_err());
    }
}
