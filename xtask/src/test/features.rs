//! ws-stack with each of its features alone, and what each promises: the package `features`.

use anyhow::{Context as _, ensure};
use cargo_metadata::MetadataCommand;

use super::step::Outcome;
use crate::repo::Repo;

/// The package that uses what each feature promises, and has the same features.
const PACKAGE: &str = "features";

/// Checks that it compiles with none, with those that are there by default, with each alone, and with all of them.
///
/// # Errors
/// When it does not, or when a feature of ws-stack is missing there.
pub(super) fn check(repo: &Repo) -> anyhow::Result<Outcome> {
    let features = features_of(repo, "ws-stack")?;
    ensure!(
        features_of(repo, PACKAGE)? == features,
        "the features of xtask/features/Cargo.toml are not those of ws-stack"
    );
    let alone = features.iter().filter(|feature| *feature != "default");
    let alone = alone.map(|feature| vec!["--no-default-features", "--features", feature]);
    let sets = [vec!["--no-default-features"], vec![], vec!["--all-features"]];
    for set in sets.into_iter().chain(alone) {
        let mut command = repo.cargo(["clippy", "--quiet", "--package", PACKAGE]);
        let status = command.args(&set).args(["--", "-D", "warnings"]).status()?;
        ensure!(status.success(), "ws-stack lacks something with `{}`", set.join(" "));
    }
    Ok(Outcome::Passed)
}

/// The names of a package's features, in order.
fn features_of(repo: &Repo, package: &str) -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new().current_dir(&repo.root).no_deps().exec()?;
    let found = metadata.packages.into_iter().find(|found| found.name.as_str() == package);
    Ok(found.with_context(|| format!("there is no package {package}"))?.features.into_keys().collect())
}
