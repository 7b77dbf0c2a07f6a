//! Just enough of Rust's lexical structure to know comments and literals from code.

/// Blanks comments and the content of literals, newlines excepted. Every byte keeps its place.
pub(crate) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let len = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            'r' if !continues_a_word(&out) => raw_string(rest).unwrap_or(0),
            // The prefixes of byte and C strings stay; what follows them is looked at next.
            '\'' => char_literal(rest).unwrap_or(0),
            _ => 0,
        };
        if len == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.extend(rest[..len].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
            rest = &rest[len..];
        }
    }
    out
}

/// The position behind the bracket that closes the one at `open`, in code without literals.
pub(crate) fn closing(code: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in code[open..].char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(open + at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether an `r` here is the end of a name: not of the prefixes `br` and `cr`, though.
fn continues_a_word(before: &str) -> bool {
    let word: String = before.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    !matches!(word.as_str(), "" | "b" | "c")
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// `r"..."`, `r#"..."#` and so on; not `r#name`.
fn raw_string(text: &str) -> Option<usize> {
    let hashes = text[1..].bytes().take_while(|byte| *byte == b'#').count();
    let content = text[1 + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(content.find(&end).map_or(text.len(), |at| 2 + hashes + at + end.len()))
}

/// `'a'`, `'\''`, `'\u{1f600}'`; not the lifetime `'a`.
fn char_literal(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().skip(1);
    let (_, first) = chars.next()?;
    if first == '\\' {
        // The character behind the backslash may be a quote itself.
        chars.next()?;
        return chars.find(|(_, c)| *c == '\'').map(|(at, _)| at + 1);
    }
    chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn squeezed(text: &str) -> String {
        let blanked = blank(text);
        assert_eq!(blanked.len(), text.len());
        assert_eq!(blanked.matches('\n').count(), text.matches('\n').count());
        blanked.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_go() {
        assert_eq!(squeezed("a // b\nc /* d /* e */ f\n */ g"), "a c g");
        assert_eq!(squeezed("//! std::io\nmod a;"), "mod a;");
    }

    #[test]
    fn literals_go_and_lifetimes_stay() {
        assert_eq!(squeezed(r#"a("b \" c") d"#), "a( ) d");
        assert_eq!(squeezed("a(r#\"b \" c\"#) d r#type"), "a( ) d r#type");
        assert_eq!(squeezed("a(br\"b\\\") d"), "a(b ) d");
        assert_eq!(squeezed(r"a('{', '\'', '\u{7b}', b'{') d"), "a( , , , b ) d");
        assert_eq!(
            squeezed("fn a<'b>(c: &'b str) { 'outer: loop {} }"),
            "fn a<'b>(c: &'b str) { 'outer: loop {} }"
        );
        assert_eq!(squeezed("for \"é\" in '→' x"), "for in x");
    }

    #[test]
    fn what_never_ends_goes_to_the_end() {
        for text in ["a \"b", "a /* b", "a r#\"b\""] {
            assert_eq!(squeezed(text), "a", "{text}");
        }
    }

    #[test]
    fn brackets_find_their_partners() {
        assert_eq!(closing("a(b[c]{d})e", 1), Some(10));
        assert_eq!(closing("(a", 0), None);
    }
}
