//! Rule: each row of the table of features names tests that exist, or says why there is none.

use std::collections::BTreeMap;

use super::Finding;
use super::workspace::{File, texts};

/// The table.
const PATH: &str = "docs/parity.md";

/// How many rows each group of features has.
const GROUPS: &[(char, usize)] =
    &[('F', 18), ('S', 12), ('C', 12), ('V', 22), ('L', 22), ('E', 4), ('T', 5), ('D', 16), ('W', 21)];

/// How the last cell of a row without a test begins.
const DECLINED: &str = "no test:";

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let texts = texts(files);
    let Some(table) = texts.get(PATH) else {
        return vec![Finding::error(
            PATH,
            "is missing: it says where each feature is and which test shows it",
        )];
    };
    let mut findings = Vec::new();
    let mut seen = BTreeMap::<&str, usize>::new();
    for (i, line) in table.lines().enumerate() {
        let Some((number, last)) = row(line) else { continue };
        let place = format!("{PATH}:{}", i + 1);
        *seen.entry(number).or_default() += 1;
        let tests: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() && !last.starts_with(DECLINED) {
            findings
                .push(Finding::error(&place, format!("{number} names no test and has no reason for that")));
        }
        findings.extend(tests.iter().filter(|test| !exists(test, &texts)).map(|test| {
            Finding::error(&place, format!("{number} names the test {test}, which does not exist"))
        }));
    }
    for &(group, rows) in GROUPS {
        for number in (1..=rows).map(|row| format!("{group}{row}")) {
            let times = seen.remove(number.as_str()).unwrap_or_default();
            if times != 1 {
                findings.push(Finding::error(PATH, format!("{number} has {times} rows, not one")));
            }
        }
    }
    findings
        .extend(seen.keys().map(|number| Finding::error(PATH, format!("{number} is no feature's number"))));
    findings
}

/// The number of a row of the table, and its last cell.
fn row(line: &str) -> Option<(&str, &str)> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let number = line.split('|').next()?.trim();
    let is_number = number.starts_with(|c: char| c.is_ascii_uppercase())
        && number.len() > 1
        && number[1..].bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| (number, line.rsplit('|').next().unwrap_or_default().trim()))
}

/// Whether the file has a test of that name: `ws-frame/tests/header.rs::examples_of_section_5_7`.
pub(super) fn exists(test: &str, texts: &BTreeMap<&str, &str>) -> bool {
    let Some((path, name)) = test.split_once("::") else { return false };
    let Some(text) = texts.get(format!("crates/{path}").as_str()) else { return false };
    text.match_indices(&format!("fn {name}(")).any(|(at, _)| is_test(&text[..at]))
}

/// Whether what stands in front of a function makes it a test: an attribute above it, among others.
fn is_test(before: &str) -> bool {
    let lines = before.lines().rev().skip(usize::from(!before.ends_with('\n')));
    lines.take_while(|line| line.trim().starts_with(['#', '/'])).any(|line| line.contains("test"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str =
        "#[test]\nfn it_holds() {}\n\n    #[tokio::test]\n    async fn it_waits() {}\n\nfn helper() {}\n";

    fn messages(rows: &str) -> Vec<String> {
        let files = [File::text(PATH, rows), File::text("crates/ws-a/tests/b.rs", CODE)];
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    /// A table in which every row is good.
    fn complete() -> String {
        let numbers =
            GROUPS.iter().flat_map(|&(group, rows)| (1..=rows).map(move |row| format!("{group}{row}")));
        numbers.map(|number| format!("| {number} | a | `ws-a/tests/b.rs::it_holds` |\n")).collect()
    }

    #[test]
    fn a_complete_table_passes() {
        assert_eq!(messages(&complete()), [""; 0]);
        let waits = complete().replacen("it_holds", "it_waits", 1);
        assert_eq!(messages(&waits), [""; 0]);
    }

    #[test]
    fn a_row_without_a_test_has_a_reason() {
        let table = complete();
        let reason =
            table.replacen("`ws-a/tests/b.rs::it_holds`", "no test: there are no classes in Rust", 1);
        assert_eq!(messages(&reason), [""; 0]);
        let nothing = table.replacen("`ws-a/tests/b.rs::it_holds`", "", 1);
        assert_eq!(messages(&nothing), ["F1 names no test and has no reason for that"]);
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        for name in
            ["ws-a/tests/b.rs::it_hold", "ws-a/tests/b.rs::helper", "ws-a/tests/c.rs::it_holds", "it_holds"]
        {
            let table = complete().replacen("ws-a/tests/b.rs::it_holds", name, 1);
            assert_eq!(messages(&table), [format!("F1 names the test {name}, which does not exist")]);
        }
    }

    #[test]
    fn every_number_has_one_row() {
        let table = complete();
        let (first, rest) = table.split_once('\n').unwrap();
        assert_eq!(messages(rest), ["F1 has 0 rows, not one"]);
        assert_eq!(messages(&format!("{first}\n{table}")), ["F1 has 2 rows, not one"]);
        let unknown = first.replacen("F1", "F19", 1);
        assert_eq!(messages(&format!("{table}{unknown}\n")), ["F19 is no feature's number"]);
    }

    #[test]
    fn a_missing_table_is_found() {
        assert_eq!(check(&[]).len(), 1);
    }
}
