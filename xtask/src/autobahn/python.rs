//! The suite from Python's registry: it needs Python 2.7, wherever there is one.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

/// All versions are pinned: what worked goes on working.
const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The last virtualenv that still makes environments of Python 2.7.
const VIRTUALENV: &str = "virtualenv==20.15.1";

/// Installs the suite into an environment of its own under `home`, unless it is there. Gives its `wstest`.
pub(crate) fn install(home: &Path) -> anyhow::Result<PathBuf> {
    let environment = home.join("python");
    let wstest = environment.join("bin/wstest");
    // Written last, so that an interrupted installation is not taken for a whole one.
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(wstest);
    }

    let python = find_python2().context("there is no Python 2.7")?;
    fs::create_dir_all(home).with_context(|| format!("cannot create {}", home.display()))?;
    let log = Log { path: home.join("install.log") };
    File::create(&log.path).with_context(|| format!("cannot write {}", log.path.display()))?;
    eprintln!("installing the Autobahn suite for {} (about a minute)", python.display());

    create_environment(&python, home, &environment, &log)?;
    let requirements = home.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)?;
    log.run(
        pip(&environment.join("bin/python")).args(["install", "--requirement"]).arg(&requirements),
        "pip cannot install the suite",
    )?;
    log.run(Command::new(&wstest).arg("--autobahnversion"), "the installed suite does not start")?;
    fs::write(&installed, REQUIREMENTS)?;
    Ok(wstest)
}

/// The environment comes from virtualenv, run by this very Python where it has pip, else by a Python 3.
fn create_environment(python: &Path, home: &Path, environment: &Path, log: &Log) -> anyhow::Result<()> {
    if environment.exists() {
        fs::remove_dir_all(environment)?;
    }
    let tool = home.join("virtualenv");
    if tool.exists() {
        fs::remove_dir_all(&tool)?;
    }
    let mut failure = None;
    for host in [python, Path::new("python3")] {
        let has_pip = pip(host).arg("--version").stderr(Stdio::null()).output();
        if !has_pip.is_ok_and(|output| output.status.success()) {
            continue;
        }
        let fetched = log.run(
            pip(host).args(["install", "--target"]).arg(&tool).arg(VIRTUALENV),
            "pip cannot install virtualenv",
        );
        let made = fetched.and_then(|()| {
            let mut virtualenv = Command::new(host);
            virtualenv.args(["-m", "virtualenv", "--no-download", "--python"]).arg(python).arg(environment);
            log.run(virtualenv.env("PYTHONPATH", &tool), "virtualenv cannot make an environment")
        });
        match made {
            Ok(()) => return Ok(()),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| anyhow::anyhow!("neither {} nor python3 has pip", python.display())))
}

fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]).stdin(Stdio::null());
    command
}

/// `PYTHON2`, then `python2.7` on the path, then what pyenv has installed.
fn find_python2() -> Option<PathBuf> {
    let named = env::var_os("PYTHON2").map(PathBuf::from);
    let root = env::var_os("PYENV_ROOT")
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".pyenv").into_os_string()));
    let candidates = named.into_iter().chain([PathBuf::from("python2.7")]).chain(pyenv_versions(root));
    candidates.into_iter().find(|python| is_python2(python))
}

fn pyenv_versions(root: Option<OsString>) -> Vec<PathBuf> {
    let versions =
        root.map(|root| PathBuf::from(root).join("versions")).and_then(|dir| fs::read_dir(dir).ok());
    let names = versions.into_iter().flatten().flatten();
    let old = names.filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with("2.7")));
    old.map(|entry| entry.path().join("bin/python2.7")).collect()
}

/// Asks the program itself: a shim on the path may stand for a version that is not installed.
fn is_python2(python: &Path) -> bool {
    let code = "import sys; sys.exit(0 if sys.version_info[:2] == (2, 7) else 1)";
    let run = Command::new(python).args(["-c", code]).stdin(Stdio::null()).output();
    run.is_ok_and(|output| output.status.success())
}

/// Where the output of the installation goes, and where to look when it fails.
struct Log {
    path: PathBuf,
}

impl Log {
    fn run(&self, command: &mut Command, complaint: &str) -> anyhow::Result<()> {
        let file = File::options().append(true).open(&self.path)?;
        let status = command.stdout(file.try_clone()?).stderr(file).status();
        let Ok(status) = status else { bail!("{complaint}: cannot start {:?}", command.get_program()) };
        ensure!(status.success(), "{complaint}, see {}", self.path.display());
        Ok(())
    }
}
