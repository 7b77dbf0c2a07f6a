//! `cargo xtask test`: everything that continuous integration checks, in the order in which it fails fastest.

mod conformance;
mod features;
pub(crate) mod packages;
mod peers;
mod step;

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::ensure;

pub(crate) use self::step::Outcome;
use self::step::Step;
use crate::repo::Repo;
use crate::{attack, counts, deny, repo, rfc, simulate, tidy};

/// Runs the steps up to the first failure, and says what to do about it.
///
/// # Errors
/// When the repository cannot be read; a step that fails is an exit code.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let repo = Repo::find()?;
    let steps = steps(&repo);
    let mut passed = 0;
    let mut not_tested = Vec::new();
    let total = steps.len();
    for (i, step) in steps.into_iter().enumerate() {
        let (name, advice) = (step.name, step.advice);
        println!("\n== {name} ({} of {total})", i + 1);
        let start = Instant::now();
        let outcome = step.run();
        let seconds = start.elapsed().as_secs_f32();
        match outcome {
            Ok(Outcome::Passed) => {
                passed += 1;
                println!("-- {name}: passed in {seconds:.1} s");
            }
            Ok(Outcome::NotTested(why)) if !repo::is_ci() => {
                println!("-- {name}: not tested");
                not_tested.push((name, why));
            }
            Ok(Outcome::NotTested(why)) => return Ok(failed(name, advice, passed, seconds, &why)),
            Err(error) => return Ok(failed(name, advice, passed, seconds, &format!("{error:#}"))),
        }
    }
    println!();
    for (name, why) in not_tested {
        println!("not tested: {name}: {why}");
    }
    println!("{passed} passed, 0 failed");
    Ok(ExitCode::SUCCESS)
}

fn failed(name: &str, advice: &str, passed: usize, seconds: f32, why: &str) -> ExitCode {
    println!("-- {name}: FAILED after {seconds:.1} s");
    println!("\n{why}\nwhat to do: {advice}");
    println!("{passed} passed, 1 failed");
    ExitCode::FAILURE
}

fn steps(repo: &Repo) -> Vec<Step<'_>> {
    vec![
        Step::command("format", "run `cargo fmt --all`", repo.cargo(["fmt", "--all", "--check"])),
        Step::command(
            "lints",
            "mend what clippy says; allow a lint only with its reason",
            repo.cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
        ),
        Step::new("tidy", "mend what is listed above; the rules are in xtask/src/tidy/", || {
            tidy::check(repo).map(|()| Outcome::Passed)
        }),
        Step::new(
            "requirements of the RFCs",
            "write the test, or the reason, into docs/conformance/rfc*.toml",
            || rfc::check(repo).map(|()| Outcome::Passed),
        ),
        Step::new("dependencies", "`cargo xtask deny` says more; the rules are in deny.toml", || {
            Ok(match deny::check_offline(repo)? {
                Ok(()) => Outcome::Passed,
                Err(why) => Outcome::NotTested(why),
            })
        }),
        Step::new("real peers", "install what is named", || Ok(peers::check())),
        Step::command("tests", "run the failing test alone: `cargo test -p <crate> <name>`", tests(repo)),
        Step::command(
            "examples in the documentation",
            "run `cargo test --doc -p <crate>`",
            repo.cargo(["test", "--quiet", "--workspace", "--all-features", "--doc"]),
        ),
        Step::command("documentation", "mend the links and docs that rustdoc names", documentation(repo)),
        Step::command(
            "ws-frame without features",
            "ws-frame needs neither std nor alloc without features",
            repo.cargo(["build", "--package", "ws-frame", "--no-default-features"]),
        ),
        Step::command(
            "tests of ws-frame without simd",
            "both validators of UTF-8 must agree: run `cargo test -p ws-frame`",
            repo.cargo(["test", "--quiet", "--package", "ws-frame", "--no-default-features"]),
        ),
        Step::new(
            "features of ws-stack",
            "a feature only adds, and is handed on to each crate that has it: look at ws-stack's Cargo.toml",
            || features::check(repo),
        ),
        Step::new("simulation", "live the life again by its seed, named above", || {
            for args in &simulate::Args::FEW {
                ensure!(simulate::run(args)? == ExitCode::SUCCESS, "a life broke a promise");
            }
            Ok(Outcome::Passed)
        }),
        Step::command("fuzz targets", "run `cargo check` in fuzz/", fuzz_targets(repo)),
        Step::new(
            "instructions",
            "mend what is marked WORSE; `cargo xtask bench --counts NAME` counts some alone, --bless accepts them",
            || counts::check(repo),
        ),
        Step::new(
            "hostile peers",
            "run `cargo xtask attack --quick --only NAME` with what is named above",
            || {
                Ok(match attack::check(repo)? {
                    Some(()) => Outcome::Passed,
                    None => Outcome::NotTested(
                        "the attacked programs are measured through Linux's /proc".to_owned(),
                    ),
                })
            },
        ),
        Step::new(
            "conformance",
            "open the report named above; `cargo xtask autobahn <role> --cases <case>` runs one case alone",
            || conformance::run(repo),
        ),
    ]
}

/// With nextest where it is installed: it runs the tests of all crates side by side.
fn tests(repo: &Repo) -> Command {
    let has_nextest =
        repo.cargo(["nextest", "--version"]).output().is_ok_and(|output| output.status.success());
    if has_nextest {
        repo.cargo(["nextest", "run", "--workspace", "--all-features", "--no-fail-fast"])
    } else {
        let what = ["--lib", "--bins", "--tests", "--examples"];
        let mut command = repo.cargo(["test", "--quiet", "--workspace", "--all-features", "--no-fail-fast"]);
        command.args(what);
        command
    }
}

fn documentation(repo: &Repo) -> Command {
    let mut command = repo.cargo(["doc", "--workspace", "--no-deps", "--all-features"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Checked without libFuzzer, which would need a C++ compiler.
fn fuzz_targets(repo: &Repo) -> Command {
    let mut command = repo.cargo(["clippy", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"]);
    command.arg("--target-dir").arg(repo.target.join("fuzz")).args(["--", "-D", "warnings"]);
    command
}
