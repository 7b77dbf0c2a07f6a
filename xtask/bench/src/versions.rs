//! Which version of a library was measured.

use std::fs;
use std::path::Path;

use crate::prepare::node;

/// The version of the library that a server is named after, if the lock files of the peers know it.
pub(crate) fn version(server: &str) -> Option<String> {
    if server == "node-ws" {
        let lock = fs::read_to_string(node().join("package-lock.json")).ok()?;
        let lock: serde_json::Value = serde_json::from_str(&lock).ok()?;
        return lock["packages"]["node_modules/ws"]["version"].as_str().map(str::to_owned);
    }
    let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).ok()?;
    let (_, package) = lock.split_once(&format!("name = \"{server}\"\nversion = \""))?;
    package.split_once('"').map(|(version, _)| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn finds_libraries_and_nothing_else() {
        for library in
            ["tokio-tungstenite", "tokio-websockets", "fastwebsockets", "sockudo-ws", "yawc", "node-ws"]
        {
            assert!(version(library).is_some_and(|version| version.contains('.')), "{library}");
        }
        assert_eq!(version("tcp-echo"), None);
        assert_eq!(version("ours"), None);
    }
}
