//! Counts beside their baseline, for people.

use std::fmt::Write as _;

use super::baseline::{Count, Verdict};

/// All of them.
pub(crate) fn table(verdicts: &[Verdict]) -> String {
    rows(verdicts.iter(), verdicts.len())
}

/// Those alone that have changed.
pub(crate) fn changes(verdicts: &[Verdict]) -> String {
    rows(verdicts.iter().filter(|verdict| verdict.is_change()), verdicts.len())
}

fn rows<'a>(verdicts: impl Iterator<Item = &'a Verdict> + Clone, total: usize) -> String {
    let mut text = String::new();
    if verdicts.clone().next().is_some() {
        let _ = writeln!(
            text,
            "{:<32} {:>12} {:>12} {:>7}  {:>10} {:>7}  {:>8}",
            "per operation", "baseline", "program", "", "libc", "", "allocs"
        );
    }
    let (mut worse, mut better) = (0, 0);
    for verdict in verdicts {
        worse += usize::from(verdict.is_worse());
        better += usize::from(!verdict.better.is_empty());
        let _ = writeln!(text, "{}", row(verdict));
    }
    let _ = writeln!(text, "{total} cases counted, {worse} not as the baseline has them, {better} better");
    if worse > 0 {
        text += "mend what got slower; what must cost that much: cargo xtask bench --counts --bless\n";
    } else if better > 0 {
        text += "keep what was gained: cargo xtask bench --counts --bless\n";
    }
    text
}

fn row(verdict: &Verdict) -> String {
    let name = &verdict.name;
    let (before, now) = match (verdict.baseline, verdict.count) {
        (Some(before), Some(now)) => (before, now),
        (None, Some(now)) => return format!("{name:<32} {:>12} {:>12.1}  is new", "-", now.program),
        (Some(before), None) => return format!("{name:<32} {:>12.1} {:>12}  is gone", before.program, "-"),
        (None, None) => return name.clone(),
    };
    let Count { program, libc, allocations } = now;
    let mut row = format!(
        "{name:<32} {:>12.1} {program:>12.1} {:>7}  {libc:>10.1} {:>7}  {allocations:>8.2}",
        before.program,
        change(before.program, program),
        change(before.libc, libc),
    );
    if !verdict.worse.is_empty() {
        let _ = write!(row, "  WORSE: {}", verdict.worse.join(", "));
    }
    if !verdict.better.is_empty() {
        let _ = write!(row, "  better: {}", verdict.better.join(", "));
    }
    row
}

/// The change in percent.
fn change(before: f64, now: f64) -> String {
    if before < 0.005 {
        return if now < 0.005 { String::new() } else { "new".to_owned() };
    }
    let percent = (now / before - 1.0) * 100.0;
    if percent.abs() < 0.05 { "=".to_owned() } else { format!("{percent:+.1}%") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_in_percent() {
        assert_eq!(change(100.0, 100.0), "=");
        assert_eq!(change(100.0, 103.1), "+3.1%");
        assert_eq!(change(200.0, 150.0), "-25.0%");
        assert_eq!(change(0.0, 0.0), "");
        assert_eq!(change(0.0, 1.0), "new");
    }
}
