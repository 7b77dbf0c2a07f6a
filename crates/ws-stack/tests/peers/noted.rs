//! What both sides have noted of an opening handshake.

use serde_json::{Value, json};
use ws_stack::http::HeaderMap;

use super::{Failure, process::Report};

/// What must be seen of a handshake: JSON pointers into what both sides have noted, and the values there.
pub(crate) type Seen = Vec<(&'static str, Value)>;

/// Looks for what must be seen, in `ours` and in the peer's report.
pub(crate) fn check(name: &str, ours: &Value, report: &Report, seen: &Seen) -> Result<(), Failure> {
    let mut theirs = report.opened.clone().unwrap_or_default();
    theirs["refused"] = report.refused.clone().unwrap_or_default();
    let noted = json!({ "ours": ours, "theirs": theirs });
    for (pointer, value) in seen {
        if noted.pointer(pointer).unwrap_or(&Value::Null) != value {
            return Err(format!("{name}: {pointer} should be {value} in {noted:#}").into());
        }
    }
    Ok(())
}

/// Headers by their names in lower case.
pub(crate) fn json_headers(headers: &HeaderMap) -> Value {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
        .collect()
}
