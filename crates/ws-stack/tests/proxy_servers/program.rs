//! Starting a proxy: its config in a directory of its own, its ports free ones.

use std::{
    env, fs,
    io::Write as _,
    net::TcpListener as StdListener,
    path::{Path, PathBuf},
    process::{Command as StdCommand, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use super::Failure;

/// A proxy that clients go through.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    /// `DIR` and the names of ports stand for what they are.
    pub(crate) config: String,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) ports: &'static [&'static str],
    /// Files beside the config.
    pub(crate) files: Vec<(&'static str, String)>,
}

/// A proxy that runs; it ends when this is dropped.
pub(crate) struct Running {
    /// In the order of their names.
    pub(crate) ports: Vec<u16>,
    dir: PathBuf,
    _child: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.dir);
    }
}

impl Program {
    /// Starts it. `None` where the machine lacks it: that is told, and the test passes, except in continuous integration.
    pub(crate) async fn start(&self) -> Result<Option<Running>, Failure> {
        // Some systems keep such programs off an ordinary user's path.
        let sbin = Path::new("/usr/sbin").join(self.name);
        let program = if sbin.exists() { sbin } else { self.name.into() };
        let version =
            StdCommand::new(&program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
        if let Err(error) = version {
            let what = format!("our client through {0}: {0} does not start: {error}", self.name);
            if env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1") {
                return Err(format!("not tested: {what}").into());
            }
            // Not by `eprintln`, whose output is kept back when a test passes.
            std::io::stderr().write_all(format!("not tested: {what}\n").as_bytes())?;
            return Ok(None);
        }
        // Someone else may take a port between our look at it and the proxy's.
        let mut last = Failure::from("never tried");
        for _ in 0..5 {
            match self.try_start(&program).await {
                Ok(running) => return Ok(Some(running)),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn try_start(&self, program: &Path) -> Result<Running, Failure> {
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        // A proxy that was started by root drops its rights, and reads its files with those that are left.
        let dir = env::temp_dir().join(format!("ws-stack-{}-{}-{number}", self.name, std::process::id()));
        fs::create_dir_all(&dir)?;
        let held: Vec<_> =
            self.ports.iter().map(|_| StdListener::bind("127.0.0.1:0")).collect::<Result<_, _>>()?;
        let ports: Vec<_> =
            held.iter().map(|held| Ok(held.local_addr()?.port())).collect::<Result<_, Failure>>()?;
        let mut config = self.config.replace("DIR", &dir.display().to_string());
        for (name, port) in self.ports.iter().zip(&ports) {
            config = config.replace(&format!("127.0.0.1:{name}"), &format!("127.0.0.1:{port}"));
            config = config.replace(&format!("port = {name}"), &format!("port = {port}"));
        }
        fs::write(dir.join("config"), config)?;
        for (name, text) in &self.files {
            fs::write(dir.join(name), text)?;
        }
        let log = fs::File::create(dir.join("log"))?;
        drop(held);
        let mut child = Command::new(program)
            .args(self.arguments)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        for port in &ports {
            while TcpStream::connect(("127.0.0.1", *port)).await.is_err() {
                if let Some(status) = child.try_wait()? {
                    let log = fs::read_to_string(dir.join("log"))?;
                    return Err(format!("{} has ended with {status}: {log}", self.name).into());
                }
                sleep(Duration::from_millis(10)).await; // It does not tell when it listens.
            }
        }
        Ok(Running { ports, dir, _child: child })
    }
}
