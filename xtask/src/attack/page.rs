//! The page in the docs: what came of each group, and of each flood.

use std::fmt::Write as _;
use std::time::Duration;

use super::row::Row;

/// Where it lies.
pub(crate) const PATH: &str = "docs/reliability/attacks.md";

/// The whole page.
pub(crate) fn page(rows: &[Row], is_quiet: bool) -> String {
    let machine = if is_quiet { "a machine that did nothing else" } else { "a machine that was busy" };
    let mut text = format!(
        "# Hostile peers\n\n\
         Written by `cargo xtask attack --publish`: what came of attacks on `ws serve` and `ws connect`, as they are shipped, \
         over real sockets of {machine}. What each attack does is in `xtask/src/attack/`, with its exact outcome and its \
         bounds on time, CPU and memory; one that has another outcome or passes a bound fails the command, and then there is \
         no page.\n\n\
         ## Groups\n\n\
         One line for each kind of attack. *attacks*: how many there are of it. *in all*: how long they took together. *most \
         CPU*: what the dearest of them made the attacked process work, in all its threads. *most memory*: the most that the \
         attacked process had at its peak, during one of them, beyond what it had before.\n\n\
         | group | attacks | in all | most CPU | most memory |\n| --- | --- | --- | --- | --- |\n"
    );
    for group in groups(rows) {
        let rows: Vec<_> = rows.iter().filter(|row| row.group == group).collect();
        let time: Duration = rows.iter().map(|row| row.time).sum();
        let cpu = rows.iter().map(|row| row.cpu).max().unwrap_or_default();
        let memory = rows.iter().map(|row| row.memory).max().unwrap_or_default();
        let _ = writeln!(
            text,
            "| {group} | {} | {:.1} s | {} | {} |",
            rows.len(),
            time.as_secs_f64(),
            milliseconds(cpu),
            kibibytes(memory)
        );
    }
    text.push_str(
        "\n## Floods\n\n\
         The attacks that send much of something, each with an honest client beside it that sends a message a millisecond. \
         *outcome*: what the attacker saw in the end. *memory*, *CPU*: of the server, at its peak and for one time. *honest \
         client*: what 99 of 100 of its answers took at most by the clock on the wall, on which the attackers' own work counts as \
         well. *of that the server*: the CPU time that the server spent meanwhile.\n\n\
         | flood | outcome | memory | CPU | honest client | of that the server |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for (row, wait) in rows.iter().filter_map(|row| Some((row, row.honest?))) {
        let (memory, cpu) = (kibibytes(row.memory), milliseconds(row.cpu));
        let (wall, server) = (milliseconds(wait.wall), milliseconds(wait.server));
        let outcome = outcome(row);
        let _ = writeln!(text, "| {} | {outcome} | {memory} | {cpu} | {wall} | {server} |", row.name);
    }
    text.push_str(
        "\n## What takes its time, or is counted\n\n\
         Attacks whose figure is in their outcome: deadlines that pass, work that grows in proportion, memory that stays, answers \
         behind a crowd. *memory* and *CPU* are those of the attacked process.\n\n\
         | attack | outcome | memory | CPU |\n| --- | --- | --- | --- |\n",
    );
    let told = ["linear", "comings", "behind a crowd", "slow", "slow TLS", "long"];
    let is_told = |row: &&Row| {
        row.honest.is_none()
            && told.iter().any(|group| row.group.split_once(' ').is_some_and(|(_, name)| name == *group))
    };
    for row in rows.iter().filter(is_told) {
        let (memory, cpu) = (kibibytes(row.memory), milliseconds(row.cpu));
        let _ = writeln!(text, "| {}: {} | {} | {memory} | {cpu} |", row.group, row.name, outcome(row));
    }
    text
}

fn groups(rows: &[Row]) -> Vec<&str> {
    let mut groups: Vec<_> = rows.iter().map(|row| row.group.as_str()).collect();
    groups.dedup();
    groups
}

fn outcome(row: &Row) -> &str {
    row.seen.as_ref().map_or("failed", String::as_str)
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn kibibytes(bytes: u64) -> String {
    if bytes < 10 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) }
}

#[cfg(test)]
mod tests {
    use super::super::honest::Wait;
    use super::super::plan::Bounds;
    use super::*;

    #[test]
    fn groups_floods_and_what_is_counted_have_their_lines() {
        let row = Row {
            group: "server frames".to_owned(),
            name: "a mask too few".to_owned(),
            seen: Ok("Close 1002".to_owned()),
            time: Duration::from_secs(2),
            cpu: Duration::from_micros(1500),
            memory: 20 << 20,
            bounds: Bounds::SMALL,
            honest: None,
            wall: Duration::MAX,
        };
        let wait = Wait { wall: Duration::from_millis(4), server: Duration::from_millis(1) };
        let flood = Row {
            group: "server floods".to_owned(),
            name: "pings".to_owned(),
            memory: 3 << 10,
            honest: Some(wait),
            ..row.clone()
        };
        let slow = Row { group: "server slow".to_owned(), name: "waits".to_owned(), ..row.clone() };
        let page = page(&[row.clone(), row, flood, slow], true);
        for line in [
            "| server frames | 2 | 4.0 s | 1.5 ms | 20 MiB |",
            "| pings | Close 1002 | 3 KiB | 1.5 ms | 4.0 ms | 1.0 ms |",
            "| server slow: waits | Close 1002 | 20 MiB | 1.5 ms |",
        ] {
            assert!(page.lines().any(|found| found == line), "{line}\n{page}");
        }
        assert!(page.contains("did nothing else"));
    }
}
