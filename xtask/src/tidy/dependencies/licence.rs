//! Licences as manifests write them: SPDX expressions, and the slash of older manifests.

/// A licence expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Licence {
    /// A licence, with its exception if it has one.
    One(String),
    /// All of them hold.
    All(Vec<Licence>),
    /// One of them may be chosen.
    Any(Vec<Licence>),
}

impl Licence {
    /// `None` for what is no expression.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<_> = text.split_whitespace().collect();
        let mut rest = &words[..];
        let parsed = any(&mut rest)?;
        rest.is_empty().then_some(parsed)
    }

    /// Whether what is allowed is enough.
    pub(super) fn is_allowed(&self, allowed: &[String]) -> bool {
        match self {
            Self::One(name) => allowed.contains(name),
            Self::All(parts) => parts.iter().all(|part| part.is_allowed(allowed)),
            Self::Any(parts) => parts.iter().any(|part| part.is_allowed(allowed)),
        }
    }
}

/// Parts with OR between them, which binds less than AND.
fn any(words: &mut &[&str]) -> Option<Licence> {
    let mut parts = vec![all(words)?];
    while take(words, "OR") {
        parts.push(all(words)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Licence::Any(parts) })
}

fn all(words: &mut &[&str]) -> Option<Licence> {
    let mut parts = vec![one(words)?];
    while take(words, "AND") {
        parts.push(one(words)?);
    }
    Some(if parts.len() == 1 { parts.remove(0) } else { Licence::All(parts) })
}

fn one(words: &mut &[&str]) -> Option<Licence> {
    if take(words, "(") {
        let inner = any(words)?;
        return take(words, ")").then_some(inner);
    }
    let name = name(words)?;
    if take(words, "WITH") {
        let exception = self::name(words)?;
        return Some(Licence::One(format!("{name} WITH {exception}")));
    }
    Some(Licence::One(name))
}

fn name(words: &mut &[&str]) -> Option<String> {
    let (&first, rest) = words.split_first()?;
    if ["(", ")", "OR", "AND", "WITH"].contains(&first) {
        return None;
    }
    *words = rest;
    Some(first.to_owned())
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((&first, rest)) if first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed() {
        let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
        for (text, is_allowed) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("GPL-3.0/MIT", true),
            ("MIT AND GPL-3.0", false),
            ("MIT AND Zlib", true),
            ("GPL-3.0 OR MIT AND Zlib", true),
            ("(GPL-3.0 OR MIT) AND Zlib", true),
            ("(MIT OR Zlib) AND GPL-3.0", false),
            ("Apache-2.0", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ] {
            assert_eq!(Licence::parse(text).unwrap().is_allowed(&allowed), is_allowed, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_told() {
        for text in ["", "MIT OR", "OR MIT", "(MIT", "MIT)", "MIT Zlib", "MIT WITH"] {
            assert_eq!(Licence::parse(text), None, "{text}");
        }
    }
}
