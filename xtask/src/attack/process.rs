//! What a process has used, from `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, anyhow};

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// CPU of all threads.
    pub(crate) cpu: Duration,
    /// Resident memory now, in bytes.
    pub(crate) resident: u64,
    /// The most there was since [`forget_peak`], in bytes.
    pub(crate) peak: u64,
    /// Open descriptors.
    pub(crate) descriptors: usize,
}

/// Reads it.
///
/// # Errors
/// When the process is gone.
pub(crate) fn usage(pid: u32) -> anyhow::Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the measured process is gone")?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    let (resident, peak) = (field(&status, "VmRSS:")?, field(&status, "VmHWM:")?);
    Ok(Usage { cpu: cpu(pid)?, resident, peak, descriptors })
}

/// The CPU that all threads have used so far, to the nanosecond.
///
/// # Errors
/// When the process is gone.
#[cfg(target_os = "linux")]
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid)?);
    let clock = nix::time::clock_getcpuclockid(pid).context("the measured process is gone")?;
    Ok(clock.now().context("the measured process is gone")?.into())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu(_: u32) -> anyhow::Result<Duration> {
    anyhow::bail!("the CPU of another process is read on Linux only")
}

/// Lets the peak of memory begin anew.
///
/// # Errors
/// When the process is gone, or not ours.
pub(crate) fn forget_peak(pid: u32) -> anyhow::Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").context("cannot reset the peak of memory")
}

/// A field of `/proc/<pid>/status`, in bytes.
fn field(status: &str, name: &str) -> anyhow::Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes: u64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| anyhow!("the measured process has no {name} and has ended"))?;
    Ok(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_uses_is_read() {
        let pid = std::process::id();
        forget_peak(pid).unwrap();
        let before = usage(pid).unwrap();
        let block = vec![1u8; 8 << 20];
        let sum: u64 = block.iter().map(|&byte| u64::from(byte)).sum();
        let after = usage(pid).unwrap();
        assert_eq!(sum, 8 << 20);
        assert!(after.peak >= before.peak && after.cpu > before.cpu && after.descriptors > 2, "{after:?}");
        assert!(after.resident > 1 << 20);
    }

    #[test]
    fn fields_are_in_bytes() {
        assert_eq!(field("VmHWM:\t    1024 kB\nVmRSS:\t 7 kB\n", "VmRSS:").unwrap(), 7 * 1024);
        assert!(field("Name: x\n", "VmRSS:").is_err());
    }
}
