//! Lines for the person in front of the terminal.

use std::{
    fmt,
    io::{self, Write},
};

/// Writes a line to standard error. Nobody is left to be told when that fails.
pub(crate) fn error(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}
