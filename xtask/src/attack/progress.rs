//! How far the attacks have come: a bar on a terminal, a line for each group elsewhere.

use std::io::{IsTerminal as _, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows a group of attacks while it goes on.
#[derive(Debug)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    pub(crate) fn new(group: &str, attacks: usize) -> Self {
        if !stderr().is_terminal() {
            eprintln!("attack {group}: {attacks} attacks");
            return Self(None);
        }
        let bar = ProgressBar::new(attacks as u64).with_prefix(group.to_owned());
        if let Ok(style) = ProgressStyle::with_template("{prefix:18} {bar:30} {pos}/{len} {msg} ({elapsed})")
        {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    pub(crate) fn begin(&self, name: &str) {
        if let Some(bar) = &self.0 {
            bar.set_message(name.to_owned());
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
