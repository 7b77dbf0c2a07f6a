//! What a client asks its caller, and panics: whoever waits for the connection is unwound, nothing stays behind, and no other
//! connection notices.

mod support;

use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt as _;
use support::{trap::Trap, visitor};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use ws_tokio::{
    Connect, Error, Server, ServerConnection, WebSocket,
    endpoint::{
        driver::MaskSource,
        extensions::{
            Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Refusal, Registry,
            Session, SessionOptions,
        },
        frame::Rsv,
    },
    http::{Response, StatusCode, header::LOCATION},
};

const IN_TIME: Duration = Duration::from_secs(20);

/// When an extension panics.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Offer,
    Params,
    Activate,
}

/// An extension that leaves messages as they are, and panics while it negotiates if it has a trap.
#[derive(Clone)]
struct Touchy(Option<(In, Trap)>);

impl Touchy {
    fn spring(&self, here: In) {
        if let Some((_, trap)) = self.0.as_ref().filter(|(at, _)| *at == here) {
            trap.spring();
        }
    }

    fn registry(self) -> Registry {
        let mut registry = Registry::new();
        registry.register(self).expect("a name");
        registry
    }
}

impl Extension for Touchy {
    fn name(&self) -> &'static str {
        "x-touchy"
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        self.spring(In::Offer);
        Some(Box::new(Offered(self.clone(), [Params::new()])))
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((Params::new(), Session::new(Passes, Passes)))
    }
}

struct Offered(Touchy, [Params; 1]);

impl Offer for Offered {
    fn params(&self) -> &[Params] {
        self.0.spring(In::Params);
        &self.1
    }

    fn activate(self: Box<Self>, _: &Params) -> Result<Session, Refusal> {
        self.0.spring(In::Activate);
        Ok(Session::new(Passes, Passes))
    }
}

struct Passes;

impl Codec for Passes {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        Plan::Pass
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Ok(())
    }
}

/// An echo with that extension, and a redirect to it at `/moved`.
async fn echo() -> Server {
    let builder = Server::builder().configure(|config| config.extensions = Touchy(None).registry());
    let builder = builder.authorize(|request, _| async move {
        let moved = Response::builder().status(StatusCode::FOUND).header(LOCATION, "/");
        if request.uri().path() == "/moved" { Err(moved.body("").expect("an answer")) } else { Ok(()) }
    });
    let server = builder.bind("127.0.0.1:0").await.expect("it listens");
    let serves = server.clone();
    tokio::spawn(async move {
        let echo = |mut conn: ServerConnection| async move {
            while let Some(message) = conn.socket.recv().await {
                conn.socket.send(message?).await?;
            }
            Ok::<_, Error>(())
        };
        serves.serve(echo).await;
    });
    server
}

async fn answers<S>(ws: &mut WebSocket<S>, text: &str)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ws.send(text).await.expect("sent");
    let answer = timeout(IN_TIME, ws.recv()).await.expect("in time").expect("not the end");
    assert_eq!(answer.expect("a message").as_text(), Some(text));
}

type With = fn(Connect, Trap) -> Connect;

/// Each thing that a client asks its caller, where it is asked at once and where it waits.
const ASKED: [(&str, With); 12] = [
    ("on_request", |connect, trap| {
        connect.on_request(move |request| {
            trap.spring();
            async { Ok(request) }
        })
    }),
    ("what on_request awaits", |connect, trap| {
        connect.on_request(move |request| {
            let trap = trap.clone();
            async move {
                tokio::task::yield_now().await;
                trap.spring();
                Ok(request)
            }
        })
    }),
    ("on_redirect", |connect, trap| {
        connect.on_redirect(move |redirect| {
            trap.spring();
            async { Ok(redirect.request) }
        })
    }),
    ("what on_redirect awaits", |connect, trap| {
        connect.on_redirect(move |redirect| {
            let trap = trap.clone();
            async move {
                tokio::task::yield_now().await;
                trap.spring();
                Ok(redirect.request)
            }
        })
    }),
    ("resolver", |connect, trap| {
        connect.resolver(move |_, port| {
            trap.spring();
            async move { Ok(vec![([127, 0, 0, 1], port).into()]) }
        })
    }),
    ("what resolver awaits", |connect, trap| {
        connect.resolver(move |_, port| {
            let trap = trap.clone();
            async move {
                tokio::task::yield_now().await;
                trap.spring();
                Ok(vec![([127, 0, 0, 1], port).into()])
            }
        })
    }),
    ("connector", |connect, trap| {
        connect.connector(move |_, port| {
            trap.spring();
            TcpStream::connect(("127.0.0.1", port))
        })
    }),
    ("what connector awaits", |connect, trap| {
        connect.connector(move |_, port| {
            let trap = trap.clone();
            async move {
                let stream = TcpStream::connect(("127.0.0.1", port)).await?;
                trap.spring();
                Ok(stream)
            }
        })
    }),
    ("mask_source", |connect, trap| {
        connect.mask_source(move || {
            trap.spring();
            MaskSource::Os
        })
    }),
    ("an extension's offer", |connect, trap| connect.extensions(Touchy(Some((In::Offer, trap))).registry())),
    ("an extension's parameters", |connect, trap| {
        connect.extensions(Touchy(Some((In::Params, trap))).registry())
    }),
    ("an extension's answer to the server", |connect, trap| {
        connect.extensions(Touchy(Some((In::Activate, trap))).registry())
    }),
];

#[tokio::test]
async fn a_hook_of_a_client_that_panics_unwinds_its_caller_and_leaves_nothing_open() {
    let server = echo().await;
    let port = server.local_addrs()[0].tcp().expect("TCP").port();
    let mut other = visitor::connect(&server).await;
    for (hook, with) in ASKED {
        let trap = Trap::at(0);
        let connect = Connect::new(&format!("ws://localhost:{port}/moved")).expect("an address");
        let connect = with(connect.follow_redirects(1), trap.clone());
        let opened = AssertUnwindSafe(connect.clone().open()).catch_unwind();
        let panicked = timeout(IN_TIME, opened).await.expect(hook).expect_err(hook);
        assert_eq!(panicked.downcast_ref(), Some(&"told to"), "{hook}: the hook's own panic comes out");

        // The options are as good as before.
        let mut ws = timeout(IN_TIME, connect.open()).await.expect(hook).expect(hook);
        answers(&mut ws, hook).await;
        drop(ws);
        let alone = async {
            while server.clients().len() > 1 {
                tokio::task::yield_now().await;
            }
        };
        timeout(IN_TIME, alone).await.unwrap_or_else(|_| panic!("{hook}: a connection is left open"));
        assert!(trap.is_alone(), "{hook}: something of it is kept");
        answers(&mut other, "still here").await;
    }
}
