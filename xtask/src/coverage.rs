//! `cargo xtask coverage`: which lines of the published crates the tests run through, as a page.
//!
//! A file below the mark is named there with its reason from `docs/reliability/coverage.toml`; without one the
//! command fails, and so it does for a reason that is needed no more.

mod file;
mod page;
mod tool;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, ensure};

use self::file::File;
use crate::repo::Repo;

/// The share of its lines that a file is to have covered, in hundredths.
const MARK: f64 = 90.0;

const REASONS: &str = "docs/reliability/coverage.toml";
const PAGE: &str = "docs/reliability/coverage.md";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Judge the last run again, without running the tests
    #[arg(long)]
    no_run: bool,
}

/// # Errors
/// When no tool is there, when a test fails, and when a file below the mark has no reason.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let repo = Repo::find()?;
    let (tool, files) = tool::measure(&repo, !args.no_run)?;
    ensure!(!files.is_empty(), "no file of the published crates was measured");
    let text =
        fs::read_to_string(repo.root.join(REASONS)).with_context(|| format!("{REASONS} is not there"))?;
    let reasons: BTreeMap<String, String> =
        toml::from_str(&text).with_context(|| format!("{REASONS} is not understood"))?;
    fs::write(repo.root.join(PAGE), page::page(tool, &files, &reasons))?;
    println!("{}", page::summary(&files));
    println!("written: {PAGE}");
    let complaints = complaints(&files, &reasons);
    ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
    Ok(())
}

fn complaints(files: &[File], reasons: &BTreeMap<String, String>) -> Vec<String> {
    let below: Vec<_> = files.iter().filter(|file| file.is_below(MARK)).collect();
    let unexplained = below.iter().filter(|file| !reasons.contains_key(&file.path)).map(|file| {
        format!("{}: {:.1} % of its lines; test it, or say why in {REASONS}", file.path, file.share())
    });
    let needless = reasons
        .keys()
        .filter(|path| !below.iter().any(|file| file.path == **path))
        .map(|path| format!("{path}: not below the mark; take its reason out of {REASONS}"));
    unexplained.chain(needless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, covered: usize, all: usize) -> File {
        File { path: path.to_owned(), covered, all }
    }

    #[test]
    fn a_file_below_the_mark_needs_a_reason_and_no_other_may_have_one() {
        let files = [file("a.rs", 89, 100), file("b.rs", 90, 100), file("c.rs", 0, 0)];
        let reasons = |paths: &[&str]| {
            paths.iter().map(|path| ((*path).to_owned(), "why".to_owned())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(complaints(&files, &reasons(&["a.rs"])), [""; 0]);
        assert_eq!(complaints(&files, &reasons(&[])).len(), 1);
        assert_eq!(complaints(&files, &reasons(&["a.rs", "b.rs", "gone.rs"])).len(), 2);
    }
}
