//! Building what is to be measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Builds the servers of the package `peers` as they would ship.
pub(crate) fn build_peers() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "peers", "--manifest-path"]).arg(manifest);
    run(&mut command, "the peers do not build")
}

/// Where their binaries are: beside this one, or beside the directory that a debug build of it is in.
pub(crate) fn binaries() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("this binary has no target directory")?;
    Ok(target.join("release"))
}

/// The directory of the server on node.
pub(crate) fn node() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/node")
}

/// Installs what the server on node needs, on first use.
pub(crate) fn install_node() -> Result<()> {
    if node().join("node_modules/ws").is_dir() {
        return Ok(());
    }
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund"]).current_dir(node());
    run(&mut command, "ws for node does not install: leave node-ws out of --servers, or install node and npm")
}

fn run(command: &mut Command, trouble: &'static str) -> Result<()> {
    let status = command.status().context(trouble)?;
    ensure!(status.success(), trouble);
    Ok(())
}
