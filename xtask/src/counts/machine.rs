//! What the counts depend on besides the code, and how two runs are made alike in it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use crate::repo::{self, Repo};
use crate::test::packages;

/// What the counts depend on besides the code.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
pub(crate) struct Machine {
    /// The compiler's release.
    pub(crate) rustc: String,
    /// What it compiles for.
    pub(crate) target: String,
    /// The instruction sets that a program finds under valgrind.
    pub(crate) features: String,
    /// The release of the C library.
    pub(crate) libc: String,
}

/// The program with the workloads, and what it was built by and runs on.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) program: PathBuf,
    pub(crate) machine: Machine,
}

/// Whether this machine can be made like the baseline's.
pub(crate) enum Comparable {
    Yes(Bench),
    /// Says why not, and what would help.
    No(String),
}

impl Bench {
    /// Builds with the compiler that there is.
    pub(crate) fn build_as_is(repo: &Repo) -> anyhow::Result<Self> {
        ensure!(has_valgrind(), "valgrind is not found: install it (apt-get install valgrind)");
        let (rustc, target) = compiler(&mut Command::new("rustc"))?;
        let program = build(repo, None)?;
        let features = features(&program)?;
        Ok(Self { program, machine: Machine { rustc, target, features, libc: libc()? } })
    }

    /// Builds with the compiler of the baseline. In continuous integration, what is missing for that is installed.
    pub(crate) fn build_like(repo: &Repo, baseline: &Machine) -> anyhow::Result<Comparable> {
        if !has_valgrind() && repo::is_ci() {
            packages::install(&["valgrind"]);
        }
        if !has_valgrind() {
            return Ok(Comparable::No("valgrind not found (on Debian: apt-get install valgrind)".to_owned()));
        }
        let (rustc, target) = compiler(&mut Command::new("rustc"))?;
        if target != baseline.target {
            let why = format!("this is {target}: the baseline's counts are those of {}", baseline.target);
            return Ok(Comparable::No(why));
        }
        let toolchain = (rustc != baseline.rustc).then_some(baseline.rustc.as_str());
        if let Some(version) = toolchain
            && !has_toolchain(version)
        {
            return Ok(Comparable::No(format!(
                "rustc is {rustc}, the baseline's {version}: `rustup toolchain install {version} --profile minimal`, \
                 or make a new baseline by `cargo xtask bench --counts --bless`"
            )));
        }
        let program = build(repo, toolchain)?;
        let features = features(&program)?;
        if features != baseline.features {
            let why = format!(
                "this processor has {features}, the baseline's {}: code that chooses by them counts differently",
                baseline.features
            );
            return Ok(Comparable::No(why));
        }
        let machine = Machine { rustc: baseline.rustc.clone(), target, features, libc: libc()? };
        Ok(Comparable::Yes(Self { program, machine }))
    }
}

fn has_valgrind() -> bool {
    output(Command::new("valgrind").arg("--version")).is_ok()
}

/// Whether rustup has this release. In continuous integration it is made to.
fn has_toolchain(version: &str) -> bool {
    let answers = || compiler(Command::new("rustup").args(["run", version, "rustc"])).is_ok();
    if !answers() && repo::is_ci() {
        let install = ["toolchain", "install", version, "--profile", "minimal", "--no-self-update"];
        if let Err(error) = Command::new("rustup").args(install).status() {
            println!("rustup does not start: {error}");
        }
    }
    answers()
}

/// The program as it is shipped, built by another toolchain in a directory of its own.
fn build(repo: &Repo, toolchain: Option<&str>) -> anyhow::Result<PathBuf> {
    let mut command = match toolchain {
        None => repo.cargo([]),
        Some(version) => {
            let mut command = Command::new("rustup");
            command.args(["run", version, "cargo"]).current_dir(&repo.root);
            command.env("CARGO_TARGET_DIR", repo.target.join("counts"));
            command
        }
    };
    // Flags of somebody's own would compile other code.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_RUSTFLAGS");
    let what = ["--package", "counts", "--bin", "counts"];
    repo::build_program_by(command, &["--release", "--locked"], "counts", &what)
}

/// Release and target of a compiler.
fn compiler(rustc: &mut Command) -> anyhow::Result<(String, String)> {
    let text = output(rustc.arg("-vV"))?;
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name));
        value.map(str::to_owned).with_context(|| format!("rustc -vV does not say {name}"))
    };
    Ok((field("release: ")?, field("host: ")?))
}

fn features(program: &PathBuf) -> anyhow::Result<String> {
    let features = output(Command::new("valgrind").args(["--tool=none"]).arg(program).arg("--machine"))?;
    Ok(features.trim().to_owned())
}

/// The release of the C library, as `getconf` names it.
fn libc() -> anyhow::Result<String> {
    let text = output(Command::new("getconf").arg("GNU_LIBC_VERSION"));
    Ok(text.map_or_else(|_| "another".to_owned(), |text| text.trim().trim_start_matches("glibc ").to_owned()))
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command.output().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    ensure!(
        output.status.success(),
        "{:?} fails: {}",
        command.get_program(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compiler_says_what_it_is() {
        let (release, target) = compiler(&mut Command::new("rustc")).unwrap();
        assert!(release.starts_with("1."), "{release}");
        assert!(target.contains('-'), "{target}");
    }

    #[test]
    fn a_program_that_fails_is_an_error_with_its_words() {
        let error = compiler(Command::new("rustc").arg("--no-such-option")).unwrap_err();
        assert!(error.to_string().contains("no-such-option"), "{error}");
    }
}
