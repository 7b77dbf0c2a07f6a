//! `cargo xtask fuzz`: the fuzz targets in turn, each for some minutes.
//!
//! What is needed ([`tools`]), which targets there are ([`targets`]), one target's run ([`campaign`]) and what it says
//! while it runs ([`status`]), shown ([`progress`]), summed up ([`report`]) and published ([`page`]).

mod campaign;
mod page;
mod processor;
mod progress;
mod report;
mod status;
mod targets;
mod tools;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};

use self::campaign::Campaign;
use self::tools::{Build, Tools};
use crate::repo::Repo;

/// Which targets to run, and for how long.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The target to run; all, one after the other, when absent
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 1.0, value_parser = minutes, value_name = "N")]
    minutes: f64,
    /// Without `AddressSanitizer`, and without a look at what values are compared with: about seven times as many
    /// executions, for long campaigns behind one with both
    #[arg(long)]
    plain: bool,
    /// Run nothing; write what the last campaigns came to into docs/reliability/fuzzing.md, from the logs in the target
    /// directory or in DIR
    #[arg(long, value_name = "DIR", conflicts_with_all = ["minutes", "plain"])]
    publish: Option<Option<PathBuf>>,
}

/// A time that has an end.
fn minutes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(minutes) if (0.05..=10_000.0).contains(&minutes) => Ok(minutes),
        _ => Err("between 0.05 and 10000".to_owned()),
    }
}

/// Builds the targets and runs them; all of them, even when one finds something.
///
/// # Errors
/// When a target has found something, with the command that reproduces it, or when something that is needed is missing.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let repo = Repo::find()?;
    let targets = targets::select(&repo, args.target.as_deref())?;
    let build = if args.plain { Build::Plain } else { Build::Address };
    if let Some(logs) = &args.publish {
        let logs = logs.clone().unwrap_or_else(|| Tools::of(&repo, build).logs());
        print!("{}", report::table(&page::publish(&repo, &logs, &targets)?));
        return Ok(());
    }
    let tools = Tools::find(&repo, build)?;
    ensure!(tools.compile(&targets)?.success(), "the fuzz targets do not build");

    let time = Duration::from_secs_f64(args.minutes * 60.0);
    let campaigns = targets
        .iter()
        .map(|target| Campaign::run(&tools, target, time))
        .collect::<anyhow::Result<Vec<_>>>()?;
    print!("{}", report::table(&campaigns));
    let findings: Vec<_> = campaigns.iter().filter_map(Campaign::finding).collect();
    match findings.len() {
        0 => Ok(()),
        found => bail!("{found} of {} targets found something\n\n{}", targets.len(), findings.join("\n\n")),
    }
}
