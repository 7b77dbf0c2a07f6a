//! `cargo xtask rfc`: what the RFCs require, where it is enforced, and which test shows it.
//!
//! The requirements stand in `docs/conformance/rfc*.toml` ([`requirement`]). Each names code and tests that must be there
//! ([`sources`]), or the reason why there are none. A page is made of them ([`report`]).

mod report;
mod requirement;
mod sources;

use std::fs;

use anyhow::{Context as _, ensure};

use self::requirement::Document;
use self::sources::Sources;
use crate::repo::Repo;

/// The page that is made of the requirements.
const PAGE: &str = "docs/conformance/rfc.md";

/// Checks the requirements and writes the page.
///
/// # Errors
/// When a requirement has a gap; all gaps are printed.
pub(crate) fn run() -> anyhow::Result<()> {
    let repo = Repo::find()?;
    let documents = checked(&repo)?;
    let page = repo.root.join(PAGE);
    fs::write(&page, report::page(&documents)).with_context(|| format!("cannot write {}", page.display()))?;
    print!("{}", report::summary(&documents));
    Ok(())
}

/// Checks the requirements, and that the page is theirs.
///
/// # Errors
/// When a requirement has a gap, or the page is out of date.
pub(crate) fn check(repo: &Repo) -> anyhow::Result<()> {
    let documents = checked(repo)?;
    let page = fs::read_to_string(repo.root.join(PAGE)).unwrap_or_default();
    ensure!(page == report::page(&documents), "{PAGE} is out of date: run `cargo xtask rfc` and commit it");
    print!("{}", report::summary(&documents));
    Ok(())
}

fn checked(repo: &Repo) -> anyhow::Result<Vec<Document>> {
    let documents = Document::load_all(&repo.root.join("docs/conformance"))?;
    let sources = Sources::load(&repo.root.join("crates"))?;
    let gaps: Vec<_> = documents.iter().flat_map(|document| document.gaps(&sources)).collect();
    for gap in &gaps {
        println!("gap: {gap}");
    }
    ensure!(gaps.is_empty(), "{} gaps in docs/conformance/rfc*.toml", gaps.len());
    Ok(documents)
}
