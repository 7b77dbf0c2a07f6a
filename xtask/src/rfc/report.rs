//! The requirements as a page, and as a few lines for the terminal.

use std::fmt::Write as _;

use super::requirement::{Document, Requirement};

/// How many requirements there are, and what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    all: usize,
    shown: usize,
}

impl Count {
    fn of<'a>(requirements: impl Iterator<Item = &'a Requirement>) -> Self {
        requirements.fold(Self::default(), |count, requirement| Self {
            all: count.all + 1,
            shown: count.shown + usize::from(requirement.is_shown()),
        })
    }

    fn reasons(self) -> usize {
        self.all - self.shown
    }
}

/// The counts, a line for each RFC.
pub(crate) fn summary(documents: &[Document]) -> String {
    let mut text = String::new();
    for document in documents {
        let count = Count::of(document.requirements.iter());
        let (number, all, shown, reasons) = (document.number, count.all, count.shown, count.reasons());
        let _ = writeln!(
            text,
            "RFC {number}: {all} requirements, {shown} shown by tests, {reasons} with a reason"
        );
    }
    text
}

/// The whole page.
pub(crate) fn page(documents: &[Document]) -> String {
    let mut text = "# Requirements of the RFCs\n\n\
        Made by `cargo xtask rfc` from the files beside it: change those. Each requirement is in our own words, with the \
        code that enforces it and the tests that show it, or with the reason why there are none. The command fails \
        when one of them is not there.\n\n\
        | RFC | level | requirements | shown by tests | with a reason instead |\n| --- | --- | --: | --: | --: |\n"
        .to_owned();
    for document in documents {
        for (level, is_must) in [("MUST", true), ("SHOULD", false)] {
            let count = Count::of(document.requirements.iter().filter(|r| r.level.is_must() == is_must));
            let (all, shown, reasons) = (count.all, count.shown, count.reasons());
            let _ = writeln!(text, "| {} | {level} | {all} | {shown} | {reasons} |", document.number);
        }
    }
    for document in documents {
        let _ = writeln!(text, "\n## RFC {}: {}\n", document.number, document.title);
        text.push_str("| id | level | whose | requirement | enforced in | shown by |\n| --- | --- | --- | --- | --- | --- |\n");
        for requirement in &document.requirements {
            text.push_str(&row(requirement));
        }
    }
    text
}

fn row(requirement: &Requirement) -> String {
    let enforced = requirement.enforced.as_deref().map_or_else(String::new, enforced);
    let mut shown: Vec<_> = requirement.tests.iter().map(|test| format!("`{test}`")).collect();
    shown.extend(requirement.reason.as_ref().map(|reason| cell(reason)));
    format!(
        "| {} | {} | {} | {} | {enforced} | {} |\n",
        requirement.id,
        requirement.level.name(),
        requirement.whose.name(),
        cell(&requirement.rule),
        shown.join("<br>")
    )
}

/// A link to the file, named by crate and item.
fn enforced(place: &str) -> String {
    let (file, item) = place.rsplit_once("::").unwrap_or((place, ""));
    let member = file.split('/').nth(1).unwrap_or_default();
    format!("[{member} `{item}`](../../{file})")
}

fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::super::requirement::{Level, Whose};
    use super::*;

    fn requirement(level: Level, tests: &[&str], reason: Option<&str>) -> Requirement {
        Requirement {
            id: "6455-5.1-1".to_owned(),
            section: "5.1".to_owned(),
            level,
            whose: Whose::Client,
            rule: "a | b\nc".to_owned(),
            enforced: Some("crates/ws-frame/src/rules.rs::check".to_owned()),
            tests: tests.iter().map(|&test| test.to_owned()).collect(),
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn the_page_has_counts_and_a_row_for_each_requirement() {
        let requirements = vec![
            requirement(Level::Must, &["ws-a::b::c", "ws-a::b::d"], None),
            requirement(Level::MustNot, &[], Some("not for us")),
            requirement(Level::Should, &["ws-a::b::c"], Some("almost")),
        ];
        let documents = [Document { number: "6455", title: "The WebSocket Protocol", requirements }];
        let page = page(&documents);
        for line in [
            "| 6455 | MUST | 2 | 1 | 1 |",
            "| 6455 | SHOULD | 1 | 1 | 0 |",
            "| 6455-5.1-1 | MUST | client | a \\| b c | [ws-frame `check`](../../crates/ws-frame/src/rules.rs) \
             | `ws-a::b::c`<br>`ws-a::b::d` |",
            "| 6455-5.1-1 | MUST NOT | client | a \\| b c | [ws-frame `check`](../../crates/ws-frame/src/rules.rs) \
             | not for us |",
        ] {
            assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
        }
        let expected = "RFC 6455: 3 requirements, 2 shown by tests, 1 with a reason\n";
        assert_eq!(summary(&documents), expected);
    }
}
