//! The programs that the tests play with: without one its tests pass and have shown nothing, which is to be said.

use std::process::Command;

use super::step::Outcome;

/// What the tests of interoperation start.
const PROGRAMS: [&str; 3] = ["node", "npm", "python3"];

pub(crate) fn check() -> Outcome {
    let missing: Vec<_> = PROGRAMS.into_iter().filter(|program| !answers(program)).collect();
    if missing.is_empty() {
        return Outcome::Passed;
    }
    Outcome::NotTested(format!("{} not found: real peers were not played with", missing.join(", ")))
}

fn answers(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!super::answers("no such program"));
    }
}
