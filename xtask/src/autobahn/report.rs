//! The report: one page that needs nothing else, and the suite's `index.json` of each role beside it.

mod chapter;
mod html;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::judge::Judgement;

/// Writes the report into `dir`. Gives the path of the page.
pub(crate) fn write(dir: &Path, judgements: &[Judgement]) -> anyhow::Result<PathBuf> {
    for judgement in judgements {
        let kept = dir.join(judgement.role.name());
        fs::create_dir_all(&kept).with_context(|| format!("cannot create {}", kept.display()))?;
        fs::write(kept.join("index.json"), &judgement.index)?;
    }
    let path = dir.join("index.html");
    fs::write(&path, page::render(judgements)).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
