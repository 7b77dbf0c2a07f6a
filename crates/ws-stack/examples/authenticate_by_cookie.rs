//! A session by cookie: a page logs in, the connection finds the session that the cookie names, and shares its value:
//! `cargo run -p ws-stack --example authenticate_by_cookie`.
//!
//! Browsers send cookies with whatever page connects. The server accepts pages of its own origin alone, by default.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use ws_stack::{
    BoxError, CloseCode, Connect, ConnectError, Error, Server, ServerConnection,
    http::{HeaderMap, Request, Response, StatusCode, header},
};

/// What is known of who has logged in.
#[derive(Debug)]
struct Session {
    user: String,
}

#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<HashMap<String, Arc<Session>>>>);

impl Sessions {
    /// The answer that logs in. A real page asks for a password first.
    fn log_in(&self, request: &Request<()>) -> Option<Response<String>> {
        let user = request.uri().path().strip_prefix("/login/")?.to_owned();
        let mut random = [0; 16];
        getrandom::fill(&mut random).ok()?;
        let id = format!("{:032x}", u128::from_ne_bytes(random));
        let cookie = format!("session={id}; HttpOnly; SameSite=Strict");
        self.0.lock().ok()?.insert(id, Arc::new(Session { user }));
        Response::builder().header(header::SET_COOKIE, cookie).body("logged in\n".to_owned()).ok()
    }

    fn find(&self, headers: &HeaderMap) -> Option<Arc<Session>> {
        let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
        let id = cookies.split("; ").find_map(|cookie| cookie.strip_prefix("session="))?;
        self.0.lock().ok()?.get(id).cloned()
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let sessions = Sessions::default();
    let pages = sessions.clone();
    let server = Server::builder()
        .pages(move |request, _peer| {
            let page = pages.log_in(&request);
            async move { page }
        })
        .authorize(move |request, _peer| {
            let session = sessions.find(request.headers());
            async move { session.ok_or(StatusCode::UNAUTHORIZED) }
        })
        .bind("127.0.0.1:0")
        .await?;
    let host = server.local_addrs()[0].to_string();
    let address = format!("ws://{host}/");
    tokio::spawn(async move { server.serve(greet).await });

    if let Err(ConnectError::Refused { response, .. }) = ws_stack::connect(&address).await {
        println!("before: {}", response.status());
    }
    let cookie = visit(&host, "/login/Ali").await?;
    let mut ws = Connect::new(&address)?.header(header::COOKIE, cookie)?.await?;
    println!("after: {:?}", ws.recv().await.transpose()?);
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

async fn greet(mut conn: ServerConnection<Arc<Session>>) -> Result<(), Error> {
    conn.socket.send(format!("hello {}", conn.data.user)).await?;
    while let Some(message) = conn.socket.recv().await {
        println!("{} says {:?}", conn.data.user, message?);
    }
    Ok(())
}

/// What a browser does: opens a page, and keeps its cookie.
async fn visit(host: &str, path: &str) -> Result<String, BoxError> {
    let mut page = TcpStream::connect(host).await?;
    page.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    page.read_to_string(&mut answer).await?;
    println!("{path}: {}", answer.lines().next().unwrap_or_default());
    let header = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie:"));
    let (_, value) = header.and_then(|header| header.split_once(": ")).ok_or("the page has set no cookie")?;
    Ok(value.split(';').next().unwrap_or_default().to_owned())
}
