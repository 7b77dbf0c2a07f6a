//! What a page's tables name of the code, and what there is of it: a rule compares them.

use std::collections::{BTreeMap, BTreeSet};

/// A file below `crates/`, and the name of something in it.
pub(super) type Entry<'a> = (&'a str, &'a str);

/// Those of the tables: the first cell of a row has a file, the second what is in it.
pub(super) fn told(page: &str) -> BTreeSet<Entry<'_>> {
    let rows = page.lines().filter_map(|line| {
        let mut cells = line.strip_prefix('|')?.split('|').map(quoted);
        let file = cells.next()?.next().filter(|file| file.ends_with(".rs"))?;
        Some((file, cells.next()?))
    });
    rows.flat_map(|(file, names)| names.map(move |name| (file, name))).collect()
}

fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Those of the code below `sources`: whatever `entry` names of the text that a line begins.
pub(super) fn found<'a>(
    texts: &BTreeMap<&'a str, &'a str>,
    sources: &[&str],
    entry: fn(&str) -> Option<&str>,
) -> BTreeSet<Entry<'a>> {
    let in_file = |(path, text): (&&'a str, &&'a str)| {
        let (path, text): (&'a str, &'a str) = (path, text);
        let file = path.strip_prefix("crates/").unwrap_or(path);
        text.match_indices('\n').filter_map(move |(at, _)| Some((file, entry(&text[at + 1..])?)))
    };
    texts
        .iter()
        .filter(|(path, _)| sources.iter().any(|source| path.starts_with(source)))
        .flat_map(in_file)
        .collect()
}

/// The identifier that this begins with.
pub(super) fn identifier(code: &str) -> Option<&str> {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}
