//! How far it has come: a bar on a terminal, a line now and then elsewhere.

use std::{
    cell::Cell,
    io::{IsTerminal as _, stderr},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{clients::Tally, report::mebibytes};
use crate::attack::process::Usage;

/// Without a terminal this many lines are written.
const LINES: u32 = 20;

#[derive(Debug)]
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    lasts: Duration,
    /// When the next line is due.
    next: Cell<Duration>,
}

impl Progress {
    pub(super) fn new(lasts: Duration) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(lasts.as_secs());
            if let Ok(style) = ProgressStyle::with_template("soak {bar:30} {elapsed} of {len}s, {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, lasts, next: Cell::default() }
    }

    pub(super) fn show(&self, at: Duration, usage: &Usage, tally: Tally) {
        let Tally { lives, open, answered, failed, .. } = tally;
        let resident = mebibytes(usage.resident as f64);
        let state = format!("{open} open, {lives} lives, {answered} answers, {failed} failures, {resident}");
        match &self.bar {
            Some(bar) => {
                bar.set_position(at.as_secs());
                bar.set_message(state);
            }
            None if at >= self.next.get() => {
                self.next.set(at + self.lasts / LINES);
                eprintln!("soak {} of {} s: {state}", at.as_secs(), self.lasts.as_secs());
            }
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
