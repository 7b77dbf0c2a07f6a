//! The suite itself: installed on first use, from Python's registry or as a container.

use std::fmt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use super::docker;
use super::python;
use super::work::Work;

/// An installed suite.
#[derive(Debug)]
pub(crate) enum Suite {
    /// In an environment of Python 2.7; the path is its `wstest`.
    Python(PathBuf),
    /// As a container image.
    Docker,
}

/// Why the suite cannot be run on this machine, and what to install.
#[derive(Debug)]
pub(crate) struct Unavailable {
    python: anyhow::Error,
    docker: anyhow::Error,
}

impl Suite {
    /// Finds the suite under `home`, or installs it there.
    ///
    /// # Errors
    /// When there is neither a Python 2.7 that can install it nor a Docker that answers.
    pub(crate) fn install(home: &Path) -> Result<Self, Unavailable> {
        let python = match python::install(home) {
            Ok(wstest) => return Ok(Self::Python(wstest)),
            Err(error) => error,
        };
        match docker::install() {
            Ok(()) => Ok(Self::Docker),
            Err(docker) => Err(Unavailable { python, docker }),
        }
    }

    /// The call of one of the suite's modes, with the specification file that `work` holds.
    pub(crate) fn command(&self, mode: Mode, work: &Work) -> Command {
        let mut command = match self {
            Self::Python(wstest) => Command::new(wstest),
            Self::Docker => docker::command(work),
        };
        // Port 0: no web server beside the fuzzing server.
        command.args(["--mode", mode.name(), "--webport", "0", "--spec"]).arg(work.spec());
        // Without this Python holds its lines back, and there is no progress to show.
        command.env("PYTHONUNBUFFERED", "1").current_dir(work.dir());
        command
    }

    /// Ends what killing the process started by [`command`](Self::command) does not end.
    pub(crate) fn clean_up(&self, work: &Work) {
        if matches!(self, Self::Docker) {
            docker::remove(work);
        }
    }
}

/// The suite's two programs for testing WebSocket.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Connects to a server and tests it.
    FuzzingClient,
    /// Tests the clients that connect.
    FuzzingServer,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::FuzzingClient => "fuzzingclient",
            Self::FuzzingServer => "fuzzingserver",
        }
    }
}

impl std::error::Error for Unavailable {}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the conformance suite is not installed and cannot be\n  \
             from Python's registry: {:#}\n  \
             as a container: {:#}\n  \
             install Python 2.7 (`pyenv install 2.7.18`; or name one in PYTHON2), or start Docker",
            self.python, self.docker
        )
    }
}
