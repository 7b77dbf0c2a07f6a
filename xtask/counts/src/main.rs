//! Runs one case to be counted: `cargo xtask bench --counts` starts this under callgrind.
//!
//! Without arguments it lists the cases, with `--machine` it names the instructions that code chooses by at run time.
#![forbid(unsafe_code)]

use std::hint::black_box;
use std::process::ExitCode;

use anyhow::Context as _;

/// Little: an instruction counts the same wherever its data lies.
const STREAM: usize = 256 << 10;

fn main() -> ExitCode {
    match run(std::env::args().nth(1).as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(argument: Option<&str>) -> anyhow::Result<()> {
    match argument {
        None => {
            for case in counts::cases(STREAM)? {
                println!("{}", case.name);
            }
        }
        Some("--machine") => println!("{}", machine().join(" ")),
        Some(name) => {
            let cases = counts::cases(STREAM)?;
            let case =
                cases.iter().find(|case| case.name == name).context("there is no case of this name")?;
            let mut run = case.prepare()?;
            // Whatever is made on first use, and the output: behind what is counted nothing is allocated any more.
            println!("{}", run());
            begin();
            measured(&mut run);
        }
    }
    Ok(())
}

/// Here callgrind forgets what it has counted.
#[inline(never)]
fn begin() {
    black_box(());
}

/// What is between the entry and the end of this function is counted.
#[inline(never)]
fn measured(run: &mut counts::Run) {
    black_box(run());
}

/// Those of the instruction sets which validators, checksums and copies choose by.
#[cfg(target_arch = "x86_64")]
fn machine() -> Vec<&'static str> {
    macro_rules! features {
        ($($name:tt)*) => {
            [$(($name, std::arch::is_x86_feature_detected!($name))),*]
        };
    }
    let features = features!("sse4.2" "pclmulqdq" "avx" "avx2" "bmi1" "bmi2" "sha" "avx512f" "avx512vl");
    features.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn machine() -> Vec<&'static str> {
    Vec::new()
}
