//! `cargo xtask bench`: our servers beside the others that the bench knows, all built alike.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::counts;
use crate::repo::Repo;

/// What is passed on to `bench run`, see `xtask/bench/README.md`.
#[derive(clap::Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Instructions of workloads in memory instead, beside the checked-in baseline; the arguments name some of them
    #[arg(long)]
    counts: bool,
    /// Makes the counts of this run the baseline
    #[arg(long, requires = "counts")]
    bless: bool,
    /// Arguments of `bench run`, such as --quick, --publish or --scenarios 16x64; --help lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// How the bench's own workspace builds the other servers: see its `Cargo.toml`.
const LIKE_PEERS: [&str; 8] = [
    "--profile",
    "measured",
    "--config",
    "profile.measured.inherits='release'",
    "--config",
    "profile.measured.lto='fat'",
    "--config",
    "profile.measured.panic='abort'",
];

/// Each of our servers: the bench's option for it, and what cargo is told.
const OURS: [(&str, &str, &[&str]); 3] = [
    ("--ours", "ws", &["--package", "ws-cli", "--bin", "ws"]),
    ("--owned", "echo_server_owned", &["--package", "ws-stack", "--example", "echo_server_owned"]),
    ("--broadcast", "broadcast_server", &["--package", "ws-stack", "--example", "broadcast_server"]),
];

/// Builds `ws` and the examples, and measures them with the arguments given.
///
/// # Errors
/// When something does not build; a measurement that fails is an exit code.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.counts {
        let names: Vec<_> = args.arguments.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        return counts::run(&names, args.bless);
    }
    let repo = Repo::find()?;
    let mut bench =
        repo.cargo(["run", "--quiet", "--release", "--manifest-path", "xtask/bench/Cargo.toml", "--"]);
    bench.arg("run");
    if !args.arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        for (option, name, what) in OURS {
            bench.arg(option).arg(repo.build_program_as(&LIKE_PEERS, name, what)?);
        }
    }
    bench.args(&args.arguments);
    let status = bench.status().context("cannot start cargo")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
