//! Interoperation with Python's `websockets`.

mod peers;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use peers::{
    Compression, Failure, Language, Transport, our_client_asks, our_client_compresses, our_client_distrusts,
    our_client_plays, our_server_compresses, our_server_is_asked, our_server_plays, run,
};

type Result = std::result::Result<(), Failure>;

const PYTHON: Language = Language {
    name: "python",
    requirements: "requirements.txt",
    script: "peer.py",
    install,
    command: |script, packages| (python(packages), vec![script.to_owned()]),
};

fn install(requirements: &Path, packages: &Path) -> Result {
    let system = if cfg!(windows) { "python" } else { "python3" };
    run(system, Command::new(system).args(["-m", "venv"]).arg(packages))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run("pip", Command::new(python(packages)).args(install).arg(requirements))
}

/// The virtual environment's own.
fn python(packages: &Path) -> PathBuf {
    packages.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

#[tokio::test]
async fn our_client_plays_with_its_server() -> Result {
    our_client_plays(&PYTHON, Transport::Tcp, Compression::Off).await
}

#[tokio::test]
async fn our_client_plays_with_its_server_compressed() -> Result {
    our_client_plays(&PYTHON, Transport::Tcp, Compression::On).await
}

#[tokio::test]
async fn our_client_plays_with_its_server_over_tls() -> Result {
    our_client_plays(&PYTHON, Transport::Tls, Compression::Off).await
}

#[tokio::test]
async fn our_server_plays_with_its_client() -> Result {
    our_server_plays(&PYTHON, Transport::Tcp, Compression::Off).await
}

#[tokio::test]
async fn our_server_plays_with_its_client_compressed() -> Result {
    our_server_plays(&PYTHON, Transport::Tcp, Compression::On).await
}

#[tokio::test]
async fn our_server_plays_with_its_client_over_tls() -> Result {
    our_server_plays(&PYTHON, Transport::Tls, Compression::Off).await
}

#[tokio::test]
async fn our_client_opens_with_its_server() -> Result {
    our_client_asks(&PYTHON, Transport::Tcp).await
}

#[tokio::test]
async fn our_client_opens_with_its_server_over_tls() -> Result {
    our_client_asks(&PYTHON, Transport::Tls).await
}

#[tokio::test]
async fn our_server_opens_with_its_client() -> Result {
    our_server_is_asked(&PYTHON, Transport::Tcp).await
}

#[tokio::test]
async fn our_server_opens_with_its_client_over_tls() -> Result {
    our_server_is_asked(&PYTHON, Transport::Tls).await
}

#[tokio::test]
async fn our_client_does_not_trust_any_certificate() -> Result {
    our_client_distrusts(&PYTHON).await
}

#[tokio::test]
async fn our_client_compresses_with_its_server() -> Result {
    let settings = our_client_compresses(&PYTHON).await?;
    assert!(settings.is_none_or(|count| count == 37), "{settings:?}");
    Ok(())
}

#[tokio::test]
async fn our_server_compresses_with_its_client() -> Result {
    let settings = our_server_compresses(&PYTHON).await?;
    assert!(settings.is_none_or(|count| count == 36), "{settings:?}");
    Ok(())
}
