//! Rule: files stay small. Lines of code count, not blank ones, comments or tests.

use super::Finding;
use super::source::Source;

/// Above this a file holds more than one idea, most likely.
const LARGE: usize = 400;

/// Above this it is to be split.
const TOO_LARGE: usize = 600;

pub(crate) fn check(source: &Source) -> Option<Finding> {
    let lines = source.code.lines().filter(|line| !line.trim().is_empty()).count();
    let message = format!("{lines} lines of code");
    match lines {
        TOO_LARGE.. => Some(Finding::error(&source.path, format!("{message}: split it by its ideas"))),
        LARGE.. => Some(Finding::warning(&source.path, format!("{message}: is it one idea?"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    fn severity(text: &str) -> Option<Severity> {
        check(&Source::new("src/a.rs", text)).map(|finding| finding.severity)
    }

    #[test]
    fn small_files_pass_and_large_ones_do_not() {
        assert_eq!(severity(&"a;\n".repeat(399)), None);
        assert_eq!(severity(&"a;\n".repeat(400)), Some(Severity::Warning));
        assert_eq!(severity(&"a;\n".repeat(600)), Some(Severity::Error));
    }

    #[test]
    fn comments_blank_lines_and_tests_do_not_count() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "a;\n".repeat(700));
        assert_eq!(severity(&format!("{}{tests}", "// a\n\n".repeat(700))), None);
    }
}
