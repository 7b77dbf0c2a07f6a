//! Writing down what is to be checked in: the page, the pictures, the measurements.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::gallery::pictures;
use crate::page::page;
use crate::report::Report;

/// Where the results of the repository are.
pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/benchmarks")
}

/// Writes the page, its pictures and `figures.json`.
pub(crate) fn publish(report: &Report<'_>, directory: &Path) -> Result<()> {
    let pictures = pictures(report.figures());
    write(&directory.join("README.md"), &page(report, &pictures))?;
    write_json(&directory.join("figures.json"), report)?;
    write_pictures(directory, report)
}

/// Writes the pictures alone.
pub(crate) fn write_pictures(directory: &Path, report: &Report<'_>) -> Result<()> {
    for picture in pictures(report.figures()) {
        write(&directory.join(picture.file), &picture.svg)?;
    }
    Ok(())
}

/// Writes every measurement.
pub(crate) fn write_json(path: &Path, report: &Report<'_>) -> Result<()> {
    write(path, &(serde_json::to_string_pretty(&report.json())? + "\n"))
}

/// Writes a file, and the directory it is in.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, text));
    written.with_context(|| format!("cannot write {}", path.display()))
}
