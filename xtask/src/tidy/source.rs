//! A Rust source as the rules see it: without comments, without the content of literals, without tests.
//!
//! Blanks stand for what is taken out, so every line and column stays where it was.

mod lexer;

use std::ops::Range;
use std::path::{Path, PathBuf};

/// A source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the top level of the repository.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments, literals and what is compiled for tests alone.
    pub(crate) code: String,
    /// Modules in files of their own that are compiled for tests alone.
    test_modules: Vec<String>,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let mut code = lexer::blank(&text);
        let mut test_modules = Vec::new();
        for item in test_items(&code) {
            test_modules.extend(module_name(&code[item.clone()]).map(str::to_owned));
            let blanks: String =
                code[item.clone()].chars().map(|c| if c == '\n' { c } else { ' ' }).collect();
            code.replace_range(item, &blanks);
        }
        Self { path: path.into(), text, code, test_modules }
    }

    /// The line, counted from one, of a position in the code.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }

    /// Place and line, as compilers write them.
    pub(crate) fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path, self.line(at))
    }

    /// Where the modules of this file lie that are files of their own.
    fn module_dir(&self) -> PathBuf {
        let path = Path::new(&self.path);
        let dir = path.parent().unwrap_or(Path::new(""));
        match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("lib" | "main" | "mod") | None => dir.to_path_buf(),
            Some(stem) => dir.join(stem),
        }
    }
}

/// Leaves out the files of modules that are compiled for tests alone, and of all modules below them.
pub(crate) fn without_test_modules(sources: Vec<Source>) -> Vec<Source> {
    let mut tests: Vec<PathBuf> = Vec::new();
    for source in &sources {
        tests.extend(source.test_modules.iter().map(|module| source.module_dir().join(module)));
    }
    let is_test = |source: &Source| {
        let path = Path::new(&source.path);
        tests.iter().any(|module| path.starts_with(module) || path == module.with_extension("rs"))
    };
    sources.into_iter().filter(|source| !is_test(source)).collect()
}

/// The items behind `#[cfg(test)]` and its kin, each from its attribute to its end, none inside another.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices("#[cfg(") {
        let inside_another = items.last().is_some_and(|item| start < item.end);
        let Some(end) = lexer::closing(code, start + 1) else { continue };
        if !inside_another && is_for_tests(&code[start..end]) {
            items.push(start..item_end(code, end));
        }
    }
    items
}

/// `cfg(test)` and `cfg(all(test, ..))`; neither `cfg(not(test))` nor `cfg(any(test, ..))`, which are compiled
/// elsewhere too.
fn is_for_tests(attribute: &str) -> bool {
    let mut words =
        attribute.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let first = (words.next(), words.next());
    first == (Some("cfg"), Some("test"))
        || first == (Some("cfg"), Some("all"))
            && words.any(|word| word == "test")
            && !attribute.contains("not(test")
            && !attribute.contains("any(")
}

/// The end of the item that starts at or behind `start`, further attributes included.
fn item_end(code: &str, start: usize) -> usize {
    let mut at = start;
    // A `use` has braces inside, not at its end.
    let mut in_use = false;
    while let Some(c) = code[at..].chars().next() {
        match c {
            '#' | '(' | '[' => {
                let open = if c == '#' { at + 1 } else { at };
                at = lexer::closing(code, open).unwrap_or(code.len());
                continue;
            }
            '{' => {
                let end = lexer::closing(code, at).unwrap_or(code.len());
                if !in_use {
                    return end;
                }
                at = end;
                continue;
            }
            ';' => return at + 1,
            // The end of what the item stands in: it was a field or a statement without an end of its own.
            '}' => return at,
            'u' if is_word(code, at, "use") => in_use = true,
            _ => {}
        }
        at += c.len_utf8();
    }
    code.len()
}

fn is_word(code: &str, at: usize, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    code[at..].starts_with(word)
        && !code[..at].ends_with(is_part)
        && !code[at + word.len()..].starts_with(is_part)
}

/// The name in `mod name;`.
fn module_name(item: &str) -> Option<&str> {
    let declaration = item.strip_suffix(';')?;
    let (before, name) = declaration.rsplit_once(char::is_whitespace)?;
    before.trim_end().ends_with("mod").then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_no_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let source = Source::new("src/x.rs", text);
        assert_eq!(source.code.replace(' ', ""), "fna(){}\n\n\n\n\nfnc(){}\n");
        assert_eq!(source.code.len(), text.len());
    }

    #[test]
    fn only_what_is_for_tests_alone_goes() {
        for (attribute, gone) in [
            ("#[cfg(test)]", true),
            ("#[cfg(all(test, feature = \"simd\"))]", true),
            ("#[cfg(not(test))]", false),
            ("#[cfg(all(not(test), unix))]", false),
            ("#[cfg(any(test, unix))]", false),
            ("#[cfg(feature = \"test\")]", false),
        ] {
            let source = Source::new("src/x.rs", format!("{attribute}\nfn a() {{}}"));
            assert_eq!(!source.code.contains("fn a"), gone, "{attribute}");
        }
    }

    #[test]
    fn an_item_ends_where_it_ends() {
        for item in [
            "use a::{b, c};",
            "#[derive(Debug)]\nstruct A { b: [u8; 3] }",
            "const A: [u8; 2] = [1, 2];",
            "fn a<B, C>(b: B) -> C { if b { c } else { d } }",
            "mod tests;",
        ] {
            let source = Source::new("src/x.rs", format!("#[cfg(test)]\n{item} REST"));
            assert_eq!(source.code.trim(), "REST", "{item}");
        }
    }

    #[test]
    fn modules_for_tests_are_left_out_with_all_below_them() {
        let sources = vec![
            Source::new("c/src/lib.rs", "mod a;\n#[cfg(test)]\nmod oracle;"),
            Source::new("c/src/a.rs", "#[cfg(test)]\nmod tests;"),
            Source::new("c/src/a/tests.rs", ""),
            Source::new("c/src/a/tests/deep.rs", ""),
            Source::new("c/src/a/testing.rs", ""),
            Source::new("c/src/oracle.rs", ""),
        ];
        let kept: Vec<_> = without_test_modules(sources).into_iter().map(|source| source.path).collect();
        assert_eq!(kept, ["c/src/lib.rs", "c/src/a.rs", "c/src/a/testing.rs"]);
    }

    #[test]
    fn lines_count_from_one() {
        let source = Source::new("src/x.rs", "a\n// b\nc");
        assert_eq!(source.place(source.code.find('c').unwrap()), "src/x.rs:3");
    }
}
