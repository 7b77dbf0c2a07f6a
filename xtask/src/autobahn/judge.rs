//! Every case that was asked for against what is expected of it.

use std::collections::BTreeMap;

use super::cases::CaseId;
use super::expectations::{Expectations, Outcome};
use super::index::{self, Detail, Entry};
use super::role::Role;
use super::work::Work;

/// What a role's run was asked for, and what went wrong beside the suite's own verdicts.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) asked: Vec<CaseId>,
    pub(crate) faults: Vec<String>,
}

/// The judgement of one role's run.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) role: Role,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) faults: Vec<String>,
    /// The suite's `index.json`, as it is kept beside the report.
    pub(crate) index: Vec<u8>,
}

/// The judgement of one case.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) case: CaseId,
    /// What the suite says; nothing when it has not run the case.
    pub(crate) entry: Option<Entry>,
    pub(crate) expected: Outcome,
    /// Why something other than OK is expected.
    pub(crate) reason: Option<String>,
    /// Read for deviations only.
    pub(crate) detail: Option<Detail>,
}

impl Judgement {
    /// Reads the suite's results and judges them.
    ///
    /// # Errors
    /// When the results are not there or cannot be read, or the expectations contradict each other.
    pub(crate) fn reach(
        role: Role,
        run: &Run,
        work: &Work,
        expectations: &Expectations,
    ) -> anyhow::Result<Self> {
        let results = work.results();
        let mut entries = index::read(&results)?;
        let mut verdicts = Vec::with_capacity(run.asked.len());
        for case in &run.asked {
            let (expected, reason) = expectations.of(role, case)?;
            let entry = entries.remove(&case.to_string());
            let mut verdict = Verdict {
                case: case.clone(),
                entry,
                expected,
                reason: reason.map(str::to_owned),
                detail: None,
            };
            if let (Some(_), Some(entry)) = (verdict.deviation(), &verdict.entry) {
                verdict.detail = Some(index::read_detail(&results, entry)?);
            }
            verdicts.push(verdict);
        }
        let index = std::fs::read(results.join("index.json"))?;
        Ok(Self { role, verdicts, faults: run.faults.clone(), index })
    }

    /// One line for each case that deviates, and for each fault beside the cases.
    pub(crate) fn deviations(&self) -> impl Iterator<Item = String> {
        let cases = self.verdicts.iter().filter_map(|verdict| {
            verdict.deviation().map(|deviation| format!("{} {}: {deviation}", self.role, verdict.case))
        });
        cases.chain(self.faults.iter().map(|fault| format!("{}: {fault}", self.role)))
    }

    /// The counts in one line, by what the suite says of the cases' behaviour.
    pub(crate) fn summary(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for verdict in &self.verdicts {
            *counts.entry(verdict.behavior()).or_default() += 1;
        }
        let mut line = format!("autobahn {}: {} cases", self.role, self.verdicts.len());
        for (behavior, count) in counts {
            line.push_str(&format!(", {count} {behavior}"));
        }
        let deviations = self.deviations().count();
        line.push_str(&format!("; {deviations} deviations"));
        line
    }
}

impl Verdict {
    /// What the suite says of the case's behaviour, for counting.
    pub(crate) fn behavior(&self) -> &str {
        self.entry.as_ref().map_or("MISSING", |entry| &entry.behavior)
    }

    /// How the case differs from what is expected, if it does. Better than expected is a deviation too: the
    /// entry that expects worse is then out of date.
    pub(crate) fn deviation(&self) -> Option<String> {
        let Some(entry) = &self.entry else { return Some("was not run".to_owned()) };
        let Outcome { behavior, behavior_close } = &self.expected;
        let mut differences = Vec::new();
        if entry.behavior != *behavior {
            differences.push(format!("behavior {}, expected {behavior}", entry.behavior));
        }
        if entry.behavior_close != *behavior_close {
            differences.push(format!("behaviorClose {}, expected {behavior_close}", entry.behavior_close));
        }
        (!differences.is_empty()).then(|| differences.join("; "))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn verdict(case: &str, outcome: Option<(&str, &str)>) -> Verdict {
        let entry = outcome.map(|(behavior, behavior_close)| Entry {
            behavior: behavior.to_owned(),
            behavior_close: behavior_close.to_owned(),
            remote_close_code: Some(1000),
            duration: 3,
            report_file: String::new(),
        });
        Verdict { case: case.parse().unwrap(), entry, expected: Outcome::ok(), reason: None, detail: None }
    }

    pub(crate) fn judgement(verdicts: Vec<Verdict>) -> Judgement {
        Judgement { role: Role::Server, verdicts, faults: Vec::new(), index: Vec::new() }
    }

    #[test]
    fn only_what_is_expected_passes() {
        assert_eq!(verdict("1.1.1", Some(("OK", "OK"))).deviation(), None);
        for outcome in [
            Some(("FAILED", "OK")),
            Some(("NON-STRICT", "OK")),
            Some(("INFORMATIONAL", "OK")),
            Some(("UNIMPLEMENTED", "OK")),
            Some(("OK", "UNCLEAN")),
            Some(("OK", "WRONG CODE")),
            None,
        ] {
            assert!(verdict("1.1.1", outcome).deviation().is_some(), "{outcome:?}");
        }
    }

    #[test]
    fn better_than_expected_is_a_deviation() {
        let mut verdict = verdict("7.1.6", Some(("OK", "OK")));
        verdict.expected.behavior = "INFORMATIONAL".to_owned();
        assert_eq!(verdict.deviation().unwrap(), "behavior OK, expected INFORMATIONAL");
    }

    #[test]
    fn missing_cases_and_faults_are_counted() {
        let mut judgement = judgement(vec![verdict("1.1.1", Some(("OK", "OK"))), verdict("1.1.2", None)]);
        judgement.faults.push("ws serve ended".to_owned());
        assert_eq!(judgement.summary(), "autobahn server: 2 cases, 1 MISSING, 1 OK; 2 deviations");
        let deviations: Vec<_> = judgement.deviations().collect();
        assert_eq!(deviations, ["server 1.1.2: was not run", "server: ws serve ended"]);
    }
}
