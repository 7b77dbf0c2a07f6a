//! `cargo xtask autobahn`: the Autobahn suite against the shipped programs, in both roles.
//!
//! The stages, each in its file: install the suite ([`suite`]), build what is tested ([`peers`]), run one role
//! ([`server_role`], [`client_role`]), judge every case against `docs/conformance/expectations.toml`
//! ([`expectations`], [`judge`]), write the report ([`report`]).

mod cases;
mod client_role;
mod docker;
mod expectations;
mod index;
mod judge;
mod peers;
mod progress;
mod python;
mod report;
mod role;
mod server_role;
mod suite;
mod suite_process;
mod wire_log;
mod work;

use std::path::PathBuf;

use anyhow::bail;

use self::cases::Pattern;
use self::expectations::Expectations;
use self::judge::Judgement;
use self::peers::Peers;
use self::role::Role;
pub(crate) use self::suite::{Suite, Unavailable};
use self::work::Work;
use crate::repo::Repo;

/// The name under which the suite files our results.
const AGENT: &str = "ws-stack";

/// Which roles to test, with which cases, and where to report.
#[derive(clap::Args, Debug, Default)]
pub(crate) struct Args {
    /// The role to test; both, one after the other, when absent
    #[arg(value_enum)]
    pub(crate) role: Option<Role>,
    /// Cases to run, such as 1.* or 9.3.1; all, but for those listed as not run, when absent
    #[arg(long, num_args = 1.., value_name = "PATTERN")]
    pub(crate) cases: Vec<Pattern>,
    /// Where to write the report [default: autobahn/report in the target directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
}

/// Installs the suite where that is needed, then runs it.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let repo = Repo::find()?;
    let suite = install(&repo)?;
    run_with(&repo, &suite, args)
}

/// Installs the suite, or says what a machine needs for it.
pub(crate) fn install(repo: &Repo) -> Result<Suite, Unavailable> {
    Suite::install(&repo.target.join("autobahn"))
}

/// Runs the roles that `args` asks for, prints a summary, writes the report.
///
/// # Errors
/// When a case deviates from its expectation or was not run, and when something that is needed does not work.
pub(crate) fn run_with(repo: &Repo, suite: &Suite, args: &Args) -> anyhow::Result<()> {
    let expectations = Expectations::load(&repo.root.join("docs/conformance/expectations.toml"))?;
    let peers = Peers::build(repo)?;
    let selection = cases::Selection::new(&args.cases, expectations.not_run());
    let home = repo.target.join("autobahn");
    let report_dir = args.report.clone().unwrap_or_else(|| home.join("report"));

    let roles = args.role.map_or_else(|| Role::ALL.to_vec(), |role| vec![role]);
    let mut judgements = Vec::new();
    for role in roles {
        let work = Work::prepare(&home, role)?;
        let run = match role {
            Role::Server => server_role::run(suite, &peers, &work, &selection)?,
            Role::Client => client_role::run(suite, &peers, &work, &selection)?,
        };
        let judgement = Judgement::reach(role, &run, &work, &expectations)?;
        println!("{}", judgement.summary());
        judgements.push(judgement);
    }
    let page = report::write(&report_dir, &judgements)?;
    println!("report: {}", page.display());

    let deviations: usize = judgements.iter().map(|judgement| judgement.deviations().count()).sum();
    if deviations > 0 {
        for line in judgements.iter().flat_map(Judgement::deviations) {
            println!("  {line}");
        }
        bail!(
            "{deviations} deviations from docs/conformance/expectations.toml; the report has their wire logs"
        );
    }
    Ok(())
}
