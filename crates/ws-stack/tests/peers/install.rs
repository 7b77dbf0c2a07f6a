//! Brings a peer from its registry, once for all tests.

use std::{
    env, fs,
    fs::File,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{Failure, tls};

/// What a peer is written in: how it is brought and run.
#[derive(Debug)]
pub(crate) struct Language {
    pub(crate) name: &'static str,
    /// The file among ours that names the package and its version.
    pub(crate) requirements: &'static str,
    /// The file among ours that is the peer.
    pub(crate) script: &'static str,
    /// Installs what the requirements name into a directory.
    pub(crate) install: fn(requirements: &Path, packages: &Path) -> Result<(), Failure>,
    /// The program that runs the script, and the arguments that stand before those of the peer itself.
    pub(crate) command: fn(script: &Path, packages: &Path) -> (PathBuf, Vec<PathBuf>),
}

/// A peer that can be run.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<PathBuf>,
    /// Where the certificate is.
    pub(crate) tls: PathBuf,
}

impl Language {
    /// Installs the peer unless that was done before. `None` where the machine lacks what is needed: that is told, and
    /// the test passes, except in continuous integration.
    pub(crate) fn install(&self) -> Result<Option<Installed>, Failure> {
        match self.try_install() {
            Ok(installed) => Ok(Some(installed)),
            Err(why) if env::var("CI").is_ok_and(|ci| ci == "true" || ci == "1") => {
                Err(format!("interoperation with {} is not tested: {why}", self.name).into())
            }
            Err(why) => {
                // Not by `eprintln`, whose output is kept back when a test passes.
                let line = format!("not tested: interoperation with {}: {why}\n", self.name);
                std::io::stderr().write_all(line.as_bytes())?;
                Ok(None)
            }
        }
    }

    fn try_install(&self) -> Result<Installed, Failure> {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop");
        fs::create_dir_all(&home)?;
        let mut lock = fd_lock::RwLock::new(File::create(home.join("lock"))?);
        let _guard = lock.write()?;

        let tls = home.join("tls");
        once(&tls, "self-signed", || tls::make_certificate(&tls))?;
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let requirements = scripts.join(self.requirements);
        let packages = home.join(self.name);
        once(&packages, &fs::read_to_string(&requirements)?, || (self.install)(&requirements, &packages))?;
        let (program, arguments) = (self.command)(&scripts.join(self.script), &packages);
        run(self.name, Command::new(&program).arg("--version"))?;
        Ok(Installed { program, arguments, tls })
    }
}

/// Does what fills a directory, unless the same was done before and to the end.
fn once(dir: &Path, wanted: &str, fill: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let stamp = dir.join("stamp");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == wanted) {
        return Ok(());
    }
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => fs::create_dir_all(dir)?,
    }
    fill()?;
    Ok(fs::write(stamp, wanted)?)
}

/// Runs an installer to its end.
pub(crate) fn run(name: &str, command: &mut Command) -> Result<(), Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => format!("{name} is missing: install it"),
        _ => format!("{name} does not start: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name} failed with {}: {}", output.status, said.trim()).into())
}
