//! A chat in the browser: `chat [PORT]`, then open the page that it names. Ctrl-C says goodbye to everyone.
//!
//! The page and the WebSocket share a port, and only that page may connect: the origin is checked. A line is framed once
//! for everyone in its room, and who cannot keep up is closed and comes back. Everything is bounded: names, lines, rooms,
//! people, what waits for each of them.

mod messages;
mod rooms;

use std::{sync::Arc, time::Duration};

use tokio::{net::TcpListener, time::timeout};
use ws_stack::{
    Address, BoxError, CloseCode, Server, ServerConnection,
    http::{Request, Response, StatusCode},
};

use self::{
    messages::{Asked, MAX_MESSAGE, Told},
    rooms::{Rooms, Seat},
};

const PAGE: &str = include_str!("index.html");

/// The page loads nothing from anywhere, and talks to nobody but its own server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long a client may take to say who it is.
const JOIN_WITHIN: Duration = Duration::from_secs(10);

/// How long clients may take to answer the Close of a shutdown.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("open http://{}/", listener.local_addr()?);
    serve(listener, async { _ = tokio::signal::ctrl_c().await }).await
}

/// Serves until it is stopped; then closes everyone with 1001 (going away).
pub(crate) async fn serve(listener: TcpListener, stop: impl Future<Output = ()>) -> Result<(), BoxError> {
    let server = Server::builder()
        .path("/chat")
        .max_message_len(MAX_MESSAGE)
        .pages(page)
        .listener(listener)
        .start()
        .await?;
    let rooms = Arc::<Rooms>::default();
    tokio::select! {
        () = server.serve(|conn| talk(conn, Arc::clone(&rooms))) => {}
        () = stop => {}
    }
    let ended = server.shutdown(CloseCode::GOING_AWAY, "the server restarts", GOODBYE_WITHIN).await;
    println!("{} have said goodbye, {} have not", ended.answered, ended.unanswered.len());
    Ok(())
}

async fn page(request: Request<()>, _: Address) -> Option<Response<&'static str>> {
    let response = match request.uri().path() {
        "/" => Response::builder()
            .header("content-type", "text/html; charset=utf-8")
            .header("content-security-policy", POLICY)
            .header("x-content-type-options", "nosniff")
            .header("cache-control", "no-cache")
            .body(PAGE),
        "/chat" => return None, // 426: it is for WebSockets
        _ => Response::builder().status(StatusCode::NOT_FOUND).body("the chat is at /\n"),
    };
    response.ok()
}

/// One person, from coming to going.
async fn talk(mut conn: ServerConnection, rooms: Arc<Rooms>) -> Result<(), BoxError> {
    let first = match timeout(JOIN_WITHIN, conn.socket.recv()).await {
        Ok(Some(message)) => message?,
        Ok(None) => return Ok(()),
        Err(_) => return refuse(conn, CloseCode::POLICY_VIOLATION, "say who you are first").await,
    };
    let Some(Asked::Join { room, name }) = first.as_text().and_then(Asked::read) else {
        return refuse(conn, CloseCode::POLICY_VIOLATION, "that is no name, or no room").await;
    };
    let Some((mut seat, welcome)) = Seat::take(&rooms, room, &name) else {
        return refuse(conn, CloseCode::TRY_AGAIN_LATER, "too many people are here").await;
    };
    let (rx, tx) = conn.socket.halves();
    tx.send(welcome)?;
    // Receives what this one says, and writes what the room says.
    while let Some(message) = seat.member.recv(rx, tx).await {
        match message?.as_text().and_then(Asked::read) {
            Some(Asked::Say { text }) => seat.say(&text),
            Some(Asked::Echo { id }) => tx.send(Told::Echo { id }.json())?,
            Some(Asked::Join { .. }) | None => {
                drop(seat);
                return refuse(conn, CloseCode::POLICY_VIOLATION, "that cannot be said here").await;
            }
        }
    }
    Ok(())
}

async fn refuse(mut conn: ServerConnection, code: CloseCode, reason: &str) -> Result<(), BoxError> {
    conn.socket.close(code, reason).await?;
    Ok(())
}
