//! Text for a page: what comes from a peer must not become markup.

use std::fmt;

/// A text that is escaped where it is displayed.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Controls have no form of their own: show them as the Unicode pictures of themselves.
                '\n' | '\t' => write!(f, "{c}")?,
                '\0'..='\u{1f}' => write!(f, "{}", char::from_u32(0x2400 + c as u32).unwrap_or(' '))?,
                _ => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// The suite writes its descriptions with markup of its own; this is their text.
pub(crate) fn without_markup(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        plain.push_str(&rest[..start]);
        // A `<` that opens no tag is a character like any other.
        match rest[start..].find('>') {
            Some(end) if rest[start + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') => {
                plain.push(' ');
                rest = &rest[start + end + 1..];
            }
            _ => {
                plain.push('<');
                rest = &rest[start + 1..];
            }
        }
    }
    plain.push_str(rest);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        let text = Escaped("<b a=\"1\" c='2'>&\u{0}\n").to_string();
        assert_eq!(text, "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;\u{2400}\n");
    }

    #[test]
    fn tags_go_and_their_text_stays() {
        assert_eq!(without_markup("Send ping<br/><br/>  with <i>payload</i>"), "Send ping with payload");
        assert_eq!(without_markup("1 < 2 and 3 > 2"), "1 < 2 and 3 > 2");
        assert_eq!(without_markup("ends in <"), "ends in <");
    }
}
