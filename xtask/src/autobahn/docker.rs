//! The suite as a container image, for machines without Python 2.7.

use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};

use super::work::Work;

/// The suite's own image; the same version as the package that [`super::python`] installs.
const IMAGE: &str = "crossbario/autobahn-testsuite:0.8.2";

/// Checks that Docker answers, and fetches the image where it is missing.
pub(crate) fn install() -> anyhow::Result<()> {
    let info = Command::new("docker").arg("info").stdin(Stdio::null()).output();
    let info = info.context("there is no docker command")?;
    ensure!(info.status.success(), "docker does not answer");

    let inspect = Command::new("docker").args(["image", "inspect", IMAGE]).output()?;
    if !inspect.status.success() {
        eprintln!("fetching {IMAGE}");
        let pull = Command::new("docker").args(["pull", "--quiet", IMAGE]).status()?;
        ensure!(pull.success(), "cannot pull {IMAGE}");
    }
    Ok(())
}

/// Runs the image's `wstest` in the network of this machine, with the working directory at its own path, so
/// that ports and paths mean the same inside and outside. What it writes belongs to the directory's owner.
pub(crate) fn command(work: &Work) -> Command {
    let dir = work.dir();
    let mut command = Command::new("docker");
    command.args(["run", "--rm", "--network", "host", "--env", "PYTHONUNBUFFERED=1", "--name"]);
    command.arg(container(work));
    #[cfg(unix)]
    if let Ok(metadata) = dir.metadata() {
        use std::os::unix::fs::MetadataExt as _;
        command.arg("--user").arg(format!("{}:{}", metadata.uid(), metadata.gid()));
    }
    command.arg("--volume").arg(format!("{0}:{0}", dir.display())).arg("--workdir").arg(dir);
    command.args([IMAGE, "wstest"]);
    command
}

/// Ends the container: the signal that ends `docker run` does not reach it.
pub(crate) fn remove(work: &Work) {
    // It is gone already when the suite ended by itself, and then there is nothing to say.
    let _ = Command::new("docker").args(["rm", "--force", &container(work)]).output();
}

fn container(work: &Work) -> String {
    format!("ws-stack-autobahn-{}-{}", work.role(), std::process::id())
}
