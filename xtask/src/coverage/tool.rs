//! What measures: cargo-llvm-cov, which needs the toolchain's component `llvm-tools`, or cargo-tarpaulin, which needs nothing.

use std::fs::{self, File as Output};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::file::File;
use crate::repo::Repo;

/// Crates that are not published, and what is not code of the crates.
const EXCLUDED: [&str; 4] = ["--exclude", "xtask", "--exclude", "ws-testkit"];

/// Runs the tests, unless the last run is enough, and reads what was measured: the tool's name, files by path.
pub(crate) fn measure(repo: &Repo, runs: bool) -> anyhow::Result<(&'static str, Vec<File>)> {
    let out = repo.target.join("coverage");
    fs::create_dir_all(&out)?;
    let answers = |tool| repo.cargo([tool, "--version"]).output().is_ok_and(|output| output.status.success());
    let (name, mut files) = if answers("llvm-cov") {
        ("cargo-llvm-cov", llvm_cov(repo, &out.join("llvm-cov.json"), runs)?)
    } else if answers("tarpaulin") {
        ("cargo-tarpaulin", tarpaulin(repo, &out, runs)?)
    } else {
        bail!("no tool that measures: `cargo install cargo-llvm-cov`, or `cargo install cargo-tarpaulin`");
    };
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok((name, files))
}

fn llvm_cov(repo: &Repo, out: &Path, runs: bool) -> anyhow::Result<Vec<File>> {
    if runs {
        let mut command =
            repo.cargo(["llvm-cov", "--workspace", "--all-features", "--json", "--summary-only"]);
        command.args(EXCLUDED).stdout(Output::create(out)?);
        succeed(&mut command)?;
    }
    let files = read(out)?.pointer("/data/0/files").cloned().unwrap_or_default();
    let files = files.as_array().context("cargo-llvm-cov has written something else")?;
    Ok(files
        .iter()
        .filter_map(|file| {
            let lines = file.pointer("/summary/lines")?;
            let path = Path::new(file["filename"].as_str()?);
            published(repo, path, number(&lines["covered"])?, number(&lines["count"])?)
        })
        .collect())
}

fn tarpaulin(repo: &Repo, out: &Path, runs: bool) -> anyhow::Result<Vec<File>> {
    if runs {
        // The tests of the examples start them by the names that an ordinary build gives them.
        let mut examples = repo.cargo(["build", "--package", "ws-stack", "--examples", "--all-features"]);
        succeed(examples.arg("--target-dir").arg(out.join("target")))?;
        let mut command =
            repo.cargo(["tarpaulin", "--engine", "llvm", "--workspace", "--all-features", "--skip-clean"]);
        command.args(EXCLUDED).args([
            "--lib",
            "--bins",
            "--tests",
            "--examples",
            "--timeout",
            "600",
            "--out",
            "Json",
        ]);
        command.arg("--output-dir").arg(out).arg("--target-dir").arg(out.join("target"));
        succeed(&mut command)?;
    }
    let report = read(&out.join("tarpaulin-report.json"))?;
    let files = report["files"].as_array().context("cargo-tarpaulin has written something else")?;
    Ok(files
        .iter()
        .filter_map(|file| {
            let path =
                file["path"].as_array()?.iter().filter_map(Value::as_str).collect::<std::path::PathBuf>();
            published(repo, &path, number(&file["covered"])?, number(&file["coverable"])?)
        })
        .collect())
}

/// The file, if it is code of a published crate.
fn published(repo: &Repo, path: &Path, covered: usize, all: usize) -> Option<File> {
    let path = path.strip_prefix(&repo.root).ok()?.to_str()?;
    let in_crate = path.strip_prefix("crates/")?;
    let is_code = in_crate.split('/').nth(1) == Some("src") && !in_crate.starts_with("ws-testkit/");
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    (is_code && !is_test && all > 0).then(|| File { path: path.to_owned(), covered, all })
}

fn number(value: &Value) -> Option<usize> {
    usize::try_from(value.as_u64()?).ok()
}

fn read(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("{} is not there", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    ensure!(status.success(), "the tests did not pass ({status})");
    Ok(())
}
