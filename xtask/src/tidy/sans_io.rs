//! Rule: a crate below the ones that do I/O does none: it opens nothing, reads no clock, starts no thread, takes no
//! lock, prints nothing. What it needs of these comes in as an argument.

use super::Finding;
use super::source::Source;
use super::table;
use super::workspace::Crate;

/// What std has for I/O, for clocks and for waiting.
const PATHS: &[&str] = &[
    "env",
    "fs",
    "io",
    "net",
    "os",
    "process",
    "thread",
    "sync::RwLock",
    "sync::Condvar",
    "sync::mpsc",
    "time::SystemTime",
];

/// A type of these modules that does nothing: a list of slices is how bytes are lent to the one who writes them.
const HARMLESS: &str = "io::IoSlice";

/// Calls that read a clock, write to the terminal or wait for a lock. A `Mutex` that is never locked is a cell.
const CALLS: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    ".lock()",
    ".try_lock()",
];

/// The crate that holds a bounded pool of compressors: it alone may try a lock, and go on without when it is taken.
const MAY_TRY_LOCK: &str = "ws-deflate";

pub(crate) fn check(member: &Crate) -> Vec<Finding> {
    if !table::row(&member.name).is_some_and(|row| row.sans_io) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for source in &member.sources {
        for (at, path) in std_paths(source) {
            if is_within(&path, HARMLESS) {
                continue;
            }
            if let Some(forbidden) = PATHS.iter().find(|forbidden| is_within(&path, forbidden)) {
                let message = format!("uses std::{forbidden} in a crate without I/O");
                findings.push(Finding::error(source.place(at), message));
            }
        }
        // `io::{self, Read}` is one import, whatever number of paths it is.
        findings.dedup();
        for call in CALLS {
            if *call == ".try_lock()" && member.name == MAY_TRY_LOCK {
                continue;
            }
            let places = source.code.match_indices(call).filter(|(at, _)| begins_a_word(&source.code, *at));
            let message = format!("calls {call} in a crate without I/O");
            findings.extend(places.map(|(at, _)| Finding::error(source.place(at), message.clone())));
        }
    }
    findings
}

/// Whether a path is the forbidden one or leads into it.
fn is_within(path: &str, forbidden: &str) -> bool {
    path.strip_prefix(forbidden).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether a name that starts here is no end of a longer one; a method's dot starts none.
fn begins_a_word(code: &str, at: usize) -> bool {
    code[at..].starts_with('.') || !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Every path below `std`, groups in braces taken apart.
fn std_paths(source: &Source) -> Vec<(usize, String)> {
    let mut paths = Vec::new();
    for (at, root) in source.code.match_indices("std::") {
        if begins_a_word(&source.code, at) {
            expand(&source.code[at + root.len()..], "", &mut |path| paths.push((at, path)));
        }
    }
    paths
}

/// Takes a path apart from its first name on; gives the length of what belongs to it.
fn expand(text: &str, prefix: &str, found: &mut dyn FnMut(String)) -> usize {
    let mut path = prefix.to_owned();
    let mut at = 0;
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        if text[at..].starts_with('{') {
            return at + group(&text[at..], &path, found);
        }
        let name: &str =
            text[at..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        path.push_str(name);
        at += name.len();
        if name.is_empty() || !text[at..].starts_with("::") {
            found(path);
            return at;
        }
        path.push_str("::");
        at += 2;
    }
}

/// `{a, b::c, self}` behind a path.
fn group(text: &str, prefix: &str, found: &mut dyn FnMut(String)) -> usize {
    let mut at = 1;
    while at < text.len() && !text[at..].starts_with('}') {
        at += expand(&text[at..], prefix, found);
        // Whatever stands between two members: a comma, `as name`.
        at += text[at..].find([',', '}']).unwrap_or(text.len() - at);
        if text[at..].starts_with(',') {
            at += 1;
            at += text[at..].len() - text[at..].trim_start().len();
        }
    }
    (at + 1).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, text: &str) -> Vec<Finding> {
        let sources = vec![Source::new("crates/a/src/a.rs", text)];
        check(&Crate { name: name.to_owned(), sources, ..Crate::default() })
    }

    #[test]
    fn what_does_no_io_passes() {
        let text = "use std::{fmt, time::{Duration, Instant}};\nuse std::sync::Arc;\nuse core::net::IpAddr;\n\
                    use std::collections::VecDeque;\nuse std::ops;\nuse std::{collections::VecDeque, io::IoSlice, sync::Mutex};\n\
                    // std::io\nfn a() -> &'static str { \"std::net\" }\n\
                    #[cfg(test)]\nmod tests { use std::thread; fn a() { Instant::now(); } }\n";
        assert_eq!(findings("ws-driver", text), []);
        assert_eq!(findings("ws-tokio", "use std::io;"), []);
    }

    #[test]
    fn every_form_of_io_is_found() {
        for text in [
            "use std::io;",
            "use std::io::Read as _;",
            "fn a() -> std::io::Result<()> {}",
            "use std::{fmt, io};",
            "use std::{fmt::{self, Debug}, net::IpAddr};",
            "use std::{\n    fmt,\n    thread::{self, JoinHandle},\n};",
            "fn a() { ::std::thread::spawn(b); }",
            "use std::sync::RwLock;",
            "use std::{sync::{Arc, Condvar}};",
            "use std::io::{IoSlice, Write};",
            "fn a(b: &Mutex<u8>) { *b.lock().unwrap() = 1; }",
            "fn a(b: &Mutex<u8>) { *b.try_lock().unwrap() = 1; }",
            "fn a() { let now = Instant::now(); }",
            "fn a() { let now = std::time::Instant::now(); }",
            "use std::time::SystemTime;",
            "fn a() { println!(); }",
            "use std::env;",
        ] {
            assert_eq!(findings("ws-driver", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_not_found() {
        for text in [
            "use my_std::io;",
            "use std::iter;",
            "use std::network;",
            "fn a() { sprintln!(); }",
            "use std::io_like;",
        ] {
            assert_eq!(findings("ws-frame", text), [], "{text}");
        }
    }

    #[test]
    fn one_crate_may_try_a_lock() {
        assert_eq!(findings("ws-deflate", "fn a(b: &Mutex<u8>) { b.try_lock(); }"), []);
        assert_eq!(findings("ws-deflate", "fn a(b: &Mutex<u8>) { b.lock(); }").len(), 1);
    }
}
