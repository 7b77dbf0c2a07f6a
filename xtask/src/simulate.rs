//! `cargo xtask simulate`: lives of connections in virtual time, each replayable by its seed.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::repo::Repo;

/// How many lives, and which.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How many lives [default: 1000000, and 100 with --each-call]
    #[arg(long)]
    lives: Option<u64>,
    /// The seed of the first; each one behind it has the next
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Live each of them over and over, each time with another call of the transport that fails: some 4,000 times, which
    /// takes seconds
    #[arg(long)]
    each_call: bool,
}

impl Args {
    /// What continuous integration lives.
    pub(crate) const FEW: [Self; 2] = [
        Self { lives: Some(10_000), seed: 0, each_call: false },
        Self { lives: Some(20), seed: 0, each_call: true },
    ];

    fn lives(&self) -> u64 {
        self.lives.unwrap_or(if self.each_call { 100 } else { 1_000_000 })
    }
}

/// Lives them, on all cores.
///
/// # Errors
/// When the simulation does not build; a promise that is broken is an exit code.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let repo = Repo::find()?;
    let what = ["--package", "ws-testkit", "--no-default-features", "--features", "simulation"];
    let program = repo.build_program("simulate", what)?;
    let mut command = std::process::Command::new(program);
    command.args([args.lives().to_string(), args.seed.to_string()]);
    if args.each_call {
        command.arg("each-call");
    }
    let status = command.status().context("cannot start it")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
