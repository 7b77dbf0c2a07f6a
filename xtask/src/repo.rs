//! Where things are, and how to call cargo.

use std::env;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use cargo_metadata::{Message, MetadataCommand};

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
        // `cargo run` has told us of our own package. A build script that looks there would run anew, and all that is built
        // of its package be built twice: ring's does.
        for (name, _) in env::vars_os().filter(|(name, _)| is_of_our_package(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
    }

    /// Builds the program of this name, which `what` selects, as it is shipped: optimised. Asks cargo where it put it.
    pub(crate) fn build_program<const N: usize>(
        &self,
        name: &str,
        what: [&str; N],
    ) -> anyhow::Result<PathBuf> {
        self.build_program_as(&["--release"], name, &what)
    }

    /// The same in another way than it is shipped.
    pub(crate) fn build_program_as(
        &self,
        how: &[&str],
        name: &str,
        what: &[&str],
    ) -> anyhow::Result<PathBuf> {
        build_program_by(self.cargo([]), how, name, what)
    }
}

/// The same by another call of cargo, to which nothing was said yet.
pub(crate) fn build_program_by(
    mut command: Command,
    how: &[&str],
    name: &str,
    what: &[&str],
) -> anyhow::Result<PathBuf> {
    command.args(["build", "--message-format", "json-render-diagnostics"]).args(how).args(what);
    let mut cargo = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
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

/// Whether cargo describes a package with this variable.
fn is_of_our_package(variable: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| variable.starts_with(start))
}

/// Whether this is a run of continuous integration, where what cannot be tested is a failure.
pub(crate) fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_of_cargo_is_not_told_of_our_package() {
        let repo = Repo { root: ".".into(), target: "target".into() };
        let command = repo.cargo(["--version"]);
        let removed: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();
        // Cargo sets them for tests, too.
        for name in ["CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_DIR"] {
            assert!(removed.iter().any(|removed| *removed == name), "{name}: {removed:?}");
        }
        assert!(removed.iter().all(|name| *name != "CARGO_TARGET_DIR" && *name != "CARGO"));
    }
}
