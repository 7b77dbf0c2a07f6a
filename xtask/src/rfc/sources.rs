//! The sources of all crates, searched for items and tests by name. A search of the text is enough: what it finds in a
//! comment would have to look like a definition at the start of a line.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;

/// The text of each file, by its path below `crates/`.
#[derive(Debug)]
pub(crate) struct Sources(HashMap<String, String>);

/// What stands before a name where it is defined.
const KEYWORDS: [&str; 9] =
    ["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "macro_rules!"];

impl Sources {
    /// Reads every Rust file below `dir`.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Self> {
        let mut sources = Self(HashMap::new());
        sources.read(dir, dir)?;
        Ok(sources)
    }

    #[cfg(test)]
    pub(crate) fn of<const N: usize>(files: [(&str, &str); N]) -> Self {
        Self(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
    }

    fn read(&mut self, root: &Path, dir: &Path) -> anyhow::Result<()> {
        for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                self.read(root, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                self.0.insert(name, fs::read_to_string(&path)?);
            }
        }
        Ok(())
    }

    /// Whether `crates/<file>::<item>` is there: a definition, a variant or a field.
    pub(crate) fn has_item(&self, place: &str) -> bool {
        let Some((file, item)) = place.strip_prefix("crates/").and_then(|place| place.rsplit_once("::"))
        else {
            return false;
        };
        self.0.get(file).is_some_and(|text| text.lines().any(|line| defines(line, item)))
    }

    /// Whether `<crate>::<file>::<test>` is there, with the attribute that makes it a test. The file is one in `tests/` or
    /// in `src/`, or the `main.rs` or `mod.rs` of a directory.
    pub(crate) fn has_test(&self, name: &str) -> bool {
        let Some((module, test)) = name.rsplit_once("::") else { return false };
        let Some((member, path)) = module.split_once("::") else { return false };
        let path = path.replace("::", "/");
        ["tests", "src"].into_iter().any(|dir| {
            ["", "/main", "/mod"].into_iter().any(|end| {
                let text = self.0.get(&format!("{member}/{dir}/{path}{end}.rs"));
                text.is_some_and(|text| is_test(text, test))
            })
        })
    }
}

fn defines(line: &str, item: &str) -> bool {
    let mut words = line.split_whitespace().peekable();
    while let Some(word) = words.next() {
        if word == "const" && words.peek() == Some(&"fn") {
            continue;
        }
        if KEYWORDS.contains(&word) {
            return words.next().is_some_and(|name| name_of(name) == item);
        }
        // A variant or a field: the name is the first word, or stands behind `pub`.
        let is_modifier = word.starts_with("pub") || ["async", "unsafe"].contains(&word);
        if !is_modifier {
            let rest = line.trim_start().trim_start_matches("pub ");
            let name = name_of(rest);
            let behind = &rest[name.len()..];
            let is_defined =
                behind.is_empty() || behind.starts_with([',', '(', ':']) || behind.starts_with(" {");
            return name == item && is_defined;
        }
    }
    false
}

/// The identifier that the text begins with.
fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// Whether `text` has a function of this name below an attribute that makes it a test.
fn is_test(text: &str, name: &str) -> bool {
    let mut has_attribute = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            has_attribute = true;
        } else if line.starts_with("fn ") || line.starts_with("async fn ") {
            let found = name_of(line.trim_start_matches("async ").trim_start_matches("fn "));
            if has_attribute && found == name {
                return true;
            }
            has_attribute = false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
pub(crate) fn parse(text: &str) {}
    pub const fn bits(self) -> u8 {
pub enum Error {
    /// Bad.
    BadAccept,
    TooLong(usize),
    Other { limit: usize },
}
const LIMIT: usize = 1;
pub struct Options {
    pub threshold: usize,
}
let value = compute();
";

    #[test]
    fn definitions_variants_and_fields_are_found() {
        let sources = Sources::of([("ws-a/src/b.rs", TEXT)]);
        for item in
            ["parse", "bits", "Error", "BadAccept", "TooLong", "Other", "LIMIT", "Options", "threshold"]
        {
            assert!(sources.has_item(&format!("crates/ws-a/src/b.rs::{item}")), "{item}");
        }
        for place in
            ["crates/ws-a/src/b.rs::value", "crates/ws-a/src/b.rs::Bad", "crates/ws-a/src/c.rs::parse", "x"]
        {
            assert!(!sources.has_item(place), "{place}");
        }
    }

    #[test]
    fn a_test_has_its_attribute() {
        let text = "#[test]\nfn one() {}\nfn helper() {}\n    #[tokio::test(start_paused = true)]\n    async fn two() {}\n";
        let sources = Sources::of([
            ("ws-a/tests/b.rs", text),
            ("ws-a/tests/c/main.rs", text),
            ("ws-a/src/d/e.rs", text),
        ]);
        for module in ["ws-a::b", "ws-a::c", "ws-a::d::e"] {
            for (test, is_there) in [("one", true), ("two", true), ("helper", false), ("three", false)] {
                assert_eq!(sources.has_test(&format!("{module}::{test}")), is_there, "{module}::{test}");
            }
        }
        assert!(!sources.has_test("ws-x::b::one") && !sources.has_test("one"));
    }
}
