//! An application of axum whose WebSocket knows who has logged in: `axum_session PORT`. A page logs in and gets a cookie;
//! the handler of the WebSocket finds the session by it, and refuses who has none.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Extension, Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::{any, post},
};
use ws_hyper::{
    WebSocket,
    axum::WebSocketUpgrade,
    endpoint::{ServerConfig, handshake::OriginPolicy},
    http::{HeaderMap, StatusCode, header},
};

/// Who has logged in, by the value of the cookie.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    users: Arc<Mutex<HashMap<String, String>>>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("usage: axum_session PORT")?.parse()?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?);
    Ok(axum::serve(listener, app(Sessions::default())).await?)
}

pub(crate) fn app(sessions: Sessions) -> Router {
    // A cookie is sent for whatever page connects: only our own may.
    let mut config = ServerConfig::default();
    config.policy.origins = OriginPolicy::SameHost;
    Router::new()
        .route("/login/{user}", post(log_in))
        .route("/chat", any(chat))
        .layer(Extension(Arc::new(config)))
        .with_state(sessions)
}

async fn log_in(State(sessions): State<Sessions>, Path(user): Path<String>) -> Response {
    let mut random = [0; 16];
    if getrandom::fill(&mut random).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let session = format!("{:032x}", u128::from_ne_bytes(random));
    let cookie = format!("session={session}; HttpOnly; SameSite=Strict");
    if let Ok(mut users) = sessions.users.lock() {
        users.insert(session, user);
    }
    ([(header::SET_COOKIE, cookie)], "logged in\n").into_response()
}

async fn chat(upgrade: WebSocketUpgrade, State(sessions): State<Sessions>, headers: HeaderMap) -> Response {
    match sessions.user(&headers) {
        Some(user) => upgrade.on_upgrade(|ws| talk(ws, user)),
        None => (StatusCode::UNAUTHORIZED, "log in first\n").into_response(),
    }
}

impl Sessions {
    fn user(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
        let session = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))?;
        self.users.lock().ok()?.get(session).cloned()
    }
}

async fn talk(mut ws: WebSocket, user: String) {
    let mut next = Some(format!("hello {user}"));
    while let Some(text) = next.take() {
        if ws.send(text).await.is_err() {
            break;
        }
        if let Some(Ok(message)) = ws.recv().await {
            next = message.as_text().map(|text| format!("{user}: {text}"));
        }
    }
}
