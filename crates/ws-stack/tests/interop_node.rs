//! Interoperation with node's `ws`.

mod peers;

use std::{fs, path::Path, process::Command};

use peers::{
    Compression, Failure, Language, Transport, our_client_asks, our_client_compresses, our_client_distrusts,
    our_client_plays, our_server_compresses, our_server_is_asked, our_server_plays, run,
};

type Result = std::result::Result<(), Failure>;

const NODE: Language = Language {
    name: "node",
    requirements: "package.json",
    script: "peer.mjs",
    install,
    // It finds no packages but those above the script, so the peer is told.
    command: |script, packages| ("node".into(), vec![script.to_owned(), packages.to_owned()]),
};

fn install(requirements: &Path, packages: &Path) -> Result {
    fs::copy(requirements, packages.join("package.json"))?;
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let install = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
    run("npm", Command::new(npm).args(install).current_dir(packages))
}

#[tokio::test]
async fn our_client_plays_with_its_server() -> Result {
    our_client_plays(&NODE, Transport::Tcp, Compression::Off).await
}

#[tokio::test]
async fn our_client_plays_with_its_server_compressed() -> Result {
    our_client_plays(&NODE, Transport::Tcp, Compression::On).await
}

#[tokio::test]
async fn our_client_plays_with_its_server_over_tls() -> Result {
    our_client_plays(&NODE, Transport::Tls, Compression::Off).await
}

#[tokio::test]
async fn our_server_plays_with_its_client() -> Result {
    our_server_plays(&NODE, Transport::Tcp, Compression::Off).await
}

#[tokio::test]
async fn our_server_plays_with_its_client_compressed() -> Result {
    our_server_plays(&NODE, Transport::Tcp, Compression::On).await
}

#[tokio::test]
async fn our_server_plays_with_its_client_over_tls() -> Result {
    our_server_plays(&NODE, Transport::Tls, Compression::Off).await
}

#[tokio::test]
async fn our_client_opens_with_its_server() -> Result {
    our_client_asks(&NODE, Transport::Tcp).await
}

#[tokio::test]
async fn our_client_opens_with_its_server_over_tls() -> Result {
    our_client_asks(&NODE, Transport::Tls).await
}

#[tokio::test]
async fn our_server_opens_with_its_client() -> Result {
    our_server_is_asked(&NODE, Transport::Tcp).await
}

#[tokio::test]
async fn our_server_opens_with_its_client_over_tls() -> Result {
    our_server_is_asked(&NODE, Transport::Tls).await
}

#[tokio::test]
async fn our_client_does_not_trust_any_certificate() -> Result {
    our_client_distrusts(&NODE).await
}

#[tokio::test]
async fn our_client_compresses_with_its_server() -> Result {
    let settings = our_client_compresses(&NODE).await?;
    assert!(settings.is_none_or(|count| count == 38), "{settings:?}");
    Ok(())
}

#[tokio::test]
async fn our_server_compresses_with_its_client() -> Result {
    let settings = our_server_compresses(&NODE).await?;
    assert!(settings.is_none_or(|count| count == 38), "{settings:?}");
    Ok(())
}
