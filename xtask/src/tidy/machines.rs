//! Rule: nothing that is checked in names a place on somebody's machine or in somebody's network.

use super::Finding;
use super::workspace::{Content, File};

/// How absolute paths of machines begin. Taken apart, so that this file passes its own rule.
const PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("/o", "pt/"),
    concat!("C:\\Us", "ers\\"),
    concat!("file:", "///"),
];

/// Ends of names that only a private network knows.
const PRIVATE: &[&str] = &[".internal", ".intranet", ".corp", ".lan"];

pub(crate) fn check(file: &File) -> Vec<Finding> {
    match &file.content {
        Content::Binary => Vec::new(),
        Content::Link => vec![Finding::error(&file.path, "is a symbolic link: not every machine has them")],
        Content::Text(text) => {
            text.lines().enumerate().filter_map(|(i, line)| finding(file, i + 1, line)).collect()
        }
    }
}

fn finding(file: &File, number: usize, line: &str) -> Option<Finding> {
    let place = format!("{}:{number}", file.path);
    if let Some(path) = PATHS.iter().find(|path| names_path(line, path)) {
        return Some(Finding::error(place, format!("names a path of a machine ({path})")));
    }
    let host = private_host(line)?;
    Some(Finding::error(place, format!("links to a host of a private network ({host})")))
}

/// Whether the line has an absolute path that begins so: in a longer path or a URL it is another thing.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '}' | '*' | '$')))
    })
}

/// The host of a URL in the line, where it belongs to a private network.
fn private_host(line: &str) -> Option<&str> {
    let hosts = line.split("://").skip(1).map(|rest| {
        let authority = rest.split(['/', '?', '#', '"', '\'', '`', ' ', ')', '>']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        host.split(':').next().unwrap_or_default()
    });
    hosts.into_iter().find(|host| PRIVATE.iter().any(|end| host.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(line: &str) -> usize {
        let found = check(&File::text("docs/a.md", &format!("a\n{line}\n")));
        assert!(found.iter().all(|finding| finding.place == "docs/a.md:2"));
        found.len()
    }

    #[test]
    fn paths_of_machines_are_found() {
        for path in PATHS {
            assert_eq!(findings(&format!("see `{path}someone/x`")), 1, "{path}");
            assert_eq!(findings(&format!("{path}someone")), 1, "{path}");
        }
    }

    #[test]
    fn hosts_of_private_networks_are_found() {
        for end in PRIVATE {
            assert_eq!(findings(&format!("index = \"https://crates{end}/index\"")), 1, "{end}");
            assert_eq!(findings(&format!("ws://user:word@a{end}:9001")), 1, "{end}");
        }
    }

    #[test]
    fn symbolic_links_are_found() {
        assert_eq!(check(&File { path: "a".to_owned(), content: Content::Link }).len(), 1);
    }

    #[test]
    fn other_paths_and_hosts_pass() {
        for line in [
            "https://example.com/home/",
            "ws://127.0.0.1:9001/",
            "crates/ws-frame/src/lib.rs",
            "a.internal is a name, not a link",
            "target/tmp/x",
            "$HOME/root/x",
        ] {
            assert_eq!(findings(line), 0, "{line}");
        }
    }
}
