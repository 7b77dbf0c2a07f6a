//! The programs that are tested: built as they are shipped.

use std::path::PathBuf;

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
    /// Builds both with optimisation, so that the suite's deadlines say something about the shipped program. They are of one
    /// package, without dependencies for tests: what they are built of is built once.
    pub(crate) fn build(repo: &Repo) -> anyhow::Result<Self> {
        let ws = repo.build_program("ws", ["--package", "ws-cli", "--bin", "ws"])?;
        let example = ["--package", "ws-cli", "--example", "echo_client"];
        let echo_client = repo.build_program("echo_client", example)?;
        Ok(Self { ws, echo_client })
    }
}
