//! What must cost in proportion to what is sent, and no more: fragments, heads that dribble.

use std::time::Duration;

use anyhow::ensure;

use super::super::peer::{Cut, Ending, talk};
use super::super::plan::{Attack, Bounds};
use super::super::process::cpu;
use super::super::wire::{By, close, request_with};
use super::floods::fragmented;
use super::{Server, expect};

/// By how much more than in proportion something may cost: how many reads a dribble takes is left to chance, and what is
/// quadratic costs 8 or 15 times as much.
const SLACK: f64 = 3.0;

const BOUNDS: Bounds =
    Bounds::SMALL.time(Duration::from_secs(60)).cpu(Duration::from_secs(10)).memory(1 << 20);

pub(super) fn attacks() -> Vec<Attack<Server>> {
    vec![
        linear("65,536 and 1,000,000 fragments", 65_536.0 / 1_000_000.0, |server, is_large| {
            // As many as a message may have, eight times, since no message may have a million.
            let (message, count) = if is_large { (fragmented(125_000), 8) } else { (fragmented(65_536), 1) };
            in_fragments(server, &[message.repeat(count), close(By::Client, 1000, "")].concat(), count)
        }),
        linear("16,384 and 131,072 fragments of one message", 1.0 / 8.0, |server, is_large| {
            let message = fragmented(if is_large { 131_072 } else { 16_384 });
            in_fragments(server, &[message, close(By::Client, 1000, "")].concat(), 1)
        }),
        linear("heads of 1 KiB and 15 KiB, a byte at a time", 1.0 / 15.0, |server, is_large| {
            let len = if is_large { 15 << 10 } else { 1 << 10 };
            dribbled(server, &request_with(&format!("A: {}", "b".repeat(len - 200))))
        }),
        linear("heads of 6 and 90 lines, a byte at a time", 1.0 / 15.0, |server, is_large| {
            let lines = if is_large { 94 } else { 1 };
            dribbled(server, &request_with(&["A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"; 94][..lines].join("\r\n")))
        }),
    ]
}

/// What is so much larger must not cost more than that in CPU. The cheapest of three counts, of each.
fn linear(
    name: &str,
    small_of_large: f64,
    act: impl Fn(&Server, bool) -> anyhow::Result<()> + 'static,
) -> Attack<Server> {
    let times = 1.0 / small_of_large;
    Attack::new(format!("{name}: linear"), BOUNDS, move |server: &Server| {
        let mut costs = [Duration::MAX; 2];
        for _ in 0..3 {
            for (cost, is_large) in costs.iter_mut().zip([false, true]) {
                let before = cpu(server.pid())?;
                act(server, is_large)?;
                *cost = (*cost).min(cpu(server.pid())?.saturating_sub(before));
            }
        }
        let ratio = costs[1].as_secs_f64() / costs[0].as_secs_f64().max(1e-9);
        ensure!(ratio < times * SLACK, "{times:.1} times as much cost {ratio:.1} times the CPU");
        Ok(format!("{times:.1} times as much cost {ratio:.1} times the CPU"))
    })
}

fn in_fragments(server: &Server, bytes: &[u8], messages: usize) -> anyhow::Result<()> {
    let patience = Duration::from_secs(20);
    let seen = talk(server.address, super::super::wire::REQUEST.as_bytes(), bytes, Cut::Whole, patience)?;
    ensure!(seen.frames.len() == messages, "{} messages were echoed", seen.frames.len());
    expect(&seen, Ending::Close(Some(1000)))
}

fn dribbled(server: &Server, request: &str) -> anyhow::Result<()> {
    let all = [request.as_bytes(), &close(By::Client, 1000, "")].concat();
    let seen = talk(server.address, b"", &all, Cut::Bytes, Duration::from_secs(20))?;
    expect(&seen, Ending::Close(Some(1000)))
}
