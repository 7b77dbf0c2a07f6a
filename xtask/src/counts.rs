//! `cargo xtask bench --counts`: the instructions of workloads in memory, beside those of a checked-in baseline.
//!
//! Callgrind counts the same each time, however busy the machine is. What else would change the counts is held still or
//! told: the compiler is the one that made the baseline, whichever builds the rest; the processor that callgrind shows
//! to a program is one of a few, so that its instruction sets are compared; what the C library does is counted apart,
//! and judged only where it is the baseline's. Where a comparison would say nothing, there is none, and that is said.

mod baseline;
mod callgrind;
mod machine;
mod measure;
mod report;

use std::process::ExitCode;

use anyhow::bail;

use self::baseline::{Baseline, Verdict};
use self::machine::{Bench, Comparable};
use crate::repo::Repo;
use crate::test::Outcome;

/// Counts, and compares or blesses.
///
/// # Errors
/// When nothing can be counted, or the counts cannot be compared.
pub(crate) fn run(filters: &[String], bless: bool) -> anyhow::Result<ExitCode> {
    let repo = Repo::find()?;
    if bless {
        if !filters.is_empty() {
            bail!("a baseline has all cases: bless without naming some");
        }
        let bench = Bench::build_as_is(&repo)?;
        let made = Baseline { machine: bench.machine.clone(), cases: measure::all(&bench, filters)? };
        made.save(&repo)?;
        println!(
            "{} cases are the baseline now: look at the difference before it is committed",
            made.cases.len()
        );
        return Ok(ExitCode::SUCCESS);
    }
    match compare(&repo, filters)? {
        Comparison::Made(verdicts) => {
            print!("{}", report::table(&verdicts));
            Ok(if verdicts.iter().any(Verdict::is_worse) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Comparison::Impossible(why) => bail!("{why}"),
    }
}

/// The step of `cargo xtask test`: tells only of what has changed.
///
/// # Errors
/// When a workload takes more than the baseline allows.
pub(crate) fn check(repo: &Repo) -> anyhow::Result<Outcome> {
    match compare(repo, &[])? {
        Comparison::Made(verdicts) => {
            print!("{}", report::changes(&verdicts));
            let worse = verdicts.iter().filter(|verdict| verdict.is_worse()).count();
            if worse > 0 {
                bail!("{worse} of {} workloads are not as the baseline has them", verdicts.len());
            }
            Ok(Outcome::Passed)
        }
        Comparison::Impossible(why) => Ok(Outcome::NotTested(why)),
    }
}

enum Comparison {
    Made(Vec<Verdict>),
    /// Says why.
    Impossible(String),
}

fn compare(repo: &Repo, filters: &[String]) -> anyhow::Result<Comparison> {
    let baseline = Baseline::load(repo)?;
    let bench = match Bench::build_like(repo, &baseline.machine)? {
        Comparable::Yes(bench) => bench,
        Comparable::No(why) => return Ok(Comparison::Impossible(why)),
    };
    let counts = measure::all(&bench, filters)?;
    let same_libc = bench.machine.libc == baseline.machine.libc;
    if !same_libc {
        println!(
            "the C library is {}, the baseline's {}: what it does is not judged",
            bench.machine.libc, baseline.machine.libc
        );
    }
    Ok(Comparison::Made(baseline.judge(&counts, filters, same_libc)))
}
