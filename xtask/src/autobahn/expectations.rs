//! What each case should say: OK, unless `docs/conformance/expectations.toml` gives another outcome its reason.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use serde::Deserialize;

use super::cases::{CaseId, Pattern};
use super::role::Role;

/// The checked-in expectations.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Expectations {
    /// Cases whose outcome is not OK.
    #[serde(default)]
    expect: Vec<Expectation>,
    /// Cases that are not run unless they are asked for by name.
    #[serde(default)]
    not_run: Vec<NotRun>,
}

/// What the suite says of a case: of what it received, and of how the connection ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    pub(crate) behavior: String,
    pub(crate) behavior_close: String,
}

impl Outcome {
    /// What is expected of every case that the file does not name.
    pub(crate) fn ok() -> Self {
        Self { behavior: "OK".to_owned(), behavior_close: "OK".to_owned() }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Expectation {
    cases: Pattern,
    #[serde(default = "both_roles")]
    roles: Vec<Role>,
    behavior: String,
    behavior_close: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NotRun {
    cases: Pattern,
    reason: String,
}

fn both_roles() -> Vec<Role> {
    Role::ALL.to_vec()
}

impl Expectations {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, does not parse, or an entry lacks its reason.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let this: Self = toml::from_str(text)?;
        let reasons = this.expect.iter().map(|entry| (&entry.cases, &entry.reason));
        for (cases, reason) in reasons.chain(this.not_run.iter().map(|entry| (&entry.cases, &entry.reason))) {
            ensure!(reason.trim().len() >= 10, "the entry for {cases} needs a reason that explains it");
        }
        for entry in &this.expect {
            let outcome = (entry.behavior.as_str(), entry.behavior_close.as_str());
            ensure!(outcome != ("OK", "OK"), "the entry for {} says what is expected anyway", entry.cases);
        }
        Ok(this)
    }

    /// The patterns of what is left out when nothing is asked for by name.
    pub(crate) fn not_run(&self) -> impl Iterator<Item = &Pattern> {
        self.not_run.iter().map(|entry| &entry.cases)
    }

    /// The outcome that is expected of a case, and the reason where it is not OK.
    ///
    /// # Errors
    /// When two entries speak of the same case in the same role: neither could be trusted.
    pub(crate) fn of(&self, role: Role, case: &CaseId) -> anyhow::Result<(Outcome, Option<&str>)> {
        let mut entries =
            self.expect.iter().filter(|entry| entry.roles.contains(&role) && entry.cases.matches(case));
        let Some(entry) = entries.next() else { return Ok((Outcome::ok(), None)) };
        ensure!(entries.next().is_none(), "two entries expect something of case {case} as {role}");
        let outcome =
            Outcome { behavior: entry.behavior.clone(), behavior_close: entry.behavior_close.clone() };
        Ok((outcome, Some(&entry.reason)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"
        [[expect]]
        cases = "7.1.6"
        behavior = "INFORMATIONAL"
        behavior-close = "INFORMATIONAL"
        reason = "the suite has no other verdict"
    "#;

    fn case(text: &str) -> CaseId {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_named_is_expected_to_be_ok() {
        let expectations = Expectations::parse(ENTRY).unwrap();
        assert_eq!(expectations.of(Role::Server, &case("1.1.1")).unwrap(), (Outcome::ok(), None));
        let (outcome, reason) = expectations.of(Role::Client, &case("7.1.6")).unwrap();
        assert_eq!(outcome.behavior, "INFORMATIONAL");
        assert_eq!(reason, Some("the suite has no other verdict"));
    }

    #[test]
    fn an_entry_may_be_for_one_role() {
        let text = ENTRY.replace("cases", "roles = [\"client\"]\ncases");
        let expectations = Expectations::parse(&text).unwrap();
        assert_eq!(expectations.of(Role::Server, &case("7.1.6")).unwrap().0, Outcome::ok());
        assert_ne!(expectations.of(Role::Client, &case("7.1.6")).unwrap().0, Outcome::ok());
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let text = ENTRY.replace("the suite has no other verdict", " ");
        assert!(Expectations::parse(&text).is_err());
    }

    #[test]
    fn an_entry_that_expects_ok_is_refused() {
        assert!(Expectations::parse(&ENTRY.replace("INFORMATIONAL", "OK")).is_err());
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(Expectations::parse(&ENTRY.replace("behavior-close", "close")).is_err());
    }

    #[test]
    fn two_entries_for_one_case_are_refused() {
        let expectations = Expectations::parse(&format!("{ENTRY}{}", ENTRY.replace("7.1.6", "7.*"))).unwrap();
        assert!(expectations.of(Role::Server, &case("7.1.6")).is_err());
        assert!(expectations.of(Role::Server, &case("7.1.5")).is_ok());
    }

    #[test]
    fn the_checked_in_file_is_valid() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance/expectations.toml");
        let expectations = Expectations::load(&path).unwrap();
        for number in ["7.1.6", "7.13.1", "7.13.2"] {
            let (outcome, reason) = expectations.of(Role::Server, &case(number)).unwrap();
            assert_eq!((outcome.behavior.as_str(), reason.is_some()), ("INFORMATIONAL", true), "{number}");
        }
    }
}
