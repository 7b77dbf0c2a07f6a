//! Numbers of cases, patterns of them, and what a run asks for.

use std::fmt;
use std::str::FromStr;

use anyhow::{bail, ensure};
use serde::Deserialize;
use serde_json::json;

/// The number of a case, such as 9.3.1. Orders as its parts do: 9.10.1 comes after 9.2.1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct CaseId(Vec<u32>);

impl CaseId {
    /// The chapter, the first part of the number.
    pub(crate) fn chapter(&self) -> u32 {
        self.0.first().copied().unwrap_or(0)
    }
}

impl FromStr for CaseId {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text.split('.').map(str::parse).collect() {
            Ok(parts) => Ok(Self(parts)),
            Err(_) => bail!("{text:?} is no case: cases look like 9.3.1"),
        }
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            write!(f, "{dot}{part}")?;
        }
        Ok(())
    }
}

/// A case, or several by a star at the end: `9.3.1`, `9.*`, `*`.
///
/// The suite itself takes a star anywhere and matches prefixes; with the star at the end alone, both agree on
/// what a pattern means.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Whether the case is one of those meant.
    pub(crate) fn matches(&self, case: &CaseId) -> bool {
        let number = case.to_string();
        self.0.strip_suffix('*').map_or_else(|| number == self.0, |prefix| number.starts_with(prefix))
    }
}

impl FromStr for Pattern {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let prefix = text.strip_suffix('*').unwrap_or(text);
        ensure!(
            prefix.is_empty() && text == "*"
                || prefix.parse::<CaseId>().is_ok()
                || prefix.strip_suffix('.').is_some_and(|parts| text.ends_with('*') && is_number(parts)),
            "{text:?} is no pattern of cases: patterns look like 9.3.1, 9.* or *"
        );
        Ok(Self(text.to_owned()))
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<CaseId>().is_ok()
}

impl TryFrom<String> for Pattern {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Self> {
        text.parse()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The cases that a run asks for, in the words of the suite's specification file.
#[derive(Debug)]
pub(crate) struct Selection {
    cases: Vec<Pattern>,
    excluded: Vec<Pattern>,
}

impl Selection {
    /// What was asked for by name is run; without a name, all but what is listed as not run.
    pub(crate) fn new<'a>(asked: &[Pattern], not_run: impl Iterator<Item = &'a Pattern>) -> Self {
        if asked.is_empty() {
            Self { cases: vec![Pattern("*".to_owned())], excluded: not_run.cloned().collect() }
        } else {
            Self { cases: asked.to_vec(), excluded: Vec::new() }
        }
    }

    /// Puts the selection into a specification file of the suite.
    pub(crate) fn write_into(&self, spec: &mut serde_json::Value) {
        let names = |patterns: &[Pattern]| patterns.iter().map(Pattern::to_string).collect::<Vec<_>>();
        spec["cases"] = json!(names(&self.cases));
        spec["exclude-cases"] = json!(names(&self.excluded));
        spec["exclude-agent-cases"] = json!({});
    }
}

/// Reads the list of cases that the suite prints when it starts: `Cases = ['1.1.1', '1.1.2']`.
pub(crate) fn parse_announced(line: &str) -> Option<anyhow::Result<Vec<CaseId>>> {
    let list = line.strip_prefix("Cases = [")?.trim_end().strip_suffix(']')?;
    let quoted = list.split(", ").filter(|item| !item.is_empty());
    Some(quoted.map(|item| item.trim_matches(['\'', '"', 'u']).parse()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(text: &str) -> CaseId {
        text.parse().unwrap()
    }

    #[test]
    fn cases_order_by_number_not_by_letter() {
        let mut cases = ["9.10.1", "10.1.1", "9.2.1", "2.1"].map(case);
        cases.sort();
        assert_eq!(cases.map(|case| case.to_string()), ["2.1", "9.2.1", "9.10.1", "10.1.1"]);
        assert_eq!(case("10.1.1").chapter(), 10);
    }

    #[test]
    fn patterns_match_whole_parts() {
        for (pattern, number, expected) in [
            ("1.*", "1.1.1", true),
            ("1.*", "10.1.1", false),
            ("*", "12.5.18", true),
            ("7.1.6", "7.1.6", true),
            ("7.1.6", "7.1.60", false),
            ("9.1.*", "9.1.4", true),
            ("9.1.*", "9.2.1", false),
        ] {
            let pattern: Pattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&case(number)), expected, "{pattern} {number}");
        }
    }

    #[test]
    fn other_patterns_are_refused() {
        for text in ["", "*.1", "a", "1.*.2", "1..*", ".*", "1.", "1.2.3 "] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_suite_announces_its_cases() {
        let cases = parse_announced("Cases = ['1.1.1', '10.1.1']\n").unwrap().unwrap();
        assert_eq!(cases, [case("1.1.1"), case("10.1.1")]);
        assert!(parse_announced("Cases = []").unwrap().unwrap().is_empty());
        assert!(parse_announced("Cases = ['x']").unwrap().is_err());
        assert!(parse_announced("Running test case ID 1.1.1").is_none());
    }

    #[test]
    fn what_is_asked_for_by_name_is_run_even_if_listed_as_not_run() {
        let not_run: [Pattern; 1] = ["12.*".parse().unwrap()];
        let mut spec = json!({});
        Selection::new(&[], not_run.iter()).write_into(&mut spec);
        assert_eq!((&spec["cases"], &spec["exclude-cases"]), (&json!(["*"]), &json!(["12.*"])));
        Selection::new(&not_run, not_run.iter()).write_into(&mut spec);
        assert_eq!((&spec["cases"], &spec["exclude-cases"]), (&json!(["12.*"]), &json!([])));
    }
}
