//! Two endpoints in memory, and what each reports, written down.

use std::{sync::Arc, time::Instant};

use ws_endpoint::{
    ClientConfig, Endpoint, Event, ServerConfig,
    driver::{Progress, Wants},
    handshake::{ClientRequest, Key},
};

/// An endpoint, the time it is told, and what it has reported.
pub struct Talker {
    pub endpoint: Endpoint,
    pub now: Instant,
    pub seen: Vec<String>,
    /// Whether a server answers each request that it reports.
    pub answers: bool,
    /// What the last advance came to.
    pub progress: Progress,
    told_end: bool,
}

impl Talker {
    pub fn new(endpoint: Endpoint, now: Instant) -> Self {
        Self {
            endpoint,
            now,
            seen: Vec::new(),
            answers: true,
            progress: Progress::NeedBytes,
            told_end: false,
        }
    }

    /// Takes every event that is ready.
    pub fn listen(&mut self) {
        while {
            self.progress = self.endpoint.advance(self.now);
            self.progress == Progress::Ready
        } {
            let event = self.endpoint.event();
            let asked = matches!(event, Event::Request(_));
            self.seen.push(describe(event));
            if asked && self.answers {
                assert!(self.endpoint.start(self.now), "a request is answered once");
            }
        }
    }

    /// Takes what it wants written.
    pub fn written(&mut self) -> Vec<u8> {
        let bytes = self.endpoint.outgoing().into_bytes().to_vec();
        if self.endpoint.wants().shutdown {
            self.endpoint.shut();
        }
        bytes
    }

    /// Gives it bytes, so many at a time.
    pub fn receive(&mut self, bytes: &[u8], step: usize) {
        for piece in bytes.chunks(step) {
            self.endpoint.receive(piece);
            self.listen();
        }
    }

    /// What it has reported since this was last asked.
    pub fn seen(&mut self) -> Vec<String> {
        std::mem::take(&mut self.seen)
    }

    fn is_over(&mut self) -> bool {
        self.endpoint.wants() == Wants::NOTHING
    }
}

/// Lets both talk until nothing moves any more.
pub fn talk(one: &mut Talker, other: &mut Talker, step: usize) {
    while hand_over(one, other, step) | hand_over(other, one, step) {}
}

/// Whether anything moved from one to the other.
fn hand_over(from: &mut Talker, to: &mut Talker, step: usize) -> bool {
    from.listen();
    let bytes = from.written();
    to.receive(&bytes, step);
    let ends = from.is_over() && !std::mem::replace(&mut from.told_end, true);
    if ends {
        to.endpoint.end_of_stream();
        to.listen();
    }
    ends || !bytes.is_empty()
}

pub fn client() -> Talker {
    Talker::new(Endpoint::client("ws://example.com/chat?x=1").expect("an address"), Instant::now())
}

pub fn client_of(request: ClientRequest, config: ClientConfig) -> Talker {
    let key = Key::from_bytes(*b"the sample nonce");
    Talker::new(Endpoint::client_with(request, config, key), Instant::now())
}

pub fn request(address: &str) -> ClientRequest {
    ClientRequest::new(address).expect("an address")
}

pub fn server_of(config: ServerConfig) -> Talker {
    let now = Instant::now();
    Talker::new(Endpoint::server(&Arc::new(config), now), now)
}

pub fn server() -> Talker {
    server_of(ServerConfig::default())
}

/// Both, open.
pub fn open() -> (Talker, Talker) {
    let (mut client, mut server) = (client(), server());
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    assert_eq!(client.seen(), ["open"]);
    assert_eq!(server.seen(), ["request GET /chat?x=1", "open"]);
    (client, server)
}

pub const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/// A server that was sent these bytes, and its answer.
pub fn asked(mut server: Talker, bytes: &str) -> (Talker, String) {
    server.receive(bytes.as_bytes(), 1000);
    server.listen();
    let answer = String::from_utf8(server.written()).expect("a head is text");
    (server, answer)
}

/// An event in a few words.
fn describe(event: Event<'_>) -> String {
    match event {
        Event::Request(request) => format!("request {} {}", request.method(), request.uri()),
        Event::Open(_) => "open".to_owned(),
        Event::Message(message) => match message.as_text() {
            Some(text) => format!("text {text}"),
            None => format!("binary {}", message.as_bytes().escape_ascii()),
        },
        Event::Part(part) => format!("part {}", part.data.escape_ascii()),
        Event::Ping(payload) => format!("ping {}", payload.escape_ascii()),
        Event::Pong(pong) => {
            let answers = if pong.ping.is_some() { "answers" } else { "unasked" };
            format!("pong {} {answers}", pong.payload.escape_ascii())
        }
        Event::Failed(failure) => format!("failed: {failure}"),
        Event::Closed(closed) => format!("closed {} {}", closed.code, closed.reason).trim_end().to_owned(),
        _ => "nothing".to_owned(),
    }
}
