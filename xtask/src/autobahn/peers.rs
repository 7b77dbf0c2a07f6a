//! The programs that are tested: built as they are shipped.

use std::io::BufReader;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use cargo_metadata::Message;

use crate::repo::Repo;

/// Our two programs, optimised.
#[derive(Debug)]
pub(crate) struct Peers {
    /// The command line, `ws`.
    pub(crate) ws: PathBuf,
    /// The example that echoes what a server sends.
    pub(crate) echo_client: PathBuf,
}

impl Peers {
    /// Builds both with optimisation, so that the suite's deadlines say something about the shipped program.
    pub(crate) fn build(repo: &Repo) -> anyhow::Result<Self> {
        let ws = build(repo, "ws", ["build", "--release", "--package", "ws-cli", "--bin", "ws"])?;
        let example = ["build", "--release", "--package", "ws-stack", "--example", "echo_client"];
        let echo_client = build(repo, "echo_client", example)?;
        Ok(Self { ws, echo_client })
    }
}

/// Builds one program and asks cargo where it put it.
fn build<const N: usize>(repo: &Repo, name: &str, args: [&str; N]) -> anyhow::Result<PathBuf> {
    let mut command = repo.cargo(args);
    command.args(["--message-format", "json-render-diagnostics"]).stdout(Stdio::piped());
    let mut cargo = command.spawn().context("cannot start cargo")?;
    let stdout = cargo.stdout.take().context("cargo has no output")?;
    let mut program = None;
    for message in Message::parse_stream(BufReader::new(stdout)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.target.name == name
            && let Some(path) = artifact.executable
        {
            program = Some(path.into_std_path_buf());
        }
    }
    ensure!(cargo.wait()?.success(), "{name} does not build");
    program.with_context(|| format!("cargo built no program named {name}"))
}
