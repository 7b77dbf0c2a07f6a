//! What may enter the dependency graph: crates, licences and sources as `deny.toml` has them.
//!
//! `cargo deny check bans licenses sources` reads the same file and knows more; this takes no installing.

mod licence;

use std::fs;

use anyhow::Context as _;
use cargo_metadata::Package;
use serde::Deserialize;

use self::licence::Licence;
use super::Finding;
use crate::repo::Repo;

/// The parts of `deny.toml` that are looked at.
#[derive(Debug, Deserialize)]
pub(crate) struct Policy {
    bans: Bans,
    licenses: Licenses,
    sources: Sources,
}

#[derive(Debug, Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Debug, Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

impl Policy {
    /// Reads `deny.toml`.
    pub(crate) fn load(repo: &Repo) -> anyhow::Result<Self> {
        let text = fs::read_to_string(repo.root.join("deny.toml")).context("cannot read deny.toml")?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        toml::from_str(text).context("deny.toml is malformed")
    }
}

/// Whether a package from elsewhere may be used.
pub(crate) fn check(policy: &Policy, package: &Package) -> Vec<Finding> {
    let source = package.source.as_ref().map(|source| source.repr.as_str());
    judge(policy, &package.name, package.license.as_deref(), source)
        .into_iter()
        .map(|message| Finding::error(format!("{} {}", package.name, package.version), message))
        .collect()
}

fn judge(policy: &Policy, name: &str, licence: Option<&str>, source: Option<&str>) -> Vec<String> {
    // Without a source it is a crate of this workspace.
    let Some(source) = source else { return Vec::new() };
    let mut messages = Vec::new();
    if let Some(banned) = policy.bans.deny.iter().find(|banned| banned.name == name) {
        messages.push(format!("is banned: {}", banned.reason));
    }
    if !policy.sources.allow_registry.iter().any(|registry| is_from(source, registry)) {
        messages.push(format!("comes from {source}, which is not allowed"));
    }
    match licence.map(Licence::parse) {
        None => messages.push("has no licence that is named".to_owned()),
        Some(None) => {
            messages.push(format!("has a licence that cannot be read: {}", licence.unwrap_or_default()));
        }
        Some(Some(parsed)) if !parsed.is_allowed(&policy.licenses.allow) => {
            messages.push(format!("is under {}, which is not allowed", licence.unwrap_or_default()));
        }
        Some(Some(_)) => {}
    }
    messages
}

/// Cargo writes the protocol in front of the address.
fn is_from(source: &str, registry: &str) -> bool {
    source.strip_prefix("registry+").is_some_and(|address| address == registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "\
        [bans]\ndeny = [{ crate = \"bad\", reason = \"worse\" }]\n\
        [licenses]\nallow = [\"MIT\"]\n\
        [sources]\nallow-registry = [\"https://index\"]\n";

    #[test]
    fn each_rule_is_applied_to_what_comes_from_elsewhere() {
        let policy = Policy::parse(POLICY).unwrap();
        let good = Some("registry+https://index");
        let rows = [
            ("a", Some("MIT OR GPL-3.0"), good, None),
            ("bad", Some("MIT"), None, None),
            ("bad", Some("MIT"), good, Some("is banned: worse")),
            ("a", Some("GPL-3.0"), good, Some("is under GPL-3.0, which is not allowed")),
            ("a", None, good, Some("has no licence that is named")),
            ("a", Some("MIT OR"), good, Some("has a licence that cannot be read: MIT OR")),
            (
                "a",
                Some("MIT"),
                Some("git+https://index"),
                Some("comes from git+https://index, which is not allowed"),
            ),
            (
                "a",
                Some("MIT"),
                Some("registry+https://x"),
                Some("comes from registry+https://x, which is not allowed"),
            ),
        ];
        for (name, licence, source, message) in rows {
            let found = judge(&policy, name, licence, source);
            assert_eq!(found, message.into_iter().collect::<Vec<_>>(), "{name} {licence:?} {source:?}");
        }
    }
}
