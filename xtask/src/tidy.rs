//! `cargo xtask tidy`: the rules that keep the workspace in shape. One file per rule, each tested on a sample that
//! breaks it.

mod arrows;
mod cancellation;
mod dependencies;
mod entries;
mod features;
mod file_size;
mod imports;
mod lib_rs;
mod machines;
mod panics;
mod parity;
mod sans_io;
mod source;
mod table;
mod unsafe_code;
mod vulnerabilities;
mod workspace;

use std::fmt;

use anyhow::ensure;

use self::workspace::Workspace;
use crate::repo::Repo;

/// What a rule has found, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    severity: Severity,
    /// A file, with its line where there is one, or a crate.
    place: String,
    message: String,
}

/// Whether a finding fails the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// To be looked at.
    Warning,
    /// To be mended.
    Error,
}

impl Finding {
    fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), message: message.into() }
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, place: place.into(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{severity}: {}: {}", self.place, self.message)
    }
}

/// Applies every rule to the repository.
pub(crate) fn run() -> anyhow::Result<()> {
    check(&Repo::find()?)
}

/// Applies every rule and prints what they find.
///
/// # Errors
/// When a rule has found something that must be mended.
pub(crate) fn check(repo: &Repo) -> anyhow::Result<()> {
    let workspace = Workspace::load(repo)?;
    let mut findings = Vec::new();
    for member in &workspace.crates {
        findings.extend(arrows::check(member));
        findings.extend(imports::check(member));
        findings.extend(features::check(member));
        findings.extend(unsafe_code::check(member));
        findings.extend(sans_io::check(member));
        for source in &member.sources {
            findings.extend(file_size::check(source));
            findings.extend(lib_rs::check(source));
        }
    }
    let policy = dependencies::Policy::load(repo)?;
    for package in &workspace.packages {
        findings.extend(dependencies::check(&policy, package));
    }
    for file in &workspace.files {
        findings.extend(machines::check(file));
    }
    findings.extend(parity::check(&workspace.files));
    findings.extend(vulnerabilities::check(&workspace.files));
    findings.extend(cancellation::check(&workspace.files));
    findings.extend(panics::check(&workspace.files));
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    ensure!(errors == 0, "tidy has {errors} errors; the rules are in xtask/src/tidy/");
    println!("tidy: {} crates, {} files, no errors", workspace.crates.len(), workspace.files.len());
    Ok(())
}
