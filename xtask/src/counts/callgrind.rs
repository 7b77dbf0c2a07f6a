//! One workload under callgrind, and what its profile says.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use super::baseline::Count;

/// What Rust's allocator asks the C library for memory by.
const ALLOCATORS: [&str; 5] = ["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc"];

/// Counts a case; `profile` is where the profile is written meanwhile.
pub(crate) fn count(program: &Path, case: &str, profile: &Path) -> anyhow::Result<Count> {
    let mut command = Command::new("valgrind");
    command
        .args(["--tool=callgrind", "--zero-before=counts::begin*", "--toggle-collect=counts::measured*"])
        .args(["--compress-strings=no", "--compress-pos=no", "--dump-line=no"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(program)
        .arg(case)
        // Both change how memory is handed out.
        .env_remove("MALLOC_ARENA_MAX")
        .env_remove("GLIBC_TUNABLES");
    let output = command.output().context("cannot start valgrind")?;
    if !output.status.success() {
        bail!("{case} fails under callgrind:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let operations: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    let text = std::fs::read_to_string(profile).context("callgrind has left no profile")?;
    let totals = Totals::read(&text, &program.display().to_string())
        .context("callgrind's profile is not understood")?;
    ensure!(operations > 0.0 && totals.program > 0, "{case}: callgrind has counted nothing");
    let each = |total: u64| total as f64 / operations;
    Ok(Count {
        program: each(totals.program),
        libc: each(totals.libc),
        allocations: each(totals.allocations),
    })
}

/// The sums of a profile.
#[derive(Debug, Default, PartialEq)]
struct Totals {
    program: u64,
    libc: u64,
    allocations: u64,
}

impl Totals {
    /// Reads callgrind's format: lines of a position and its own cost, below the object (`ob=`) that they belong to. A
    /// call is told by who is called (`cfn=`), how often (`calls=`), and a line with the cost of what is called, which
    /// counts where it arises.
    fn read(profile: &str, program: &str) -> Option<Self> {
        let mut totals = Self::default();
        let (mut in_program, mut callee, mut is_call) = (false, "", false);
        let body = profile.split_once("\nsummary:")?.1;
        for line in body.lines().skip(1) {
            if let Some(object) = line.strip_prefix("ob=") {
                in_program = object == program;
            } else if let Some(name) = line.strip_prefix("cfn=") {
                callee = name;
            } else if let Some(call) = line.strip_prefix("calls=") {
                if in_program && ALLOCATORS.contains(&callee) {
                    totals.allocations += call.split(' ').next()?.parse::<u64>().ok()?;
                }
                is_call = true;
            } else if line.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-' || c == '*') {
                let cost: u64 = line.split(' ').nth(1)?.parse().ok()?;
                if std::mem::take(&mut is_call) {
                    continue;
                }
                let total = if in_program { &mut totals.program } else { &mut totals.libc };
                *total += cost;
            }
        }
        Some(totals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "version: 1\nevents: Ir\nsummary: 1012\n\n\nob=/lib/libc.so.6\nfl=malloc.c\nfn=malloc\n3281 40\n\
        cfn=_int_malloc\ncalls=2 3300 \n3281 60\n\nfn=_int_malloc\n3300 60\n\nob=/a/counts\nfl=case.rs\nfn=counts::measured\n\
        44 8\nfi=vec.rs\n1815 4\ncob=/lib/libc.so.6\ncfi=malloc.c\ncfn=malloc\ncalls=2 3281 \n44 100\ncfn=counts::other\n\
        calls=7 1 \n44 900\n\nfn=counts::other\n1 900\n\ntotals: 1012\n";

    #[test]
    fn own_costs_are_summed_by_who_they_belong_to() {
        let totals = Totals::read(PROFILE, "/a/counts").unwrap();
        assert_eq!(totals, Totals { program: 912, libc: 100, allocations: 2 });
    }

    #[test]
    fn what_is_no_profile_is_not_read() {
        assert_eq!(Totals::read("valgrind: no such tool", "/a/counts"), None);
    }
}
