//! Much, and slowly.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::super::deflate::Compressor;
use super::super::plan::{Attack, Bounds};
use super::super::wire::{BINARY, By, ENDS, GOES_ON, PING, PONG, RSV1, TEXT, TEXT_BEGINS, close, frame};
use super::answers::BOUNDS;
use super::stage::{Ended, Stage};

const MIB: usize = 1 << 20;

const FLOOD: Bounds = BOUNDS.time(Duration::from_secs(30)).cpu(Duration::from_secs(5));

/// A flood of one frame, which the client survives: it answers the Close behind it.
fn flood(name: &str, one: &[u8], total: usize) -> Attack<Stage> {
    let block = one.repeat((64 << 10) / one.len() + 1);
    Attack::new(name, FLOOD, move |stage: &Stage| {
        stage.play(|play| {
            play.open("")?;
            // Whole blocks: the Close must not stand inside a frame.
            let mut sent = 0;
            while sent < total {
                play.send(&block)?;
                sent += block.len();
            }
            play.send(&close(By::Server, 1000, ""))?;
            play.expect(Ended::Closed(1000), 0)
        })
    })
}

pub(super) fn attacks() -> anyhow::Result<Vec<Attack<Stage>>> {
    let bomb = frame(By::Server, BINARY | RSV1, Compressor::new().repeated(0, 512 << 20)?);
    let fragments =
        [frame(By::Server, TEXT_BEGINS, ""), frame(By::Server, GOES_ON, "x").repeat(200_000)].concat();
    let bomb_bounds = FLOOD.memory(66 * MIB as u64).cpu(Duration::from_millis(150));
    Ok(vec![
        flood("20 MiB of pongs", &frame(By::Server, PONG, [7; 125]), 20 * MIB),
        flood("2 MiB of empty messages", &frame(By::Server, TEXT, ""), 2 * MIB),
        Attack::new("100 MiB of pings, pongs never read", FLOOD, |stage: &Stage| {
            stage.play(|play| {
                play.open("")?;
                let sent = play.pour(&frame(By::Server, PING, [7; 125]).repeat(500), 100 * MIB)?;
                Ok(format!("{} MiB sent", sent / MIB))
            })
        }),
        Attack::new("a bomb of 512 MiB", bomb_bounds, move |stage: &Stage| {
            stage.play(|play| {
                play.open("Sec-WebSocket-Extensions: permessage-deflate\r\n")?;
                play.send(&bomb)?;
                play.expect(Ended::Closed(1009), 1)
            })
        }),
        Attack::new("200,000 fragments", FLOOD, move |stage: &Stage| {
            stage.play(|play| {
                play.open("")?;
                play.send(&fragments)?;
                play.send(&frame(By::Server, ENDS, ""))?;
                play.expect(Ended::Closed(1008), 1)
            })
        }),
        Attack::new("headers without end", FLOOD, |stage: &Stage| {
            stage.play(|play| {
                play.send(b"HTTP/1.1 101 Switching Protocols\r\n")?;
                let sent = play.pour(b"A: b\r\n", 64 * MIB)?;
                ensure!(sent < 16 * MIB, "{sent} bytes were taken");
                play.expect(Ended::Dropped, 2)
            })
        }),
        Attack::new("a refusal with a body without end", FLOOD, |stage: &Stage| {
            stage.play(|play| {
                play.send(b"HTTP/1.1 403 Forbidden\r\n\r\n")?;
                let sent = play.pour(&[b'x'; 4096], 64 * MIB)?;
                ensure!(sent < 16 * MIB, "{sent} bytes were taken");
                play.expect(Ended::Dropped, 2)
            })
        }),
        slow("a refusal whose body does not come", |_, second| match second {
            0 => b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n".to_vec(),
            _ => Vec::new(),
        }),
        slow("no answer", |_, _| b"".to_vec()),
        slow("an answer of one byte a second", |accept, second| {
            let answer = super::stage::answer(accept, "");
            answer.as_bytes().get(second..=second).unwrap_or_default().to_vec()
        }),
    ])
}

/// An answer that is not whole after ten seconds, when the client gives up. `bytes` are what each second brings.
fn slow(name: &str, bytes: fn(&str, usize) -> Vec<u8>) -> Attack<Stage> {
    Attack::new(name, FLOOD, move |stage: &Stage| {
        stage.play(|play| {
            let start = Instant::now();
            for second in 0..9 {
                let accept = play.accept().to_owned();
                play.send(&bytes(&accept, second))?;
                std::thread::sleep(Duration::from_secs(1));
            }
            let seen = play.expect(Ended::Dropped, 2)?;
            let waited = start.elapsed().as_secs_f32();
            ensure!((9.8..12.0).contains(&waited), "it gave up after {waited:.1} s, due after 10 s");
            Ok(format!("{seen}, after {waited:.1} s"))
        })
    })
}
