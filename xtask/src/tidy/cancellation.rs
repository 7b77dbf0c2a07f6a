//! Rule: each public async method of the I/O layers on tokio has a row that says which test drops its future.

use super::Finding;
use super::entries::{found, identifier, told};
use super::workspace::{File, texts};

pub(super) const PAGE: &str = "docs/reliability/cancellation.md";

/// Where the methods stand.
const SOURCES: [&str; 2] = ["crates/ws-tokio/src/", "crates/ws-hyper/src/"];

pub(crate) fn check(files: &[File]) -> Vec<Finding> {
    let texts = texts(files);
    // That the page is there, and that its tests are, is looked at with the other pages.
    let Some(page) = texts.get(PAGE) else { return Vec::new() };
    let (told, found) = (told(page), found(&texts, &SOURCES, method));
    let missing = found.difference(&told).map(|(file, method)| {
        Finding::error(PAGE, format!("`{method}` of {file} has no row: which test drops its future?"))
    });
    let gone = told
        .difference(&found)
        .map(|(file, method)| Finding::error(PAGE, format!("{file} has no public async method `{method}`")));
    missing.chain(gone).collect()
}

/// The public async method whose signature this begins with.
fn method(code: &str) -> Option<&str> {
    let code = code.trim_start_matches(' ').strip_prefix("pub ")?;
    let signature = code.split(['{', ';']).next()?;
    let name = match code.strip_prefix("async fn ") {
        Some(name) => name,
        None => code.strip_prefix("fn ").filter(|_| signature.contains("-> impl Future"))?,
    };
    identifier(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "\npub async fn open<S>(s: S) {}\nimpl A {\n    pub fn send(\n        &self,\n    ) -> impl Future<Output = ()> {}\n    \
        pub(crate) async fn inner() {}\n    pub fn plain() -> u8 {}\n    async fn own() {}\n}\n";

    fn messages(rows: &str) -> Vec<String> {
        let files = [File::text(PAGE, rows), File::text("crates/ws-tokio/src/a.rs", CODE)];
        check(&files).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn each_public_async_method_has_a_row() {
        assert_eq!(messages("| `ws-tokio/src/a.rs` | `open` `send` | `b.rs::c` |\n"), [""; 0]);
        let missing = "`send` of ws-tokio/src/a.rs has no row: which test drops its future?";
        assert_eq!(messages("| `ws-tokio/src/a.rs` | `open` | |\n"), [missing]);
        assert_eq!(messages("no table").len(), 2);
    }

    #[test]
    fn a_row_of_what_is_gone_or_not_async_is_found() {
        for method in ["plain", "inner", "own", "gone"] {
            let gone = format!("ws-tokio/src/a.rs has no public async method `{method}`");
            assert_eq!(messages(&format!("| `ws-tokio/src/a.rs` | `open` `send` `{method}` | |\n")), [gone]);
        }
    }
}
