//! The chat example in a headless Chromium, where that is on the path.
//!
//! `CHAT_PICTURE=chat.png cargo test -p ws-stack --test chat_browser phone` draws the picture of the README.

#[expect(dead_code, reason = "its main is not run")]
#[path = "../../examples/chat/main.rs"]
mod chat;
mod devtools;
mod picture;

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle, time::timeout};
use ws_stack::{Address, BoxError, ClientStream, Server, WebSocket, http::Response};

use self::devtools::{Browser, Tab};

/// A chat that runs until it is stopped.
struct Chat {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), BoxError>>,
}

impl Chat {
    async fn start() -> Result<Self, BoxError> {
        Self::start_on("127.0.0.1:0".parse()?).await
    }

    async fn start_on(address: SocketAddr) -> Result<Self, BoxError> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(chat::serve(listener, async { _ = stopped.await }));
        Ok(Self { address, stop, serving })
    }

    async fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        timeout(Duration::from_secs(30), self.serving).await??
    }

    fn page(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Someone without a browser.
    async fn guest(&self, name: &str) -> Result<WebSocket<ClientStream>, BoxError> {
        let mut guest = ws_stack::connect(&format!("ws://{}/chat", self.address)).await?;
        guest.send(json!({ "type": "join", "room": "lobby", "name": name }).to_string()).await?;
        assert_eq!(told(&mut guest).await?["type"], "welcome");
        Ok(guest)
    }
}

async fn told(guest: &mut WebSocket<ClientStream>) -> Result<Value, BoxError> {
    let message = timeout(Duration::from_secs(30), guest.recv()).await?.ok_or("closed")??;
    Ok(serde_json::from_slice(message.as_bytes())?)
}

/// Opens the page in a tab, and enters.
async fn enter(browser: &mut Browser, page: &str, room: &str, name: &str) -> Result<Tab, BoxError> {
    let tab = browser.open(page).await?;
    let fill = format!(
        "document.querySelector('#name').value = {};
         document.querySelector('#room').value = {};
         document.querySelector('#join').requestSubmit();",
        json!(name),
        json!(room)
    );
    browser.evaluate(&tab, &fill).await?;
    shows(browser, &tab, "#lines", "You are in").await?;
    Ok(tab)
}

async fn say(browser: &mut Browser, tab: &Tab, text: &str) -> Result<(), BoxError> {
    browser.until(tab, "document.querySelector('#state').dataset.state === 'connected'").await?;
    let type_and_send =
        format!("text.value = {}; text.dispatchEvent(new Event('input')); say.requestSubmit();", json!(text));
    browser.evaluate(tab, &type_and_send).await?;
    Ok(())
}

/// Waits until an element of the page has this text in it.
async fn shows(browser: &mut Browser, tab: &Tab, selector: &str, text: &str) -> Result<(), BoxError> {
    let (selector, text) = (json!(selector), json!(text));
    let condition = format!(
        "[...document.querySelectorAll({selector})].some(found => found.textContent.includes({text}))"
    );
    browser.until(tab, &condition).await
}

