//! What fuzzing needs beside the stable toolchain.

use std::convert::Infallible;
use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::repo::Repo;

/// How the targets are built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Build {
    /// With `AddressSanitizer`, and so that libFuzzer sees what values are compared with.
    #[default]
    Address,
    /// With neither, which tries about seven times as many inputs: assertions and overflow are still checked, and our crates
    /// forbid the unsafe code that `AddressSanitizer` is for.
    Plain,
}

impl Build {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Address => &[],
            Self::Plain => &["--sanitizer", "none", "--no-trace-compares"],
        }
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address",
            Self::Plain => "plain",
        })
    }
}

impl FromStr for Build {
    type Err = Infallible;

    fn from_str(name: &str) -> Result<Self, Infallible> {
        Ok(if name == "plain" { Self::Plain } else { Self::Address })
    }
}

/// A nightly toolchain with cargo-fuzz.
#[derive(Debug)]
pub(crate) struct Tools {
    root: PathBuf,
    target_dir: PathBuf,
    pub(crate) build: Build,
}

/// An execution that takes longer hangs.
const HANGS: Duration = Duration::from_secs(10);

/// What is not looked for in a campaign, so that it tries twice as many inputs: which safe code cannot do (stack memory
/// used after a return), and what only says more about a finding (who allocated; `cargo fuzz run` on the input shows it).
const SANITIZER: &str = "detect_stack_use_after_return=0:malloc_context_size=0:quarantine_size_mb=1";

impl Tools {
    /// Without a look whether they are there.
    pub(crate) fn of(repo: &Repo, build: Build) -> Self {
        Self { root: repo.root.clone(), target_dir: repo.target.join("fuzz"), build }
    }

    /// # Errors
    /// When one of them is missing, with the command that installs it.
    pub(crate) fn find(repo: &Repo, build: Build) -> anyhow::Result<Self> {
        let tools = Self::of(repo, build);
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
    pub(crate) fn compile(&self, targets: &[String]) -> anyhow::Result<ExitStatus> {
        let mut command = self.call("build");
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
        let mut command = self.call("run");
        command.arg(target).args([corpus, format!("fuzz/seeds/{target}")]).arg("--");
        command.arg(format!("-max_total_time={}", time.as_secs().max(1)));
        command.arg(format!("-timeout={}", HANGS.as_secs())).arg("-print_final_stats=1");
        command.env("ASAN_OPTIONS", SANITIZER);
        Ok(command)
    }

    /// Where the logs of campaigns lie.
    pub(crate) fn logs(&self) -> PathBuf {
        self.target_dir.join("logs")
    }

    /// A new log for a target, instead of the last one of this build.
    ///
    /// # Errors
    /// When there can be none.
    pub(crate) fn log(&self, target: &str) -> anyhow::Result<File> {
        let path = self.logs().join(format!("{target}.{}.log", self.build));
        fs::create_dir_all(self.logs()).context("cannot make a directory for logs")?;
        File::create(&path).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What is said to cargo-fuzz of the build is the same when it builds and when it runs.
    fn call(&self, what: &str) -> Command {
        let mut command = self.cargo_fuzz();
        command.arg(what).args(self.build.options());
        command.arg("--target-dir").arg(self.target_dir.join(self.build.to_string()));
        command
    }

    fn cargo_fuzz(&self) -> Command {
        // The cargo that runs us is of one toolchain and knows nothing of others.
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "fuzz"]).current_dir(&self.root);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_named_as_it_is_read() {
        for build in [Build::Address, Build::Plain] {
            assert_eq!(build.to_string().parse(), Ok(build));
        }
        assert_eq!("of another time".parse(), Ok(Build::Address));
    }

    #[test]
    fn each_build_has_a_place_of_its_own() {
        let tools = |build| Tools { root: "r".into(), target_dir: "t".into(), build };
        let arguments = |build| {
            let call = tools(build).call("run");
            call.get_args()
                .map(|argument| argument.to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(arguments(Build::Address), "run nightly cargo fuzz run --target-dir t/address");
        assert_eq!(
            arguments(Build::Plain),
            "run nightly cargo fuzz run --sanitizer none --no-trace-compares --target-dir t/plain"
        );
    }
}
