//! What the workloads took when somebody last looked at it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;

use super::machine::Machine;
use crate::repo::Repo;

/// What a workload may take more than the baseline has.
const ALLOWANCE: f64 = 0.03;

/// Half of the last digit that is written: what the baseline has lost by rounding.
const ROUNDED: f64 = 0.005;

/// What one operation takes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
pub(crate) struct Count {
    /// Instructions of the program itself, with all that is compiled into it.
    pub(crate) program: f64,
    /// Instructions of the C library: copies, the allocator.
    pub(crate) libc: f64,
    /// Calls of the allocator for memory.
    pub(crate) allocations: f64,
}

/// The counts of all workloads, and where they were taken.
#[derive(Debug, Deserialize)]
pub(crate) struct Baseline {
    pub(crate) machine: Machine,
    pub(crate) cases: BTreeMap<String, Count>,
}

/// A workload beside its baseline.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) name: String,
    pub(crate) baseline: Option<Count>,
    pub(crate) count: Option<Count>,
    /// What has grown beyond what is allowed.
    pub(crate) worse: Vec<&'static str>,
    /// What has shrunk by as much.
    pub(crate) better: Vec<&'static str>,
}

impl Verdict {
    /// Whether the check fails for it. A workload without its counterpart is one that nobody has looked at.
    pub(crate) fn is_worse(&self) -> bool {
        !self.worse.is_empty() || self.baseline.is_none() || self.count.is_none()
    }

    /// Whether there is something to tell.
    pub(crate) fn is_change(&self) -> bool {
        self.is_worse() || !self.better.is_empty()
    }

    fn new(name: &str, baseline: Option<Count>, count: Option<Count>, same_libc: bool) -> Self {
        let mut verdict =
            Self { name: name.to_owned(), baseline, count, worse: Vec::new(), better: Vec::new() };
        let (Some(before), Some(now)) = (baseline, count) else { return verdict };
        let mut judge = |what, before: f64, now: f64, allowance: f64| {
            if now > before * (1.0 + allowance) + ROUNDED {
                verdict.worse.push(what);
            } else if now < before * (1.0 - allowance) - ROUNDED {
                verdict.better.push(what);
            }
        };
        // Together where they can be: the compiler may put a short copy into the program that was a call before.
        let judged = |count: Count| count.program + if same_libc { count.libc } else { 0.0 };
        judge("instructions", judged(before), judged(now), ALLOWANCE);
        judge("allocations", before.allocations, now.allocations, 0.0);
        verdict
    }
}

impl Baseline {
    fn path(repo: &Repo) -> PathBuf {
        repo.root.join("xtask/counts/baseline.toml")
    }

    pub(crate) fn load(repo: &Repo) -> anyhow::Result<Self> {
        let path = Self::path(repo);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no baseline", path.display()))
    }

    pub(crate) fn save(&self, repo: &Repo) -> anyhow::Result<()> {
        let path = Self::path(repo);
        fs::write(&path, self.text()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// One line for each case, so that a difference shows what it is about.
    fn text(&self) -> String {
        let Machine { rustc, target, features, libc } = &self.machine;
        let mut text = format!(
            "# What one operation of each workload takes; made by `cargo xtask bench --counts --bless`.\n\n\
             [machine]\nrustc = \"{rustc}\"\ntarget = \"{target}\"\nfeatures = \"{features}\"\nlibc = \"{libc}\"\n\n\
             [cases]\n"
        );
        for (name, Count { program, libc, allocations }) in &self.cases {
            let _ = writeln!(
                text,
                "\"{name}\" = {{ program = {program:.2}, libc = {libc:.2}, allocations = {allocations:.2} }}"
            );
        }
        text
    }

    /// Holds counts against the baseline, by those names that a filter is in.
    pub(crate) fn judge(
        &self,
        counts: &BTreeMap<String, Count>,
        filters: &[String],
        same_libc: bool,
    ) -> Vec<Verdict> {
        let mut names: Vec<_> = self.cases.keys().chain(counts.keys()).collect();
        names.sort();
        names.dedup();
        names
            .into_iter()
            .filter(|name| is_chosen(name, filters))
            .map(|name| {
                Verdict::new(name, self.cases.get(name).copied(), counts.get(name).copied(), same_libc)
            })
            .collect()
    }
}

/// Whether a case is among those asked for: by a part of its name, or all of them.
pub(crate) fn is_chosen(name: &str, filters: &[String]) -> bool {
    filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Count = Count { program: 100.0, libc: 50.0, allocations: 2.0 };

    fn worse(now: Count, same_libc: bool) -> Vec<&'static str> {
        Verdict::new("a", Some(BEFORE), Some(now), same_libc).worse
    }

    #[test]
    fn three_percent_more_pass_and_more_do_not() {
        assert_eq!(worse(Count { program: 104.5, ..BEFORE }, true), [""; 0]);
        assert_eq!(worse(Count { program: 104.6, ..BEFORE }, true), ["instructions"]);
        assert_eq!(worse(Count { program: 103.1, ..BEFORE }, false), ["instructions"]);
        assert_eq!(worse(Count { libc: 54.6, ..BEFORE }, true), ["instructions"]);
    }

    #[test]
    fn what_goes_over_from_the_c_library_to_the_program_is_no_change() {
        assert_eq!(worse(Count { program: 120.0, libc: 30.0, allocations: 2.0 }, true), [""; 0]);
    }

    #[test]
    fn one_more_allocation_in_a_hundred_operations_does_not_pass() {
        assert_eq!(worse(Count { allocations: 2.01, ..BEFORE }, true), ["allocations"]);
        assert_eq!(worse(Count { allocations: 2.004, ..BEFORE }, true), [""; 0]);
    }

    #[test]
    fn another_c_library_is_not_judged() {
        assert_eq!(worse(Count { libc: 80.0, ..BEFORE }, false), [""; 0]);
    }

    #[test]
    fn what_got_better_is_told_and_passes() {
        let verdict = Verdict::new("a", Some(BEFORE), Some(Count { program: 90.0, ..BEFORE }), true);
        assert_eq!(
            (verdict.better.as_slice(), verdict.is_worse(), verdict.is_change()),
            (&["instructions"][..], false, true)
        );
    }

    #[test]
    fn a_case_that_only_one_side_has_fails() {
        let machine = Machine::default();
        let cases = BTreeMap::from([("old".to_owned(), BEFORE), ("both".to_owned(), BEFORE)]);
        let baseline = Baseline { machine, cases };
        let counts = BTreeMap::from([("new".to_owned(), BEFORE), ("both".to_owned(), BEFORE)]);
        let worse = |filters: &[String]| -> Vec<String> {
            let verdicts = baseline.judge(&counts, filters, true);
            verdicts.into_iter().filter(Verdict::is_worse).map(|verdict| verdict.name).collect()
        };
        assert_eq!(worse(&[]), ["new", "old"]);
        assert_eq!(worse(&["bo".to_owned()]), [""; 0]);
    }

    #[test]
    fn what_was_written_can_be_read() {
        let machine = Machine { rustc: "1.95.0".to_owned(), libc: "2.36".to_owned(), ..Machine::default() };
        let written = Baseline { machine, cases: BTreeMap::from([("a/16".to_owned(), BEFORE)]) };
        let read: Baseline = toml::from_str(&written.text()).unwrap();
        assert_eq!((read.machine, read.cases), (written.machine, written.cases));
    }
}
