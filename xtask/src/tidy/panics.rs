//! Rule: each public method that keeps a closure of its caller's, and each trait that a caller may implement, has a row that says
//! what ends when it panics.

use super::Finding;
use super::entries::{found, identifier, told};
use super::workspace::{File, texts};

pub(super) const PAGE: &str = "docs/reliability/panics.md";

/// Where such methods and traits stand.
const SOURCES: [&str; 6] = [
    "crates/ws-driver/src/",
    "crates/ws-endpoint/src/",
    "crates/ws-extensions/src/",
    "crates/ws-hyper/src/",
    "crates/ws-sync/src/",
    "crates/ws-tokio/src/",
];

/// Traits that nobody implements but we: markers, and those that no other crate can name.
const OURS: [&str; 4] = ["Outcome", "PartSink", "PartSource", "PlainBytes"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let texts = texts(files);
    // That the page is there, and that its tests are, is looked at with the other pages.
    let Some(page) = texts.get(PAGE) else { return Vec::new() };
    let (told, mut found) = (told(page), found(&texts, &SOURCES, entry));
    found.retain(|(_, name)| !OURS.contains(name));
    let missing = found.difference(&told).map(|(file, name)| {
        Finding::error(PAGE, format!("`{name}` of {file} has no row: what ends when it panics?"))
    });
    let gone = told.difference(&found).map(|(file, name)| {
        Finding::error(PAGE, format!("{file} has no `{name}` that calls what a caller has made"))
    });
    missing.chain(gone).collect()
}

/// The method or the trait whose declaration this begins with, if code of a caller's comes in by it.
fn entry(code: &str) -> Option<&str> {
    let line = code.trim_start_matches(' ').strip_prefix("pub ")?;
    let head = line.split('{').next()?;
    let name = match line.strip_prefix("trait ") {
        Some(name) => Some(name).filter(|_| !head.contains("Sealed")),
        None => line.strip_prefix("fn ").or(line.strip_prefix("async fn ")).filter(|_| keeps_closure(head)),
    };
    identifier(name?)
}

/// Whether what is called by this signature outlives the call, or is called for more than its caller.
fn keeps_closure(signature: &str) -> bool {
    let takes = ["Fn(", "FnMut(", "FnOnce("].iter().any(|bound| signature.contains(bound));
    takes && signature.contains("'static")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\npub trait Listener: Send {}\npub trait Body: sealed::Sealed {}\npub trait Outcome {}\nimpl A {\n    \
        pub fn hook(\n        self,\n        hook: impl Fn() -> [u8; 4] + 'static,\n    ) -> Self {}\n    \
        pub async fn serve<F>(&self, f: F)\n    where\n        F: Fn() + 'static,\n    {}\n    \
        pub fn once(&self, look: impl FnOnce()) {}\n    fn own(look: impl Fn() + 'static) {}\n}\n";

    fn messages(rows: &str) -> Vec<String> {
        let files = [File::text(PAGE, rows), File::text("crates/ws-tokio/src/a.rs", CODE)];
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn each_way_in_has_a_row() {
        let row = "| `ws-tokio/src/a.rs` | `hook` `serve` `Listener` | it | `b.rs::c` |\n| a task | its connection | |\n";
        assert_eq!(messages(row), [""; 0]);
        let missing = "`Listener` of ws-tokio/src/a.rs has no row: what ends when it panics?";
        assert_eq!(messages("| `ws-tokio/src/a.rs` | `hook` `serve` | | |\n"), [missing]);
        assert_eq!(messages("no table").len(), 3);
    }

    #[test]
    fn a_row_of_what_is_gone_or_keeps_nothing_is_found() {
        for name in ["once", "own", "Body", "Outcome", "gone"] {
            let gone = format!("ws-tokio/src/a.rs has no `{name}` that calls what a caller has made");
            let row = format!("| `ws-tokio/src/a.rs` | `hook` `serve` `Listener` `{name}` | | |\n");
            assert_eq!(messages(&row), [gone]);
        }
    }
}