#[tokio::test]
async fn two_tabs_talk_to_each_other() -> Result<(), BoxError> {
    let Some(mut browser) = Browser::start("talk").await? else { return Ok(()) };
    let chat = Chat::start().await?;
    let ada = enter(&mut browser, &chat.page(), "lobby", "Ada").await?;
    shows(&mut browser, &ada, "#count", "you are alone here").await?;
    let grace = enter(&mut browser, &chat.page(), "Lobby", "  Grace  Hopper ").await?;
    let gardener = enter(&mut browser, &chat.page(), "garden", "Ada").await?;
    for tab in [&ada, &grace] {
        shows(&mut browser, tab, "#count", "2 people").await?;
        shows(&mut browser, tab, "#state", " ms").await?;
    }
    shows(&mut browser, &ada, ".notice", "Grace Hopper joined").await?;

    let texts = ["hello, <b>Grace</b>", "two\nlines of 水 and 𝄞"];
    for text in texts {
        say(&mut browser, &ada, text).await?;
        shows(&mut browser, &ada, ".said.mine p", text).await?;
        shows(&mut browser, &grace, ".said:not(.mine) p", text).await?;
    }
    say(&mut browser, &grace, "hello, Ada").await?;
    shows(&mut browser, &ada, ".said:not(.mine) p", "hello, Ada").await?;
    let said = "[...document.querySelectorAll('.said p')].map(line => line.textContent)";
    let all = json!([texts[0], texts[1], "hello, Ada"]);
    for tab in [&ada, &grace] {
        assert_eq!(browser.evaluate(tab, said).await?, all);
    }
    let link = browser.evaluate(&gardener, "location.href").await?;
    let linked = browser.open(link.as_str().ok_or("no address")?).await?;
    assert_eq!(browser.evaluate(&linked, "document.querySelector('#room').value").await?, "garden");
    say(&mut browser, &gardener, "only roses").await?;
    shows(&mut browser, &gardener, ".said p", "only roses").await?;
    assert_eq!(browser.evaluate(&gardener, said).await?, json!(["only roses"]));

    let namesake = enter(&mut browser, &chat.page(), "lobby", "Ada").await?;
    shows(&mut browser, &namesake, ".notice", "as Ada 2").await?;
    for (tab, left, count) in [(namesake, "Ada 2 left", "2 people"), (grace, "Grace Hopper left", "alone")] {
        browser.close(tab).await?;
        shows(&mut browser, &ada, ".notice", left).await?;
        shows(&mut browser, &ada, "#count", count).await?;
    }
    chat.stop().await
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_refused() -> Result<(), BoxError> {
    let Some(mut browser) = Browser::start("origin").await? else { return Ok(()) };
    let chat = Chat::start().await?;
    let foreign = Server::builder()
        .pages(|_, _| async {
            Response::builder().header("content-type", "text/html").body("elsewhere").ok()
        })
        .bind("127.0.0.1:0")
        .await?;
    let address = foreign.local_addrs().first().and_then(Address::tcp).ok_or("it listens")?;
    let socket = format!("new WebSocket('ws://{}/chat'); 1", chat.address);

    let tab = browser.open(&format!("http://{address}/")).await?;
    browser.evaluate(&tab, &socket).await?;
    let error = browser.event(&tab, "Network.webSocketFrameError").await?;
    assert!(error["errorMessage"].as_str().is_some_and(|error| error.contains("403")), "{error}");

    let tab = browser.open(&chat.page()).await?;
    browser.evaluate(&tab, &socket).await?;
    let answer = browser.event(&tab, "Network.webSocketHandshakeResponseReceived").await?;
    assert_eq!(answer["response"]["status"], 101, "{answer}");
    chat.stop().await
}

#[tokio::test]
async fn a_page_comes_back_when_the_server_does() -> Result<(), BoxError> {
    let Some(mut browser) = Browser::start("restart").await? else { return Ok(()) };
    let chat = Chat::start().await?;
    let address = chat.address;
    let tab = enter(&mut browser, &chat.page(), "lobby", "Ada").await?;
    let mut guest = chat.guest("Grace").await?;
    let (stopped, ended) = tokio::join!(chat.stop(), async {
        while let Some(Ok(_)) = guest.recv().await {}
        guest.closed()
    });
    stopped?;
    assert_eq!(ended.map(|closed| closed.code), Some(1001));
    shows(&mut browser, &tab, ".notice", "Disconnected: the server restarts").await?;
    shows(&mut browser, &tab, "#count", "nobody in sight").await?;

    let chat = Chat::start_on(address).await?;
    shows(&mut browser, &tab, ".notice", "You are back").await?;
    let mut guest = chat.guest("Grace").await?;
    say(&mut browser, &tab, "here again").await?;
    assert_eq!(told(&mut guest).await?, json!({ "type": "said", "name": "Ada", "text": "here again" }));
    chat.stop().await
}

#[tokio::test]
async fn the_page_fits_a_phone_and_the_dark() -> Result<(), BoxError> {
    let Some(mut browser) = Browser::start("phone").await? else { return Ok(()) };
    let chat = Chat::start().await?;
    let desk = enter(&mut browser, &chat.page(), "lobby", "Ada").await?;
    let phone = enter(&mut browser, &chat.page(), "lobby", "Grace").await?;
    picture::resize(&mut browser, &desk, (760, 760), "light").await?;
    picture::resize(&mut browser, &phone, (384, 792), "dark").await?;
    picture::converse(&mut browser, &chat, &desk, &phone).await?;
    say(&mut browser, &phone, &"long".repeat(60)).await?;
    shows(&mut browser, &phone, ".said.mine p", "longlong").await?;
    let measured = "[document.documentElement.scrollWidth, send.getBoundingClientRect().right <= innerWidth,
                     send.getBoundingClientRect().bottom <= innerHeight, lines.scrollWidth <= lines.clientWidth,
                     getComputedStyle(document.querySelector('main')).backgroundColor]";
    assert_eq!(browser.evaluate(&phone, measured).await?, json!([384, true, true, true, "rgb(22, 24, 31)"]));
    assert_eq!(
        browser.evaluate(&desk, measured).await?,
        json!([760, true, true, true, "rgb(255, 255, 255)"])
    );
    chat.stop().await
}

#[tokio::test]
async fn what_is_not_of_the_chat_is_closed_with_a_reason() -> Result<(), BoxError> {
    let chat = Chat::start().await?;
    let join = json!({ "type": "join", "room": "lobby", "name": "Ada" }).to_string();
    let say = |text: &str| json!({ "type": "say", "text": text }).to_string();
    for (before, message, code) in [
        (None, "hello".to_owned(), 1008),
        (None, say("hello"), 1008),
        (None, json!({ "type": "join", "room": "", "name": "Ada" }).to_string(), 1008),
        (None, json!({ "type": "join", "room": "lobby", "name": "a".repeat(25) }).to_string(), 1008),
        (Some(&join), join.clone(), 1008),
        (Some(&join), say("  \n"), 1008),
        (Some(&join), say(&"a".repeat(1001)), 1008),
        (Some(&join), say(&"a".repeat(20_000)), 1009),
    ] {
        let mut ws = ws_stack::connect(&format!("ws://{}/chat", chat.address)).await?;
        if let Some(join) = before {
            ws.send(join.as_str()).await?;
            assert_eq!(told(&mut ws).await?["type"], "welcome");
        }
        ws.send(message.as_str()).await?;
        let ended = timeout(Duration::from_secs(30), ws.recv()).await?;
        assert!(ended.is_none(), "{message}: {ended:?}");
        assert_eq!(ws.closed().map(|closed| closed.code), Some(code), "{message}");
    }
    chat.stop().await
}
