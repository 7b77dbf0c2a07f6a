//! Programs that a machine has or lacks: finding them, and starting those that listen.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command as StdCommand, Stdio},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, sleep},
};

/// Why something did not go as it should.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a program may take until it listens.
const START: Duration = Duration::from_secs(30);

/// Where the program is. `None` where the machine lacks it: what is not tested then is told, and the test passes, except in
/// continuous integration.
pub(crate) fn find(name: &str, tested: &str) -> Result<Option<PathBuf>, Failure> {
    // Some systems keep such programs off an ordinary user's path.
    let sbin = Path::new("/usr/sbin").join(name);
    let program = if sbin.exists() { sbin } else { name.into() };
    let version = StdCommand::new(&program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let Err(error) = version else { return Ok(Some(program)) };
    let what = format!("not tested: {tested} {name}: {name} does not start: {error}");
    if env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1") {
        return Err(what.into());
    }
    // Not by `eprintln`, whose output is kept back when a test passes.
    writeln!(std::io::stderr(), "{what}")?;
    Ok(None)
}

/// Starts a program in a directory of its own, and waits until it listens on these ports of this machine. Its output is in
/// the file `log` there. It ends when the child is dropped.
pub(crate) async fn start(
    program: &Path,
    arguments: &[&str],
    dir: &Path,
    ports: impl IntoIterator<Item = u16>,
) -> Result<Child, Failure> {
    let log = fs::File::create(dir.join("log"))?;
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let start = Instant::now();
    for port in ports {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let told = || fs::read_to_string(dir.join("log"));
            if let Some(status) = child.try_wait()? {
                return Err(format!("{} has ended with {status}: {}", program.display(), told()?).into());
            }
            if start.elapsed() > START {
                return Err(format!("{} does not listen: {}", program.display(), told()?).into());
            }
            sleep(Duration::from_millis(10)).await; // It does not tell when it listens.
        }
    }
    Ok(child)
}

/// Someone else may take a port between a look at it and the program's: tries some times until that has not happened.
pub(crate) async fn several_times<T>(
    mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut last = Failure::from("never tried");
    for _ in 0..5 {
        match attempt().await {
            Ok(started) => return Ok(started),
            Err(error) => last = error,
        }
    }
    Err(last)
}
