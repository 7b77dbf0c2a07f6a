//! Rule: `lib.rs` holds documentation, modules and re-exports, and no logic.

use super::Finding;
use super::source::Source;

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    if !source.path.ends_with("/lib.rs") {
        return Vec::new();
    }
    let code = &source.code;
    let mut findings = Vec::new();
    let mut at = 0;
    while let Some(start) = code[at..].find(|c: char| !c.is_whitespace()).map(|skip| at + skip) {
        let rest = &code[start..];
        at = match item(rest) {
            Item::Allowed(len) => start + len,
            Item::Other(len) => {
                let head = rest[..len].lines().next().unwrap_or_default().trim();
                let message =
                    format!("`{head}` belongs into a module: lib.rs has modules and re-exports only");
                findings.push(Finding::error(source.place(start), message));
                start + len
            }
        };
    }
    findings
}

/// What comes next, with its length.
enum Item {
    Allowed(usize),
    Other(usize),
}

fn item(rest: &str) -> Item {
    // The end of a module that holds re-exports; its beginning was allowed below.
    if rest.starts_with('}') {
        return Item::Allowed(1);
    }
    if rest.starts_with('#') {
        return Item::Allowed(attribute(rest));
    }
    let semicolon = rest.find(';').map_or(rest.len(), |at| at + 1);
    let declaration = without_visibility(rest);
    let first = declaration.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    match first {
        "use" | "extern" if !declaration[..declaration.find(';').unwrap_or(0)].contains('(') => {
            Item::Allowed(semicolon)
        }
        // Its content is looked at item by item.
        "mod" => Item::Allowed(rest.find([';', '{']).map_or(rest.len(), |at| at + 1)),
        _ => Item::Other(other(rest, semicolon)),
    }
}

/// `#[..]` and `#![..]`.
fn attribute(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth <= 1 => return at + 1,
            ']' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

fn without_visibility(rest: &str) -> &str {
    let Some(behind) = rest.strip_prefix("pub") else { return rest };
    let behind = behind.trim_start();
    let scope = behind.strip_prefix('(').and_then(|scope| scope.split_once(')'));
    scope.map_or(behind, |(_, declaration)| declaration).trim_start()
}

/// To the end of a block, or to the semicolon where that comes first.
fn other(rest: &str, semicolon: usize) -> usize {
    let Some(open) = rest.find('{').filter(|open| *open < semicolon) else { return semicolon };
    let mut depth = 0_usize;
    for (at, c) in rest[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth <= 1 => return open + at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<Finding> {
        check(&Source::new("crates/a/src/lib.rs", text))
    }

    #[test]
    fn modules_and_re_exports_pass() {
        let text = "//! Docs.\n#![forbid(unsafe_code)]\n#![cfg_attr(docsrs, feature(doc_cfg))]\nextern crate alloc;\n\
                    mod a;\npub mod b;\npub(crate) mod c;\n#[doc(inline)]\npub use a::{A, B as C};\n\
                    /// Doc.\npub mod frame {\n    //! Doc.\n    pub use ws_frame::*;\n}\n#[cfg(test)]\nmod tests { fn a() {} }\n";
        assert_eq!(findings(text), []);
    }

    #[test]
    fn logic_does_not() {
        for logic in [
            "pub fn a() { b(); }",
            "pub struct A { b: u8 }",
            "pub struct A;",
            "const A: u8 = 1;",
            "macro_rules! a { () => {} }",
            "impl A for B {}",
            "pub type A = B;",
            "extern \"C\" fn a() {}",
        ] {
            let found = findings(&format!("mod a;\n{logic}\nmod b;\n"));
            assert_eq!(found.len(), 1, "{logic}: {found:?}");
            assert_eq!(found[0].place, "crates/a/src/lib.rs:2");
        }
    }

    #[test]
    fn logic_in_a_module_of_re_exports_is_found() {
        assert_eq!(findings("pub mod a {\n    pub use b::*;\n    fn c() {}\n}\n").len(), 1);
    }

    #[test]
    fn other_files_may_have_logic() {
        assert_eq!(check(&Source::new("crates/a/src/a.rs", "fn a() {}")), []);
    }
}
