//! Where things are, and how to call cargo.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use cargo_metadata::MetadataCommand;

/// The repository's directories.
#[derive(Debug)]
pub(crate) struct Repo {
    /// The top level, where the workspace's `Cargo.toml` lies.
    pub(crate) root: PathBuf,
    /// Cargo's target directory, wherever the environment has put it.
    pub(crate) target: PathBuf,
}

impl Repo {
    /// Finds the repository that this program was built from.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in no directory")?;
        let metadata = MetadataCommand::new()
            .current_dir(root)
            .no_deps()
            .exec()
            .context("cargo metadata does not understand the workspace")?;
        Ok(Self { root: root.to_path_buf(), target: metadata.target_directory.into_std_path_buf() })
    }

    /// A call of the cargo that runs us, from the top level.
    pub(crate) fn cargo<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(&self.root);
        command
    }
}

/// Whether this is a run of continuous integration, where what cannot be tested is a failure.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}
