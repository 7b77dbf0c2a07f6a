//! `cargo xtask bench`: our two echo servers, built as they are shipped, beside the others that the bench knows.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::repo::Repo;

/// What is passed on to `bench run`, see `xtask/bench/README.md`.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of `bench run`, such as --quick or --scenarios 16x64; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Builds `ws` and the example `echo_server_owned`, and measures them with the arguments given.
///
/// # Errors
/// When something does not build; a measurement that fails is an exit code.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let repo = Repo::find()?;
    let mut bench =
        repo.cargo(["run", "--quiet", "--release", "--manifest-path", "xtask/bench/Cargo.toml", "--"]);
    bench.arg("run");
    if !args.arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        let ours = repo.build_program("ws", ["--package", "ws-cli", "--bin", "ws"])?;
        let example = ["--package", "ws-stack", "--example", "echo_server_owned"];
        let owned = repo.build_program("echo_server_owned", example)?;
        bench.arg("--ours").arg(ours).arg("--owned").arg(owned);
    }
    bench.args(&args.arguments);
    let status = bench.status().context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
