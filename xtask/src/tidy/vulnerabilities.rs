//! Rule: each published class of vulnerabilities names tests that exist.

use std::collections::BTreeMap;

use super::Finding;
use super::parity;
use super::workspace::{Content, File};

/// The tables.
const PATH: &str = "docs/reliability/vulnerabilities.md";

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .filter_map(|file| match &file.content {
            Content::Text(text) => Some((file.path.as_str(), text.as_str())),
            Content::Binary | Content::Link => None,
        })
        .collect();
    let Some(tables) = texts.get(PATH) else {
        return vec![Finding::error(PATH, "is missing: it says which test shows each class")];
    };
    let mut findings = Vec::new();
    for (i, line) in tables.lines().enumerate() {
        let Some(last) = row(line) else { continue };
        let place = format!("{PATH}:{}", i + 1);
        let tests: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            findings.push(Finding::error(&place, "the class names no test"));
        }
        findings.extend(tests.iter().filter(|test| !parity::exists(test, &texts)).map(|test| {
            Finding::error(&place, format!("the class names the test {test}, which does not exist"))
        }));
    }
    findings
}

/// The last cell of a row; neither of the head of a table nor of the line below it.
fn row(line: &str) -> Option<&str> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let (class, last) = (cells.split('|').next()?.trim(), cells.rsplit('|').next()?.trim());
    (class != "class" && class != "---").then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(rows: &str) -> Vec<String> {
        let table = format!("| class | here | shown by |\n| --- | --- | --- |\n{rows}");
        let file =
            |path: &str, text: &str| File { path: path.to_owned(), content: Content::Text(text.to_owned()) };
        let files = [file(PATH, &table), file("crates/ws-a/tests/b.rs", "#[test]\nfn it_holds() {}\n")];
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_class_with_a_test_passes() {
        assert_eq!(messages("| a | b | `ws-a/tests/b.rs::it_holds` |\n"), [""; 0]);
    }

    #[test]
    fn a_class_without_one_does_not() {
        assert_eq!(messages("| a | b | |\n"), ["the class names no test"]);
        assert_eq!(messages("| a | b | see there |\n"), ["the class names no test"]);
        let other = messages("| a | b | `ws-a/tests/b.rs::it_hold` |\n");
        assert_eq!(other, ["the class names the test ws-a/tests/b.rs::it_hold, which does not exist"]);
    }

    #[test]
    fn missing_tables_are_found() {
        assert_eq!(check(&[]).len(), 1);
    }
}
