//! Lives the lives of connections in virtual time: see [`ws_testkit::simulation`].
//!
//! `simulate LIVES SEED` lives so many, each with a seed of its own. `simulate LIVES SEED each-call` lives each of them over
//! and over, every time with another call of the transport that fails.

use std::{
    ops::Range,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use ws_testkit::simulation::{Broken, live, live_with_each_call_failing};

/// What came of some lives.
#[derive(Debug, Default)]
struct Sum {
    /// Lives with a call that failed.
    failing: u64,
    messages: usize,
    clean: u64,
    millis: u64,
}

/// A promise that was broken: by which life, at which call if one was to fail.
type Found = (u64, String, Broken);

/// What is done with one seed.
type Story = fn(u64, &mut Sum) -> Result<(), Found>;

fn once(seed: u64, sum: &mut Sum) -> Result<(), Found> {
    let life = live(seed).map_err(|broken| (seed, String::new(), broken))?;
    sum.messages += life.messages;
    sum.clean += u64::from(life.is_clean);
    sum.millis += life.millis;
    Ok(())
}

fn for_each_call(seed: u64, sum: &mut Sum) -> Result<(), Found> {
    sum.failing += live_with_each_call_failing(seed).map_err(|(call, broken)| (seed, call, broken))?;
    Ok(())
}

/// Arguments: how many lives, and the seed of the first. Each seed behind it is the next life.
fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let (numbers, story): (_, Story) = match arguments[..] {
        [lives, seed] => ([lives, seed], once),
        [lives, seed, "each-call"] => ([lives, seed], for_each_call),
        _ => ([""; 2], once),
    };
    let [Ok(lives), Ok(seed)] = numbers.map(str::parse::<u64>) else {
        eprintln!("usage: simulate LIVES SEED [each-call]");
        return ExitCode::FAILURE;
    };
    let start = Instant::now();
    match live_all(seed..seed.saturating_add(lives), story) {
        Ok(Sum { failing, .. }) if failing > 0 => {
            let seconds = start.elapsed().as_secs_f32();
            println!(
                "{lives} lives from seed {seed}, {failing} times with another call that failed, in {seconds:.1} s, no promise broken"
            );
            ExitCode::SUCCESS
        }
        Ok(Sum { messages, clean, millis, .. }) => {
            let (hours, seconds) = (millis / 3_600_000, start.elapsed().as_secs_f32());
            println!("{lives} lives from seed {seed} in {seconds:.1} s, no promise broken");
            println!(
                "{hours} hours of their time, {messages} messages, {clean} ended with a Close on both sides"
            );
            ExitCode::SUCCESS
        }
        Err((life, call, broken)) => {
            println!("life {life} broke a promise: {broken:#?}");
            let how = if call.is_empty() { "" } else { " --each-call" };
            println!("it lives again with: cargo xtask simulate --lives 1 --seed {life}{how}");
            if !call.is_empty() {
                println!("what failed in it: {call}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Lives on all cores, up to the first promise that is broken.
fn live_all(seeds: Range<u64>, story: Story) -> Result<Sum, Found> {
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
            story(seed, &mut sum).inspect_err(|_| next.store(seeds.end, Ordering::Relaxed))?;
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
                failing: all.failing + sum.failing,
                messages: all.messages + sum.messages,
                clean: all.clean + sum.clean,
                millis: all.millis + sum.millis,
            })
        })
    })
}
