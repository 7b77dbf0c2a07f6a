//! Time on a processor.

use std::time::Duration;

/// What all processes that this one has started and waited for, and theirs, have run for. Zero where nobody tells.
pub(crate) fn of_children() -> Duration {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::resource::{UsageWho, getrusage};
        use nix::sys::time::TimeValLike as _;
        if let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) {
            let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
            return Duration::from_micros(micros.try_into().unwrap_or_default());
        }
    }
    Duration::ZERO
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn a_child_takes_time() {
        let mut child = std::process::Command::new("sh");
        assert!(
            child.args(["-c", "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done"]).status().unwrap().success()
        );
        assert!(super::of_children() > super::Duration::ZERO);
    }
}
