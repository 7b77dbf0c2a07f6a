//! What a run of all targets came to.

use std::fmt::Write as _;

use indicatif::HumanCount;

use super::campaign::Campaign;

/// A target below this many executions a second explores too little: it is to be made faster.
const SLOW: u64 = 1000;

/// A line for each target: executions, their rate, coverage before and after.
pub(crate) fn table(campaigns: &[Campaign]) -> String {
    let mut table = format!("{:<20} {:>14} {:>10}  coverage\n", "target", "executions", "a second");
    for campaign in campaigns {
        let executions = HumanCount(campaign.status.executions).to_string();
        let rate = HumanCount(campaign.rate()).to_string();
        let before = campaign.began.map_or(0, |status| status.coverage);
        let after = campaign.status.coverage;
        let slow = if campaign.rate() < SLOW { ", slow" } else { "" };
        let found = if campaign.finding().is_some() { ", FOUND SOMETHING" } else { "" };
        let target = &campaign.target;
        let _infallible =
            writeln!(table, "{target:<20} {executions:>14} {rate:>10}  {before} -> {after}{slow}{found}");
    }
    table
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::status::Status;
    use super::*;

    #[test]
    fn each_target_has_its_line() {
        let status = |executions, coverage| Status { executions, coverage };
        let campaign = |target: &str, executions| Campaign {
            target: target.to_owned(),
            began: Some(status(1, 10)),
            status: status(executions, 20),
            time: Duration::from_secs(60),
            ..Campaign::default()
        };
        let table = table(&[campaign("quick", 1_200_000), campaign("late", 600)]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[1], "quick                     1,200,000     20,000  10 -> 20");
        assert_eq!(lines[2], "late                            600         10  10 -> 20, slow");
    }
}
