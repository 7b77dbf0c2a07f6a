//! Requirements as they are written down.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

use super::sources::Sources;

/// The RFCs, in the order of the page.
const RFCS: [(&str, &str); 3] = [
    ("6455", "The WebSocket Protocol"),
    ("7692", "Compression Extensions for WebSocket"),
    ("8441", "Bootstrapping WebSockets with HTTP/2"),
];

/// What one RFC requires.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) number: &'static str,
    pub(crate) title: &'static str,
    pub(crate) requirements: Vec<Requirement>,
}

/// One sentence of an RFC that binds an endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    /// RFC, section and a number of its own, for good: `6455-5.1-3`.
    pub(crate) id: String,
    pub(crate) section: String,
    pub(crate) level: Level,
    pub(crate) whose: Whose,
    /// What it says, in our words.
    pub(crate) rule: String,
    /// `crates/<crate>/src/<file>.rs::<item>`.
    pub(crate) enforced: Option<String>,
    /// `<crate>::<file>::<test>`.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
    /// Why there is no test, or what is different here.
    pub(crate) reason: Option<String>,
}

/// How much it binds (RFC 2119).
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum Level {
    #[serde(rename = "MUST")]
    Must,
    #[serde(rename = "MUST NOT")]
    MustNot,
    #[serde(rename = "SHOULD")]
    Should,
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
}

impl Level {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
        }
    }

    pub(crate) fn is_must(self) -> bool {
        matches!(self, Self::Must | Self::MustNot)
    }
}

/// Whom it binds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Whose {
    Client,
    Server,
    Both,
    Intermediary,
}

impl Whose {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Both => "both",
            Self::Intermediary => "intermediary",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    requirement: Vec<Requirement>,
}

impl Document {
    /// Reads the requirements of every RFC from `dir`.
    pub(crate) fn load_all(dir: &Path) -> anyhow::Result<Vec<Self>> {
        RFCS.iter()
            .map(|&(number, title)| {
                let path = dir.join(format!("rfc{number}.toml"));
                let text =
                    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                Self::parse(number, title, &text).with_context(|| format!("{} is malformed", path.display()))
            })
            .collect()
    }

    fn parse(number: &'static str, title: &'static str, text: &str) -> anyhow::Result<Self> {
        let file: File = toml::from_str(text)?;
        Ok(Self { number, title, requirements: file.requirement })
    }

    /// What is missing, a line for each.
    pub(crate) fn gaps(&self, sources: &Sources) -> Vec<String> {
        let mut gaps = Vec::new();
        let mut ids = HashSet::new();
        for requirement in &self.requirements {
            let id = &requirement.id;
            if !id.starts_with(&format!("{}-{}-", self.number, requirement.section)) {
                gaps.push(format!("{id}: does not begin with the RFC and section {}", requirement.section));
            }
            if !ids.insert(id) {
                gaps.push(format!("{id}: stands here twice"));
            }
            gaps.extend(requirement.gaps(sources).into_iter().map(|gap| format!("{id}: {gap}")));
        }
        gaps
    }
}

impl Requirement {
    /// Whether a test shows it.
    pub(crate) fn is_shown(&self) -> bool {
        !self.tests.is_empty()
    }

    fn gaps(&self, sources: &Sources) -> Vec<String> {
        let mut gaps = Vec::new();
        match &self.enforced {
            Some(place) if !sources.has_item(place) => gaps.push(format!("{place} is not there")),
            None if self.is_shown() => gaps.push("has tests, but no code that enforces it".to_owned()),
            Some(_) | None => {}
        }
        for test in self.tests.iter().filter(|test| !sources.has_test(test)) {
            gaps.push(format!("there is no test {test}"));
        }
        if !self.is_shown() && self.reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
            gaps.push("has neither a test nor a reason".to_owned());
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(fields: &str) -> Vec<String> {
        let text = format!("[[requirement]]\nlevel = \"MUST\"\nwhose = \"both\"\nrule = \"r\"\n{fields}");
        let sources =
            Sources::of([("ws-a/tests/b.rs", "#[test]\nfn c() {}\n"), ("ws-a/src/d.rs", "fn e() {}\n")]);
        Document::parse("1", "t", &text).unwrap().gaps(&sources)
    }

    #[test]
    fn a_requirement_needs_a_test_and_its_code_or_a_reason() {
        let id = "id = \"1-2.3-1\"\nsection = \"2.3\"\n";
        let rows = [
            ("enforced = \"crates/ws-a/src/d.rs::e\"\ntests = [\"ws-a::b::c\"]", None),
            ("reason = \"not for us\"", None),
            ("", Some("has neither a test nor a reason")),
            ("reason = \" \"", Some("has neither a test nor a reason")),
            ("tests = [\"ws-a::b::c\"]", Some("has tests, but no code that enforces it")),
            (
                "enforced = \"crates/ws-a/src/d.rs::x\"\nreason = \"r\"",
                Some("crates/ws-a/src/d.rs::x is not there"),
            ),
            (
                "enforced = \"crates/ws-a/src/d.rs::e\"\ntests = [\"ws-a::b::x\"]",
                Some("there is no test ws-a::b::x"),
            ),
        ];
        for (fields, gap) in rows {
            let expected: Vec<_> = gap.map(|gap| format!("1-2.3-1: {gap}")).into_iter().collect();
            assert_eq!(gaps(&format!("{id}{fields}")), expected, "{fields}");
        }
    }

    #[test]
    fn an_id_names_its_section_and_stands_once() {
        let found = gaps("id = \"1-2-1\"\nsection = \"2.3\"\nreason = \"r\"");
        assert_eq!(found, ["1-2-1: does not begin with the RFC and section 2.3"]);
        let once = "id = \"1-2-1\"\nsection = \"2\"\nreason = \"r\"\n";
        let twice =
            format!("{once}[[requirement]]\nlevel = \"SHOULD\"\nwhose = \"client\"\nrule = \"r\"\n{once}");
        assert_eq!(gaps(&twice), ["1-2-1: stands here twice"]);
    }

    #[test]
    fn an_unknown_field_or_level_is_refused() {
        for text in ["[[requirement]]\nid = \"1\"", "[[requirement]]\nlevel = \"MAY\"", "[[other]]"] {
            assert!(Document::parse("1", "t", text).is_err(), "{text}");
        }
    }
}
