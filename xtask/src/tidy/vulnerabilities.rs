//! Rule: each published class of vulnerabilities, each async method and each way in for a caller's code names a test, each bound
//! two, and all tests that the pages on reliability name exist.

use std::collections::BTreeMap;

use super::Finding;
use super::cancellation;
use super::panics;
use super::parity;
use super::workspace::{File, texts};

/// A page that names tests.
struct Page {
    path: &'static str,
    /// What the first cell of its tables' heads says.
    what: &'static str,
    /// In how many cells of a row a test has to be named, counted from the last.
    cells: usize,
}

const CLASSES: Page = Page { path: "docs/reliability/vulnerabilities.md", what: "class", cells: 1 };
const BOUNDS: Page = Page { path: "docs/reliability/bounds.md", what: "bound", cells: 2 };
const CANCELLATION: Page = Page { path: cancellation::PAGE, what: "file", cells: 1 };
const PANICS: Page = Page { path: panics::PAGE, what: "file", cells: 1 };
const OVERVIEW: Page = Page { path: "docs/reliability/README.md", what: "", cells: 0 };

const PAGES: &[Page] = &[CLASSES, BOUNDS, CANCELLATION, PANICS, OVERVIEW];

/// The page whose options are the bounds.
const SECURITY: &str = "SECURITY.md";

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let texts = texts(files);
    let mut findings = Vec::new();
    for page in PAGES {
        let Some(text) = texts.get(page.path) else {
            findings.push(Finding::error(page.path, "is missing: it says which test shows what is promised"));
            continue;
        };
        for (i, line) in text.lines().enumerate() {
            let place = format!("{}:{}", page.path, i + 1);
            if page.is_row(line) && page.last_cells(line).any(|cell| tests(cell).next().is_none()) {
                let message = match page.cells {
                    1 => format!("the {} names no test", page.what),
                    _ => format!("the {} names no test in one of its cells", page.what),
                };
                findings.push(Finding::error(&place, message));
            }
            let gone = tests(line).filter(|test| !parity::exists(test, &texts));
            findings.extend(
                gone.map(|test| {
                    Finding::error(&place, format!("the test {test} is named and does not exist"))
                }),
            );
        }
    }
    findings.extend(missing_bounds(&texts));
    findings
}

/// The options that SECURITY.md lists as bounds and that have no row.
fn missing_bounds(texts: &BTreeMap<&str, &str>) -> Vec<Finding> {
    let (Some(security), Some(bounds)) = (texts.get(SECURITY), texts.get(BOUNDS.path)) else {
        return Vec::new();
    };
    let option = |line: &str| {
        let cell = line.strip_prefix('|')?.split('|').nth(1)?.trim();
        cell.strip_prefix('`')?.strip_suffix('`').map(|option| format!("| `{option}` |"))
    };
    let missing = security.lines().filter_map(option).filter(|row| !bounds.contains(row.as_str()));
    missing
        .map(|row| {
            Finding::error(BOUNDS.path, format!("the bound {} has no row", row.trim_matches(['|', ' '])))
        })
        .collect()
}

/// The tests that a piece of a page names.
fn tests(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains(".rs::"))
}

impl Page {
    /// Whether the line is a row of a table; neither its head nor the line below that.
    fn is_row(&self, line: &str) -> bool {
        let first = line.trim().strip_prefix('|').and_then(|cells| cells.split('|').next());
        first.is_some_and(|first| first.trim() != self.what && first.trim() != "---")
    }

    /// The cells in which a test has to be named.
    fn last_cells<'a>(&self, line: &'a str) -> impl Iterator<Item = &'a str> {
        line.trim().trim_matches('|').rsplit('|').take(self.cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(classes: &str, other: &str) -> Vec<String> {
        let table = format!("| class | here | shown by |\n| --- | --- | --- |\n{classes}");
        let code = File::text("crates/ws-a/tests/b.rs", "#[test]\nfn it_holds() {}\n");
        let bounds = File::text(BOUNDS.path, "| bound | met | one past it |\n| --- | --- | --- |\n");
        let [methods, panics] = [CANCELLATION, PANICS].map(|page| File::text(page.path, ""));
        let overview = File::text(OVERVIEW.path, other);
        let files = [File::text(CLASSES.path, &table), bounds, methods, panics, overview, code];
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
    fn a_bound_names_two_tests_and_each_option_has_its_row() {
        let messages = |security: &str, bounds: &str| -> Vec<String> {
            let code = File::text("crates/ws-a/tests/b.rs", "#[test]\nfn it_holds() {}\n");
            let pages =
                [File::text(CLASSES.path, ""), File::text(OVERVIEW.path, ""), File::text(SECURITY, security)];
            let files: Vec<_> = pages
                .into_iter()
                .chain([CANCELLATION, PANICS].map(|page| File::text(page.path, "")))
                .chain([File::text(BOUNDS.path, bounds), code])
                .collect();
            check(&files).into_iter().map(|finding| finding.message).collect()
        };
        let (security, test) = ("| a length | `Limits::len` | 1 | 1009 |\n", "`ws-a/tests/b.rs::it_holds`");
        assert_eq!(messages(security, &format!("| `Limits::len` | {test} | {test} {test} |\n")), [""; 0]);
        for half in [format!("| `Limits::len` | {test} | |\n"), format!("| `Limits::len` | | {test} |\n")] {
            assert_eq!(messages(security, &half), ["the bound names no test in one of its cells"]);
        }
        assert_eq!(messages(security, ""), ["the bound `Limits::len` has no row"]);
    }

    #[test]
    fn missing_pages_are_found() {
        assert_eq!(check(&[]).len(), PAGES.len());
    }
}
