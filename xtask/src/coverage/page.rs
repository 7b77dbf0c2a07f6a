//! The measured lines as a page, and as a line for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::MARK;
use super::file::{File, share};

/// One line: how much of everything.
pub(crate) fn summary(files: &[File]) -> String {
    let (covered, all) = total(files.iter());
    format!("{covered} of {all} lines, {:.1} %, in {} files", share(covered, all), files.len())
}

/// The whole page.
pub(crate) fn page(tool: &str, files: &[File], reasons: &BTreeMap<String, String>) -> String {
    let mut text = format!(
        "# Coverage\n\n\
         Made by `cargo xtask coverage` ({tool}) from the tests of the published crates: lines that can run, and lines that did. \
         Lines that run only in a child process, as the command line under test does, count where that \
         process was built with the tests.\n\n{}.\n\n\
         | crate | lines | covered | |\n| --- | --: | --: | --: |\n",
        summary(files)
    );
    let mut packages: BTreeMap<&str, Vec<&File>> = BTreeMap::new();
    for file in files {
        packages.entry(file.package()).or_default().push(file);
    }
    for (package, files) in packages {
        let (covered, all) = total(files.iter().copied());
        let _ = writeln!(text, "| {package} | {all} | {covered} | {:.1} % |", share(covered, all));
    }
    let _ = write!(
        text,
        "\n## Files below {MARK} %\n\n| file | lines | covered | | why |\n| --- | --: | --: | --: | --- |\n"
    );
    for file in files.iter().filter(|file| file.is_below(MARK)) {
        let why = reasons.get(&file.path).map_or("", String::as_str);
        let path = file.path.strip_prefix("crates/").unwrap_or(&file.path);
        let _ =
            writeln!(text, "| {path} | {} | {} | {:.1} % | {why} |", file.all, file.covered, file.share());
    }
    text
}

fn total<'a>(files: impl Iterator<Item = &'a File>) -> (usize, usize) {
    files.fold((0, 0), |(covered, all), file| (covered + file.covered, all + file.all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_each_crate_and_each_file_below_the_mark() {
        let files = [
            File { path: "crates/ws-frame/src/a.rs".to_owned(), covered: 8, all: 10 },
            File { path: "crates/ws-frame/src/b.rs".to_owned(), covered: 10, all: 10 },
        ];
        let reasons = BTreeMap::from([("crates/ws-frame/src/a.rs".to_owned(), "because".to_owned())]);
        let page = page("tool", &files, &reasons);
        assert!(page.contains("| ws-frame | 20 | 18 | 90.0 % |"), "{page}");
        assert!(page.contains("| ws-frame/src/a.rs | 10 | 8 | 80.0 % | because |"), "{page}");
        assert!(!page.contains("b.rs"), "{page}");
    }
}
