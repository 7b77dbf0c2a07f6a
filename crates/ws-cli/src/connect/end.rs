//! How a session has ended: the line for a person, and the status for a shell.

use std::{fmt, process::ExitCode};

use ws_stack::{CloseCode, Closed, frame::NO_STATUS};

/// How a session has ended.
#[derive(Debug)]
pub(super) struct End {
    /// The peer's status code, 1006 if there was none.
    code: u16,
    reason: String,
    /// What went wrong, on the connection or in reading the input.
    failure: Option<String>,
}

impl End {
    pub(super) fn new(closed: Option<Closed>, failure: Option<String>) -> Self {
        let abnormal = ws_stack::frame::ABNORMAL;
        let (code, reason) =
            closed.map_or((abnormal, String::new()), |closed| (closed.code, closed.reason.into()));
        Self { code, reason, failure }
    }

    /// Success after a closing handshake with 1000, 1001 or no code, if nothing else went wrong.
    pub(super) fn status(&self) -> ExitCode {
        if self.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn is_success(&self) -> bool {
        matches!(self.code, 1000 | 1001 | NO_STATUS) && self.failure.is_none()
    }
}

/// `closed: 1000 (normal closure) reason`.
impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.code {
            NO_STATUS => "no status",
            code => CloseCode::new(code).map_or("abnormal closure", CloseCode::meaning),
        };
        write!(f, "closed: {} ({meaning})", self.code)?;
        if !self.reason.is_empty() {
            write!(f, " {}", self.reason)?;
        }
        if let Some(failure) = &self.failure {
            write!(f, "; {failure}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(code: u16, reason: &str, failure: Option<&str>) -> End {
        End { code, reason: reason.to_owned(), failure: failure.map(str::to_owned) }
    }

    #[test]
    fn the_line_has_code_meaning_and_reason() {
        for (end, line) in [
            (end(1000, "", None), "closed: 1000 (normal closure)"),
            (end(1001, "server stops", None), "closed: 1001 (going away) server stops"),
            (end(NO_STATUS, "", None), "closed: 1005 (no status)"),
            (end(1006, "", Some("connection lost")), "closed: 1006 (abnormal closure); connection lost"),
            (end(4000, "bye", None), "closed: 4000 (private use) bye"),
        ] {
            assert_eq!(end.to_string(), line);
        }
    }

    #[test]
    fn only_a_usual_close_is_a_success() {
        for code in [1000, 1001, NO_STATUS] {
            assert!(end(code, "", None).is_success());
            assert!(!end(code, "", Some("a line is too long")).is_success());
        }
        for code in [1002, 1006, 1007, 1008, 1009, 1011, 3000, 4999] {
            assert!(!end(code, "", None).is_success());
        }
    }
}
