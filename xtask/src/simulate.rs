//! `cargo xtask simulate`: lives of connections in virtual time, each replayable by its seed.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::repo::Repo;

/// How many lives, and which.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How many lives
    #[arg(long, default_value_t = 1_000_000)]
    lives: u64,
    /// The seed of the first; each one behind it has the next
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Args {
    /// What continuous integration lives.
    pub(crate) const FEW: Self = Self { lives: 10_000, seed: 0 };
}

/// Lives them, on all cores.
///
/// # Errors
/// When the simulation does not build; a promise that is broken is an exit code.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let repo = Repo::find()?;
    let what = ["--package", "ws-testkit", "--features", "simulation", "--bin", "simulate"];
    let program = repo.build_program("simulate", what)?;
    let numbers = [args.lives.to_string(), args.seed.to_string()];
    let status = std::process::Command::new(program).args(numbers).status().context("cannot start it")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
