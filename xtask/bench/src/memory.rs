//! How much memory a process holds.

use anyhow::{Context as _, Result};

/// The resident bytes of a process, counted page by page by the kernel.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/smaps_rollup");
    let text = std::fs::read_to_string(path).context("cannot read the server's memory")?;
    rss(&text).context("the kernel's account of the server's memory has no Rss")
}

/// The value of `Rss` in bytes.
fn rss(rollup: &str) -> Option<u64> {
    let value = rollup.lines().find_map(|line| line.strip_prefix("Rss:"))?;
    let kibibytes: u64 = value.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::{resident, rss};

    #[test]
    fn reads_what_the_kernel_writes() {
        let rollup =
            "5581f0000000-7ffd0f3fe000 ---p 00000000 00:00 0    [rollup]\nRss:    1832 kB\nPss:   333 kB\n";
        assert_eq!(rss(rollup), Some(1832 * 1024));
        assert_eq!(rss("Pss: 1 kB\n"), None);
    }

    #[test]
    fn this_process_holds_some() {
        assert!(resident(std::process::id()).expect("own memory") > 100_000);
    }
}
