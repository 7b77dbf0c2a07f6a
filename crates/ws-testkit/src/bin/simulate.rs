//! Lives the lives of connections in virtual time: see [`ws_testkit::simulation`].

use std::{
    ops::Range,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use ws_testkit::simulation::{Broken, live};

/// What came of some lives.
#[derive(Debug, Default)]
struct Sum {
    messages: usize,
    clean: u64,
    millis: u64,
}

/// Arguments: how many lives, and the seed of the first. Each seed behind it is the next life.
fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Some(Ok(lives)), Some(Ok(seed)), None) = (numbers.next(), numbers.next(), numbers.next()) else {
        eprintln!("usage: simulate LIVES SEED");
        return ExitCode::FAILURE;
    };
    let start = Instant::now();
    match live_all(seed..seed.saturating_add(lives)) {
        Ok(Sum { messages, clean, millis }) => {
            let (hours, seconds) = (millis / 3_600_000, start.elapsed().as_secs_f32());
            println!("{lives} lives from seed {seed} in {seconds:.1} s, no promise broken");
            println!(
                "{hours} hours of their time, {messages} messages, {clean} ended with a Close on both sides"
            );
            ExitCode::SUCCESS
        }
        Err((life, broken)) => {
            println!("life {life} broke a promise: {broken:#?}");
            println!("it lives again with: cargo xtask simulate --lives 1 --seed {life}");
            ExitCode::FAILURE
        }
    }
}

/// Lives on all cores, up to the first promise that is broken.
fn live_all(seeds: Range<u64>) -> Result<Sum, (u64, Broken)> {
    let next = AtomicU64::new(seeds.start);
    let lives = seeds.end - seeds.start;
    let step = (lives / 20).max(1);
    let work = || {
        let mut sum = Sum::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(sum);
            }
            let life = live(seed).map_err(|broken| {
                next.store(seeds.end, Ordering::Relaxed);
                (seed, broken)
            })?;
            sum.messages += life.messages;
            sum.clean += u64::from(life.is_clean);
            sum.millis += life.millis;
            let lived = seed - seeds.start + 1;
            if lived.is_multiple_of(step) {
                println!("{lived} of {lives} lives");
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_fold(Sum::default(), |all, thread| {
            let sum = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok(Sum {
                messages: all.messages + sum.messages,
                clean: all.clean + sum.clean,
                millis: all.millis + sum.millis,
            })
        })
    })
}
