//! The targets that there are.

use std::fs;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use crate::repo::Repo;

#[derive(Deserialize)]
struct Manifest {
    bin: Vec<Binary>,
}

#[derive(Deserialize)]
struct Binary {
    name: String,
}

/// The target of this name, or all of them in the order of the manifest.
///
/// # Errors
/// When there is no target of this name.
pub(crate) fn select(repo: &Repo, name: Option<&str>) -> anyhow::Result<Vec<String>> {
    let manifest =
        fs::read_to_string(repo.root.join("fuzz/Cargo.toml")).context("cannot read fuzz/Cargo.toml")?;
    choose(&manifest, name)
}

fn choose(manifest: &str, name: Option<&str>) -> anyhow::Result<Vec<String>> {
    let manifest: Manifest = toml::from_str(manifest).context("fuzz/Cargo.toml lists no targets")?;
    let all: Vec<_> = manifest.bin.into_iter().map(|binary| binary.name).collect();
    match name {
        None => Ok(all),
        Some(name) if all.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("there is no fuzz target {name}: there are {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_target_or_all_are_chosen() {
        let manifest = "[[bin]]\nname = \"a\"\npath = \"a.rs\"\n[[bin]]\nname = \"b\"\n";
        assert_eq!(choose(manifest, None).unwrap(), ["a", "b"]);
        assert_eq!(choose(manifest, Some("b")).unwrap(), ["b"]);
        let error = choose(manifest, Some("c")).unwrap_err();
        assert_eq!(error.to_string(), "there is no fuzz target c: there are a, b");
    }
}
