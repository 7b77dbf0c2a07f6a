//! All campaigns as a table in the documents.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use indicatif::HumanCount;

use super::campaign::Campaign;
use crate::repo::Repo;

const PAGE: &str = "docs/reliability/fuzzing.md";

/// Between these lines of the page stands the table.
const BEGIN: &str = "<!-- campaigns: by `cargo xtask fuzz --publish` -->";
const END: &str = "<!-- end of the campaigns -->";

/// Sums up the logs of these targets, `TARGET.log` and `TARGET.*.log`, and writes what they came to into the page.
///
/// # Errors
/// When there is no log, when a campaign has found something, or when the page cannot be written.
pub(crate) fn publish(repo: &Repo, logs: &Path, targets: &[String]) -> anyhow::Result<Vec<Campaign>> {
    let (mut campaigns, mut latest) = (Vec::new(), UNIX_EPOCH);
    for target in targets {
        let mut sum: Option<Campaign> = None;
        for (modified, text) in logs_of(logs, target)? {
            latest = latest.max(modified);
            let campaign = Campaign::read(target, &text);
            match &mut sum {
                None => sum = Some(campaign),
                Some(sum) => sum.add(campaign),
            }
        }
        campaigns.extend(sum);
    }
    ensure!(!campaigns.is_empty(), "there are no logs of campaigns in {}", logs.display());
    let findings: Vec<_> = campaigns.iter().filter_map(Campaign::finding).collect();
    ensure!(findings.is_empty(), "not published: {}", findings.join("\n\n"));

    let path = repo.root.join(PAGE);
    let page = fs::read_to_string(&path).with_context(|| format!("cannot read {PAGE}"))?;
    let table = table(&campaigns, &date(latest), |target| seeds(repo, target));
    fs::write(&path, replace(&page, &table).with_context(|| format!("no place for the table in {PAGE}"))?)?;
    Ok(campaigns)
}

/// The oldest first.
fn logs_of(directory: &Path, target: &str) -> anyhow::Result<Vec<(SystemTime, String)>> {
    let mut logs = Vec::new();
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let rest = name.strip_prefix(target).unwrap_or_default();
        if rest.starts_with('.') && rest.ends_with(".log") {
            let text = fs::read(&path).with_context(|| format!("cannot read {name}"))?;
            logs.push((path.metadata()?.modified()?, String::from_utf8_lossy(&text).into_owned()));
        }
    }
    logs.sort();
    Ok(logs)
}

/// How many inputs are checked in.
fn seeds(repo: &Repo, target: &str) -> usize {
    fs::read_dir(repo.root.join("fuzz/seeds").join(target)).map_or(0, Iterator::count)
}

fn table(campaigns: &[Campaign], date: &str, seeds: impl Fn(&str) -> usize) -> String {
    let mut table = format!(
        "All campaigns up to {date}, summed. Nothing was found.\n\n\
        | target | minutes | executions | with AddressSanitizer | a second | coverage | seeds |\n\
        | --- | --: | --: | --: | --: | --: | --: |\n"
    );
    for campaign in campaigns {
        let minutes = campaign.time.as_secs_f64() / 60.0;
        let [executions, watched, rate] =
            [campaign.status.executions, campaign.watched, campaign.rate()].map(HumanCount);
        let before = campaign.began.map_or(0, |status| status.coverage);
        let (target, after, seeds) = (&campaign.target, campaign.status.coverage, seeds(&campaign.target));
        let _infallible = writeln!(
            table,
            "| `{target}` | {minutes:.0} | {executions} | {watched} | {rate} | {before} to {after} | {seeds} |"
        );
    }
    let all: u64 = campaigns.iter().map(|campaign| campaign.status.executions).sum();
    let watched: u64 = campaigns.iter().map(|campaign| campaign.watched).sum();
    let _infallible = writeln!(table, "| all | | {} | {} | | | |", HumanCount(all), HumanCount(watched));
    table
}

/// The page with this table instead of the one that it has.
fn replace(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, behind) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}{END}{behind}"))
}

/// The day, in UTC, in the Gregorian calendar counted from a March: the odd day of a leap year is the last then.
fn date(time: SystemTime) -> String {
    let days = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400) + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{}-{month:02}-{day:02}", era * 400 + year + carry)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_campaign_is_a_line_between_the_marks() {
        let log = "#3\tINITED cov: 10 ft: 1\n#9\tNEW cov: 14 ft: 1\nstat::number_of_executed_units: 6000\n\
            Done 6000 runs in 120 second(s)\nstat::cpu_seconds: 4\n";
        let table = table(&[Campaign::read("a", log)], "2026-11-21", |_| 7);
        assert!(
            table.contains("\n| `a` | 2 | 6,000 | 6,000 | 1,500 | 10 to 14 | 7 |\n| all | | 6,000 |"),
            "{table}"
        );
        let page = format!("before\n{BEGIN}\nold\n{END}\nbehind\n");
        let new = replace(&page, "new\n").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\nnew\n{END}\nbehind\n"));
        assert_eq!(replace("no marks", "new"), None);
    }

    #[test]
    fn days_have_their_dates() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (19_722, "2023-12-31"),
            (20_778, "2026-11-21"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(day * 86_400 + 86_399)), expected);
        }
    }
}
