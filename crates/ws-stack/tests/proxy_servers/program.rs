//! Starting a proxy: its config in a directory of its own, its ports free ones.

use std::{
    env, fs,
    net::TcpListener as StdListener,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use tokio::process::Child;

use super::{Failure, installed};

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
        let Some(program) = installed::find(self.name, "our client through")? else { return Ok(None) };
        installed::several_times(async || self.try_start(&program).await).await.map(Some)
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
        drop(held);
        let child = installed::start(program, self.arguments, &dir, ports.iter().copied()).await?;
        Ok(Running { ports, dir, _child: child })
    }
}
