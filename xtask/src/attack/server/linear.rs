//! What must cost in proportion to what is sent, and no more: fragments, heads that dribble.

use std::time::Duration;

use anyhow::ensure;

use super::super::peer::{Cut, Ending, talk};
use super::super::plan::{Attack, Bounds};
use super::super::process::cpu;
use super::super::wire::{By, close, request_with};
use super::floods::fragmented;
use super::{Server, expect};

/// By how much more than in proportion something may cost; what is quadratic costs 8 or 15 times as much.
const SLACK: f64 = 3.0;

const BOUNDS: Bounds =
    Bounds::SMALL.time(Duration::from_secs(60)).cpu(Duration::from_secs(10)).memory(1 << 20);

pub(super) fn attacks() -> Vec<Attack<Server>> {
    vec![
        linear("65,536 and 1,000,000 fragments", 15, |server, is_large| {
            // As many as a message may have, eight times, since no message may have a million.
            let (message, count) = if is_large { (fragmented(125_000), 8) } else { (fragmented(65_536), 1) };
            in_fragments(server, &[message.repeat(count), close(By::Client, 1000, "")].concat(), count)
        }),
        linear("16,384 and 131,072 fragments of one message", 8, |server, is_large| {
            let message = fragmented(if is_large { 131_072 } else { 16_384 });
            in_fragments(server, &[message, close(By::Client, 1000, "")].concat(), 1)
        }),
        linear("heads of 1 KiB and 15 KiB, a byte at a time", 15, |server, is_large| {
            let len = if is_large { 15 << 10 } else { 1 << 10 };
            dribbled(server, &request_with(&format!("A: {}", "b".repeat(len - 200))))
        }),
        linear("heads of 6 and 90 lines, a byte at a time", 15, |server, is_large| {
            let lines = if is_large { 85 } else { 1 };
            dribbled(server, &request_with(&["A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"; 85][..lines].join("\r\n")))
        }),
    ]
}

/// What is `times` as large must not cost more than the small one `times` over, but for [`SLACK`]. How many bytes of a
/// dribble come with one read is left to chance: the median of five runs, of each.
fn linear(
    name: &str,
    times: u32,
    act: impl Fn(&Server, bool) -> anyhow::Result<()> + 'static,
) -> Attack<Server> {
    Attack::new(format!("{name}: linear"), BOUNDS, move |server: &Server| {
        let cost = |is_large: bool, times: u32| -> anyhow::Result<Duration> {
            let before = cpu(server.pid())?;
            (0..times).try_for_each(|_| act(server, is_large))?;
            Ok(cpu(server.pid())?.saturating_sub(before))
        };
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            small.push(cost(false, times)?);
            large.push(cost(true, 1)?);
        }
        small.sort_unstable();
        large.sort_unstable();
        let ratio = large[2].as_secs_f64() / small[2].as_secs_f64().max(1e-9);
        let seen = format!("{times} times as much cost {:.1} times the CPU", ratio * f64::from(times));
        ensure!(ratio < SLACK, "{seen}");
        Ok(seen)
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
