//! Rule: each published class of vulnerabilities names tests, and all tests that the pages on reliability name exist.

use std::collections::BTreeMap;

use super::Finding;
use super::parity;
use super::workspace::{Content, File};

/// The tables of classes.
const CLASSES: &str = "docs/reliability/vulnerabilities.md";

/// The pages that name tests.
const PAGES: &[&str] = &[CLASSES, "docs/reliability/README.md"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .filter_map(|file| match &file.content {
            Content::Text(text) => Some((file.path.as_str(), text.as_str())),
            Content::Binary | Content::Link => None,
        })
        .collect();
    let mut findings = Vec::new();
    for page in PAGES {
        let Some(text) = texts.get(page) else {
            findings.push(Finding::error(*page, "is missing: it says which test shows what is promised"));
            continue;
        };
        for (i, line) in text.lines().enumerate() {
            let place = format!("{page}:{}", i + 1);
            let quoted = line.split('`').skip(1).step_by(2);
            let tests: Vec<&str> = quoted.filter(|quoted| quoted.contains(".rs::")).collect();
            if *page == CLASSES && is_class(line) && tests.is_empty() {
                findings.push(Finding::error(&place, "the class names no test"));
            }
            let gone = tests.iter().filter(|test| !parity::exists(test, &texts));
            findings.extend(
                gone.map(|test| {
                    Finding::error(&place, format!("the test {test} is named and does not exist"))
                }),
            );
        }
    }
    findings
}

/// Whether the line is a row of a table; neither its head nor the line below that.
fn is_class(line: &str) -> bool {
    let first = line.trim().strip_prefix('|').and_then(|cells| cells.split('|').next());
    first.is_some_and(|first| !matches!(first.trim(), "class" | "---"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(classes: &str, other: &str) -> Vec<String> {
        let table = format!("| class | here | shown by |\n| --- | --- | --- |\n{classes}");
        let file =
            |path: &str, text: &str| File { path: path.to_owned(), content: Content::Text(text.to_owned()) };
        let code = file("crates/ws-a/tests/b.rs", "#[test]\nfn it_holds() {}\n");
        let files = [file(CLASSES, &table), file(PAGES[1], other), code];
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn a_class_with_a_test_passes() {
        assert_eq!(messages("| a `b` | c | `ws-a/tests/b.rs::it_holds` |\n", "`cargo test`"), [""; 0]);
    }

    #[test]
    fn a_class_without_one_does_not() {
        assert_eq!(messages("| a | b | |\n", ""), ["the class names no test"]);
        assert_eq!(messages("| a | b | `see there` |\n", ""), ["the class names no test"]);
    }

    #[test]
    fn a_test_that_does_not_exist_is_found_on_each_page() {
        let named = "`ws-a/tests/b.rs::it_hold`";
        let gone = "the test ws-a/tests/b.rs::it_hold is named and does not exist";
        assert_eq!(messages(&format!("| a | b | {named} |\n"), ""), [gone]);
        assert_eq!(messages("", &format!("Shown by {named}.")), [gone]);
    }

    #[test]
    fn missing_pages_are_found() {
        assert_eq!(check(&[]).len(), PAGES.len());
    }
}
