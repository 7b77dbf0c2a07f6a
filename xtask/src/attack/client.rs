//! Attacks on `ws connect`: a server of our own making that says what no server should. Each attack has a client of its
//! own, so what it took is all that the process took, beyond what one takes that is treated well.

mod answers;
mod frames;
mod long;
mod proxies;
mod redirects;
mod stage;
mod tls;

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use self::stage::{Ended, Stage};
use super::plan::{Attack, Pace, Run};
use super::process::Usage;
use super::progress::Progress;
use super::row::Row;
use super::tls::Authority;
use super::wire::{By, close};

/// Attacks of a kind.
struct Group {
    name: &'static str,
    pace: Pace,
    attacks: Vec<Attack<Stage>>,
}

fn groups(run: &Run<'_>) -> anyhow::Result<Vec<Group>> {
    let authority = Rc::new(Authority::new(&run.directory.join("client"))?);
    Ok(vec![
        Group { name: "handshake", pace: Pace::Quick, attacks: answers::attacks() },
        Group { name: "frames", pace: Pace::Quick, attacks: frames::attacks() },
        Group { name: "TLS", pace: Pace::Quick, attacks: tls::attacks(&authority)? },
        Group { name: "redirects", pace: Pace::Quick, attacks: redirects::attacks(&authority)? },
        Group { name: "proxies", pace: Pace::Quick, attacks: proxies::attacks() },
        Group { name: "long", pace: Pace::Long, attacks: long::attacks()? },
        Group { name: "slow", pace: Pace::Long, attacks: proxies::slow() },
    ])
}

/// Runs the groups up to this pace.
///
/// # Errors
/// When not even a client that is treated well ends well.
pub(crate) fn attack(ws: &Path, run: &Run<'_>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let usual = usual(ws).context("a client that is treated well does not end well")?;
    for group in groups(run)?.into_iter().filter(|group| group.pace <= run.pace) {
        let name = format!("client {}", group.name);
        let attacks: Vec<_> =
            group.attacks.iter().filter(|attack| attack.is_meant(&name, run.only)).collect();
        if attacks.is_empty() {
            continue;
        }
        let progress = Progress::new(&name, attacks.len());
        for attack in attacks {
            progress.begin(&attack.name);
            rows.push(suffer(ws, attack, &name, usual)?);
            progress.end();
        }
    }
    Ok(rows)
}

/// What a client takes that connects and is closed at once.
fn usual(ws: &Path) -> anyhow::Result<Usage> {
    let stage = Stage::set(ws)?;
    stage.play(|play| {
        play.open("")?;
        play.send(&close(By::Server, 1000, ""))?;
        play.expect(Ended::Closed(1000), 0)
    })?;
    Ok(stage.usage())
}

fn suffer(ws: &Path, attack: &Attack<Stage>, group: &str, usual: Usage) -> anyhow::Result<Row> {
    let stage = Stage::set(ws)?;
    let start = Instant::now();
    let seen = (attack.act)(&stage);
    let (time, used) = (start.elapsed(), stage.usage());
    Ok(Row {
        group: group.to_owned(),
        name: attack.name.clone(),
        seen: seen.map_err(|error| format!("{error:#}")),
        time,
        cpu: used.cpu.saturating_sub(usual.cpu),
        memory: used.peak.saturating_sub(usual.peak),
        bounds: attack.bounds,
        honest: None,
        wall: Duration::MAX,
    })
}

/// How long an end is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
