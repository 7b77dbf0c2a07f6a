//! Rule: the root of every published crate forbids unsafe code, so that nothing below it can allow it.

use super::Finding;
use super::workspace::Crate;

pub(crate) fn check(member: &Crate) -> Vec<Finding> {
    if !member.published {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for root in &member.roots {
        let source = member.sources.iter().find(|source| source.path == *root);
        let forbids = source.is_some_and(|source| source.code.contains("#![forbid(unsafe_code)]"));
        if !forbids {
            findings.push(Finding::error(root, "lacks #![forbid(unsafe_code)]"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::source::Source;
    use super::*;

    fn member(text: &str, published: bool) -> Crate {
        Crate {
            name: "ws-a".to_owned(),
            published,
            sources: vec![Source::new("crates/ws-a/src/lib.rs", text)],
            roots: vec!["crates/ws-a/src/lib.rs".to_owned()],
            ..Crate::default()
        }
    }

    #[test]
    fn a_published_crate_needs_the_attribute() {
        assert_eq!(check(&member("//! A.\n#![forbid(unsafe_code)]\n", true)), []);
        for text in [
            "",
            "// #![forbid(unsafe_code)]",
            "#![deny(unsafe_code)]",
            "#[cfg(test)]\nmod tests {\n#![forbid(unsafe_code)]\n}",
        ] {
            assert_eq!(check(&member(text, true)).len(), 1, "{text:?}");
        }
        assert_eq!(check(&member("", false)), []);
    }
}
