//! What fuzzing needs beside the stable toolchain.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::repo::Repo;

/// A nightly toolchain with cargo-fuzz.
#[derive(Debug)]
pub(crate) struct Tools {
    root: PathBuf,
    target_dir: PathBuf,
}

/// An execution that takes longer hangs.
const HANGS: Duration = Duration::from_secs(10);

/// What is not looked for in a campaign, so that it tries twice as many inputs: which safe code cannot do (stack memory
/// used after a return), and what only says more about a finding (who allocated; `cargo fuzz run` on the input shows it).
const SANITIZER: &str = "detect_stack_use_after_return=0:malloc_context_size=0:quarantine_size_mb=1";

impl Tools {
    /// Without a look whether they are there.
    pub(crate) fn of(repo: &Repo) -> Self {
        Self { root: repo.root.clone(), target_dir: repo.target.join("fuzz") }
    }

    /// # Errors
    /// When one of them is missing, with the command that installs it.
    pub(crate) fn find(repo: &Repo) -> anyhow::Result<Self> {
        let tools = Self::of(repo);
        let works = |mut command: Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let mut rustc = Command::new("rustup");
        rustc.args(["run", "nightly", "rustc", "--version"]);
        if !works(rustc) {
            bail!(
                "fuzzing needs a nightly toolchain: run `rustup toolchain install nightly --profile minimal`"
            );
        }
        let mut version = tools.cargo_fuzz();
        version.arg("--version");
        if !works(version) {
            bail!("fuzzing needs cargo-fuzz: run `cargo install cargo-fuzz --locked`");
        }
        Ok(tools)
    }

    /// Builds the targets, in view.
    ///
    /// # Errors
    /// When cargo cannot be started.
    pub(crate) fn build(&self, targets: &[String]) -> anyhow::Result<ExitStatus> {
        let mut command = self.cargo_fuzz();
        command.arg("build").arg("--target-dir").arg(&self.target_dir);
        if let [target] = targets {
            command.arg(target);
        }
        command.status().context("cannot start cargo-fuzz")
    }

    /// The call that runs one target for so long. New inputs are kept in `fuzz/corpus`, never among the seeds.
    ///
    /// # Errors
    /// When there can be no directory for them.
    pub(crate) fn campaign(&self, target: &str, time: Duration) -> anyhow::Result<Command> {
        let corpus = format!("fuzz/corpus/{target}");
        fs::create_dir_all(self.root.join(&corpus)).with_context(|| format!("cannot make {corpus}"))?;
        let mut command = self.cargo_fuzz();
        command.arg("run").arg("--target-dir").arg(&self.target_dir).arg(target);
        command.args([corpus, format!("fuzz/seeds/{target}")]).arg("--");
        command.arg(format!("-max_total_time={}", time.as_secs().max(1)));
        command.arg(format!("-timeout={}", HANGS.as_secs())).arg("-print_final_stats=1");
        command.env("ASAN_OPTIONS", SANITIZER);
        Ok(command)
    }

    /// Where the logs of campaigns lie.
    pub(crate) fn logs(&self) -> PathBuf {
        self.target_dir.join("logs")
    }

    /// A new log for a target, instead of its last one.
    ///
    /// # Errors
    /// When there can be none.
    pub(crate) fn log(&self, target: &str) -> anyhow::Result<File> {
        let path = self.logs().join(format!("{target}.log"));
        fs::create_dir_all(self.logs()).context("cannot make a directory for logs")?;
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))
    }

    fn cargo_fuzz(&self) -> Command {
        // The cargo that runs us is of one toolchain and knows nothing of others.
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "fuzz"]).current_dir(&self.root);
        command
    }
}
