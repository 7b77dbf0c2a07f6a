//! The directory in which one role's run leaves its files.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::cases::Selection;
use super::role::Role;

/// The files of one run: the suite's specification, its log, the log of what is tested, the suite's results.
#[derive(Debug)]
pub(crate) struct Work {
    role: Role,
    dir: PathBuf,
}

impl Work {
    /// Empties the role's directory under `home`: no result of an earlier run may pass for one of this run.
    pub(crate) fn prepare(home: &Path, role: Role) -> anyhow::Result<Self> {
        let dir = home.join("run").join(role.name());
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("cannot empty {}", dir.display()))?;
        }
        fs::create_dir_all(dir.join("results"))?;
        Ok(Self { role, dir })
    }

    /// Writes the suite's specification: the role's own keys, the cases, where the results go.
    pub(crate) fn write_spec(
        &self,
        mut spec: serde_json::Value,
        selection: &Selection,
    ) -> anyhow::Result<()> {
        selection.write_into(&mut spec);
        spec["outdir"] = self.results().display().to_string().into();
        fs::write(self.spec(), serde_json::to_string_pretty(&spec)?).context("cannot write the specification")
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn spec(&self) -> PathBuf {
        self.dir.join("spec.json")
    }

    /// Where the suite writes its `index.json` and a file for each case.
    pub(crate) fn results(&self) -> PathBuf {
        self.dir.join("results")
    }

    pub(crate) fn suite_log(&self) -> PathBuf {
        self.dir.join("suite.log")
    }

    /// What our own program prints while it is tested.
    pub(crate) fn peer_log(&self) -> PathBuf {
        self.dir.join("peer.log")
    }

    /// Opens a log for appending: several processes share it.
    pub(crate) fn append(path: &Path) -> anyhow::Result<File> {
        let file = File::options().create(true).append(true).open(path);
        file.with_context(|| format!("cannot write {}", path.display()))
    }
}
