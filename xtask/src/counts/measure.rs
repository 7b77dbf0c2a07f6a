//! Counts many workloads, as many at a time as there are cores: each in a process of its own, so that none finds the
//! allocator as another has left it.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process, thread};

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use super::baseline::{Count, is_chosen};
use super::callgrind;
use super::machine::Bench;

/// Counts all cases that a filter chooses.
pub(crate) fn all(bench: &Bench, filters: &[String]) -> anyhow::Result<BTreeMap<String, Count>> {
    let output = Command::new(&bench.program).output().context("cannot start the workloads")?;
    let list = String::from_utf8(output.stdout)?;
    let names: Vec<_> = list.lines().filter(|name| is_chosen(name, filters)).collect();
    ensure!(!names.is_empty(), "no case has such a name; these are there:\n{list}");
    let profiles = env::temp_dir().join(format!("ws-counts-{}", process::id()));
    fs::create_dir_all(&profiles)?;
    let counts = side_by_side(&names, |n, name| {
        callgrind::count(&bench.program, name, &profiles.join(format!("{n}.out")))
    });
    fs::remove_dir_all(&profiles)?;
    counts
}

fn side_by_side(
    names: &[&str],
    count: impl Fn(usize, &str) -> anyhow::Result<Count> + Sync,
) -> anyhow::Result<BTreeMap<String, Count>> {
    let bar = progress(names.len());
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(Ok(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(name) = names.get(n) else { return };
                    let counted = count(n, name);
                    bar.inc(1);
                    let Ok(mut counts) = counts.lock() else { return };
                    match (&mut *counts, counted) {
                        (Ok(counts), Ok(count)) => {
                            counts.insert((*name).to_owned(), count);
                        }
                        (counts @ Ok(_), Err(error)) => *counts = Err(error),
                        (Err(_), _) => return,
                    }
                }
            });
        }
    });
    bar.finish_and_clear();
    counts.into_inner().ok().context("a thread that counted has panicked")?
}

fn progress(total: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(total as u64).with_prefix("counts");
    if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} ({elapsed}, {eta} left)") {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_counted_once() {
        let one = Count { program: 1.0, libc: 0.0, allocations: 0.0 };
        let counts = side_by_side(&["a", "b", "c"], |n, _| Ok(Count { libc: n as f64, ..one })).unwrap();
        let counts: Vec<_> = counts.iter().map(|(name, count)| (name.as_str(), count.libc)).collect();
        assert_eq!(counts, [("a", 0.0), ("b", 1.0), ("c", 2.0)]);
    }

    #[test]
    fn one_failure_is_the_failure_of_all() {
        let error = side_by_side(&["a", "b"], |n, name| anyhow::bail!("{name} at {n}")).unwrap_err();
        assert!(["a at 0", "b at 1"].contains(&error.to_string().as_str()), "{error}");
    }
}
