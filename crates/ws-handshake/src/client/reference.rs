//! References as a redirect names them, and where they lead (RFC 3986 sections 4 and 5).

/// A reference, taken apart as RFC 3986 appendix B does it. It has no fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) scheme: Option<&'a str>,
    pub(super) authority: Option<&'a str>,
    /// What stands behind the scheme, or everything.
    pub(super) rest: &'a str,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Reference<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(hier) => {
                let (authority, path) = hier.split_at(hier.find(['/', '?']).unwrap_or(hier.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        Self { scheme, authority, rest, path, query }
    }

    /// The path and query that it leads to from a base (RFC 3986 section 5.2.2), the base's path not being empty.
    pub(super) fn resolve(&self, base_path: &str, base_query: Option<&str>) -> String {
        let (mut target, query) = if self.path.is_empty() {
            (remove_dot_segments(base_path), self.query.or(base_query))
        } else if self.path.starts_with('/') {
            (remove_dot_segments(self.path), self.query)
        } else {
            let directory = base_path.rfind('/').and_then(|end| base_path.get(..=end)).unwrap_or("/");
            (remove_dot_segments(&format!("{directory}{}", self.path)), self.query)
        };
        if let Some(query) = query {
            target.push('?');
            target.push_str(query);
        }
        target
    }
}

/// RFC 3986 section 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// RFC 3986 section 5.2.4, for a path that starts with a slash, in one pass.
fn remove_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." => {}
            ".." => drop(kept.pop()),
            _ => {
                kept.push(segment);
                continue;
            }
        }
        // A dot segment at the end leaves a directory behind.
        if segments.peek().is_none() {
            kept.push("");
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn resolve(reference: &str) -> String {
        let reference = Reference::parse(reference);
        assert_eq!((reference.scheme, reference.authority), (None, None));
        reference.resolve("/b/c/d;p", Some("q"))
    }

    #[test]
    fn the_examples_of_the_rfc_lead_where_it_says() {
        // RFC 3986 section 5.4, those without scheme, authority and fragment, from http://a/b/c/d;p?q.
        for (reference, target) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            ("g;x", "/b/c/g;x"),
            ("", "/b/c/d;p?q"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/./x", "/b/c/g?y/./x"),
            ("g?y/../x", "/b/c/g?y/../x"),
        ] {
            assert_eq!(resolve(reference), target, "{reference:?}");
        }
    }

    #[test]
    fn a_reference_is_taken_apart() {
        for (text, scheme, authority, path, query) in [
            ("wss://a.b:1/c?d?e", Some("wss"), Some("a.b:1"), "/c", Some("d?e")),
            ("//a?b", None, Some("a"), "", Some("b")),
            ("//a", None, Some("a"), "", None),
            ("ws+unix:/a:/b?c", Some("ws+unix"), None, "/a:/b", Some("c")),
            ("./a:b", None, None, "./a:b", None),
            ("1a:b", None, None, "1a:b", None),
            (":b", None, None, ":b", None),
        ] {
            let read = Reference::parse(text);
            assert_eq!(
                (read.scheme, read.authority, read.path, read.query),
                (scheme, authority, path, query)
            );
        }
    }

    /// The steps of RFC 3986 section 5.2.4 as they stand there.
    fn oracle(path: &str) -> String {
        let (mut input, mut output) = (path.to_owned(), String::new());
        while !input.is_empty() {
            if let Some(rest) = input.strip_prefix("../").or_else(|| input.strip_prefix("./")) {
                input = rest.to_owned();
            } else if input.starts_with("/./") || input == "/." {
                input = format!("/{}", input.get(3..).unwrap_or_default());
            } else if input.starts_with("/../") || input == "/.." {
                input = format!("/{}", input.get(4..).unwrap_or_default());
                output.truncate(output.rfind('/').unwrap_or(0));
            } else if input == "." || input == ".." {
                input.clear();
            } else {
                let end = input[1..].find('/').map_or(input.len(), |end| end + 1);
                output.push_str(&input[..end]);
                input.drain(..end);
            }
        }
        output
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn dot_segments_are_removed_as_the_rfc_removes_them(
            segments in prop::collection::vec(prop::sample::select(vec!["", ".", "..", "a", "...", "b.", ".c"]), 0..10),
        ) {
            let path = format!("/{}", segments.join("/"));
            prop_assert_eq!(remove_dot_segments(&path), oracle(&path), "{}", path);
        }
    }
}
