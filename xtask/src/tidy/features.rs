//! Rule: every cargo feature is documented twice: by a `##` comment above it in `Cargo.toml`, which tools show, and
//! by its name in the crate's documentation.

use super::Finding;
use super::workspace::Crate;

pub(crate) fn check(member: &Crate) -> Vec<Finding> {
    let mut findings = Vec::new();
    let docs = crate_docs(member);
    for feature in member.features.iter().filter(|feature| *feature != "default") {
        if !has_comment(&member.manifest, feature) {
            let message = format!("feature `{feature}` has no `##` comment above it in Cargo.toml");
            findings.push(Finding::error(&member.name, message));
        }
        if !docs.contains(&format!("`{feature}`")) {
            let message = format!("feature `{feature}` is not named in the documentation of the crate");
            findings.push(Finding::error(&member.name, message));
        }
    }
    findings
}

/// Whether the line above the feature's own, in its table, is a `##` comment. An optional dependency without
/// `dep:` makes a feature that has no line at all.
fn has_comment(manifest: &str, feature: &str) -> bool {
    let lines = manifest.lines().skip_while(|line| line.trim() != "[features]").skip(1);
    let mut above = "";
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let name = line.split_once('=').map(|(name, _)| name.trim().trim_matches('"'));
        if name == Some(feature) {
            return above.starts_with("## ");
        }
        above = line;
    }
    false
}

/// The `//!` lines of the crate's roots.
fn crate_docs(member: &Crate) -> String {
    let roots = member.sources.iter().filter(|source| member.roots.contains(&source.path));
    let lines =
        roots.flat_map(|source| source.text.lines().filter_map(|line| line.trim_start().strip_prefix("//!")));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    fn member(manifest: &str, docs: &str) -> Crate {
        Crate {
            name: "ws-a".to_owned(),
            manifest: manifest.to_owned(),
            features: vec!["default".to_owned(), "simd".to_owned()],
            sources: vec![Source::new("crates/ws-a/src/lib.rs", docs)],
            roots: vec!["crates/ws-a/src/lib.rs".to_owned()],
            ..Crate::default()
        }
    }

    const MANIFEST: &str = "[features]\ndefault = [\"simd\"]\n## Faster.\nsimd = []\n\n[dependencies]\n";
    const DOCS: &str = "//! A crate.\n//!\n//! - `simd`: faster\nmod a;\n";

    #[test]
    fn what_is_documented_twice_passes() {
        assert_eq!(check(&member(MANIFEST, DOCS)), []);
    }

    #[test]
    fn each_of_the_two_is_needed() {
        for (manifest, docs) in [
            (MANIFEST.replace("## Faster.\n", ""), DOCS.to_owned()),
            (MANIFEST.replace("## Faster.", "# Faster."), DOCS.to_owned()),
            (MANIFEST.replace("simd = []", ""), DOCS.to_owned()),
            (MANIFEST.to_owned(), DOCS.replace("//! -", "// -")),
            (MANIFEST.to_owned(), DOCS.replace("`simd`", "simd")),
        ] {
            assert_eq!(check(&member(&manifest, &docs)).len(), 1, "{manifest}{docs}");
        }
    }
}
