//! A headless Chromium, driven over its debugging protocol by our own client.

use std::{fs, io::ErrorKind, path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use ws_stack::{BoxError, ClientStream, WebSocket};

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a browser is started that talks to nobody but us.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
];

pub(crate) struct Browser {
    devtools: WebSocket<ClientStream>,
    calls: u64,
    /// What has been reported and not been asked for yet.
    events: Vec<Value>,
    _process: Child,
}

/// A tab, by the session that is attached to it.
pub(crate) struct Tab {
    session: String,
    target: String,
}

impl Browser {
    /// Starts one with a profile of its own; `None` where there is none.
    pub(crate) async fn start(name: &str) -> Result<Option<Self>, BoxError> {
        let profile =
            Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("interop").join("chat").join(name);
        match fs::remove_dir_all(&profile) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let started = Command::new("chromium")
            .args(ARGUMENTS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Not by `eprintln`, whose output is kept back when a test passes.
                let line = b"not tested: the chat in a browser: chromium is not on the path\n";
                std::io::Write::write_all(&mut std::io::stderr(), line)?;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let mut log = BufReader::new(process.stderr.take().ok_or("no log")?).lines();
        let announced = async {
            while let Some(line) = log.next_line().await? {
                if let Some(address) = line.strip_prefix("DevTools listening on ") {
                    return Ok(address.to_owned());
                }
            }
            Err::<_, BoxError>("chromium ended before it listened".into())
        };
        let address = timeout(PATIENCE, announced).await??;
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} }); // lest it waits for us
        let devtools = ws_stack::connect(&address).await?;
        Ok(Some(Self { devtools, calls: 0, events: Vec::new(), _process: process }))
    }

    /// Opens a page in a tab of its own, and waits until it has loaded.
    pub(crate) async fn open(&mut self, url: &str) -> Result<Tab, BoxError> {
        let created = self.call(None, "Target.createTarget", json!({ "url": "about:blank" })).await?;
        let target = string(&created, "targetId")?;
        let attach = json!({ "targetId": target, "flatten": true });
        let attached = self.call(None, "Target.attachToTarget", attach).await?;
        let tab = Tab { session: string(&attached, "sessionId")?, target };
        for domain in ["Page.enable", "Network.enable"] {
            self.call(Some(&tab), domain, json!({})).await?;
        }
        self.call(Some(&tab), "Page.navigate", json!({ "url": url })).await?;
        self.event(&tab, "Page.loadEventFired").await?;
        Ok(tab)
    }

    pub(crate) async fn close(&mut self, tab: Tab) -> Result<(), BoxError> {
        self.call(None, "Target.closeTarget", json!({ "targetId": tab.target })).await?;
        Ok(())
    }

    /// The value of an expression in a page; of a promise, what it resolves to.
    pub(crate) async fn evaluate(&mut self, tab: &Tab, expression: &str) -> Result<Value, BoxError> {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut evaluated = self.call(Some(tab), "Runtime.evaluate", params).await?;
        match evaluated.get("exceptionDetails") {
            Some(thrown) => Err(format!("{expression}: {thrown}").into()),
            None => Ok(evaluated["result"]["value"].take()),
        }
    }

    /// Waits until a condition holds in a page, which is looked at whenever the page changes.
    pub(crate) async fn until(&mut self, tab: &Tab, condition: &str) -> Result<(), BoxError> {
        let expression = format!(
            "new Promise(done => {{
                const look = () => {{ if ({condition}) {{ watcher.disconnect(); done(true); }} }};
                const watcher = new MutationObserver(look);
                watcher.observe(document, {{ subtree: true, childList: true, characterData: true, attributes: true }});
                look();
            }})"
        );
        let held = self.evaluate(tab, &expression).await;
        held.map(drop).map_err(|error| format!("waiting until {condition}: {error}").into())
    }

    /// Calls a method of the browser or of a tab, and gives its result.
    pub(crate) async fn call(
        &mut self,
        tab: Option<&Tab>,
        method: &str,
        params: Value,
    ) -> Result<Value, BoxError> {
        self.calls += 1;
        let mut call = json!({ "id": self.calls, "method": method, "params": params });
        if let Some(tab) = tab {
            call["sessionId"] = json!(tab.session);
        }
        self.devtools.send(call.to_string()).await?;
        loop {
            let mut message = self.hear(method).await?;
            if message["id"] != json!(self.calls) {
                self.events.push(message);
            } else if let Some(error) = message.get("error") {
                return Err(format!("{method}: {error}").into());
            } else {
                return Ok(message["result"].take());
            }
        }
    }

    /// The next event of a tab with this name, or the oldest that nobody has asked for.
    pub(crate) async fn event(&mut self, tab: &Tab, method: &str) -> Result<Value, BoxError> {
        let wanted = |event: &Value| event["method"] == method && event["sessionId"] == tab.session;
        let mut event = match self.events.iter().position(wanted) {
            Some(place) => self.events.remove(place),
            None => loop {
                let event = self.hear(method).await?;
                if wanted(&event) {
                    break event;
                }
                self.events.push(event);
            },
        };
        Ok(event["params"].take())
    }

    async fn hear(&mut self, waiting_for: &str) -> Result<Value, BoxError> {
        let message = timeout(PATIENCE, self.devtools.recv()).await;
        let message = message.map_err(|_| format!("the browser is silent: {waiting_for}"))?;
        let message = message.ok_or("the browser has closed the connection")??;
        Ok(serde_json::from_slice(message.as_bytes())?)
    }
}

fn string(result: &Value, field: &str) -> Result<String, BoxError> {
    Ok(result[field].as_str().ok_or_else(|| format!("no {field} in {result}"))?.to_owned())
}
