//! The suite's own results: `index.json` and one file for each case.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::AGENT;

/// The results of one agent, by case.
pub(crate) type Entries = BTreeMap<String, Entry>;

/// What `index.json` says of a case.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) behavior: String,
    pub(crate) behavior_close: String,
    pub(crate) remote_close_code: Option<u16>,
    /// In milliseconds.
    pub(crate) duration: i64,
    #[serde(rename = "reportfile")]
    pub(crate) report_file: String,
}

/// What the file of a case says: why the suite judged as it did, and what went over the wire.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Detail {
    pub(crate) description: String,
    pub(crate) expectation: String,
    pub(crate) result: String,
    pub(crate) result_close: String,
    pub(crate) expected: Value,
    pub(crate) received: Value,
    #[serde(default)]
    pub(crate) was_not_clean_reason: Option<String>,
    pub(crate) dropped_by_me: bool,
    #[serde(rename = "wirelog")]
    pub(crate) wire_log: Vec<Value>,
    pub(crate) http_request: String,
    pub(crate) http_response: String,
}

/// Reads `index.json`; without an entry for our agent nothing was run.
pub(crate) fn read(results: &Path) -> anyhow::Result<Entries> {
    let mut agents: BTreeMap<String, Entries> = read_json(&results.join("index.json"))?;
    Ok(agents.remove(AGENT).unwrap_or_default())
}

/// Reads the file of one case.
pub(crate) fn read_detail(results: &Path, entry: &Entry) -> anyhow::Result<Detail> {
    read_json(&results.join(&entry.report_file))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> anyhow::Result<T> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    // Payloads stand in these files as the suite saw them: what is not UTF-8 must not hide the rest.
    serde_json::from_str(&String::from_utf8_lossy(&bytes))
        .with_context(|| format!("{} is not what the suite should write", path.display()))
}
