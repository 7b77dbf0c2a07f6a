//! One step of the test run.

use std::process::Command;

use anyhow::{Context as _, bail};

/// A step: what it is called, what to do when it fails, and how to run it.
pub(crate) struct Step<'a> {
    pub(crate) name: &'static str,
    pub(crate) advice: &'static str,
    action: Box<dyn FnOnce() -> anyhow::Result<Outcome> + 'a>,
}

/// How a step ended, if it did not fail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// This machine lacks what the step needs; the text says what.
    NotTested(String),
}

impl<'a> Step<'a> {
    pub(crate) fn new(
        name: &'static str,
        advice: &'static str,
        action: impl FnOnce() -> anyhow::Result<Outcome> + 'a,
    ) -> Self {
        Self { name, advice, action: Box::new(action) }
    }

    /// A step that passes when a program ends well.
    pub(crate) fn command(name: &'static str, advice: &'static str, mut command: Command) -> Self {
        Self::new(name, advice, move || {
            let status =
                command.status().with_context(|| format!("cannot start {:?}", command.get_program()))?;
            if !status.success() {
                bail!("`{}` failed ({status})", words(&command));
            }
            Ok(Outcome::Passed)
        })
    }

    /// # Errors
    /// When the step fails.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        (self.action)()
    }
}

/// The command as one would type it.
fn words(command: &Command) -> String {
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    ["cargo".to_owned()].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(argument: &str) -> Step<'static> {
        let mut command = Command::new(env!("CARGO"));
        command.arg(argument).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        Step::command("cargo", "none", command)
    }

    #[test]
    fn a_command_passes_when_it_ends_well() {
        assert_eq!(cargo("--version").run().unwrap(), Outcome::Passed);
    }

    #[test]
    fn a_command_that_fails_says_what_it_was() {
        let error = cargo("no-such-command").run().unwrap_err();
        assert!(error.to_string().starts_with("`cargo no-such-command` failed"), "{error}");
        assert!(Step::command("none", "none", Command::new("no such program")).run().is_err());
    }
}
