//! How far a target has come: a bar on a terminal, two lines elsewhere.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use super::campaign::Campaign;

/// Shows a run while it goes on.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(target: &str, time: Duration) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(time.as_secs().max(1)).with_prefix(target.to_owned());
            if let Ok(style) =
                ProgressStyle::with_template("{prefix:16} {bar:30} {msg} ({elapsed}, {eta} left)")
            {
                bar.set_style(style);
            }
            bar
        });
        if bar.is_none() {
            eprintln!("fuzz {target}: {} s", time.as_secs());
        }
        Self { bar }
    }

    pub(crate) fn show(&self, campaign: &Campaign) {
        if let Some(bar) = &self.bar {
            bar.set_position(campaign.time.as_secs());
            let (executions, rate) = (HumanCount(campaign.status.executions), HumanCount(campaign.rate()));
            let coverage = campaign.status.coverage;
            bar.set_message(format!("{executions} executions, {rate} a second, coverage {coverage}"));
        }
    }

    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
