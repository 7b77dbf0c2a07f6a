//! Connections to be that are dropped at each of their polls: the transport goes with them, and no client is left waiting.

mod support;

use std::{convert::Infallible, future::poll_fn, pin::pin, sync::Arc, task::Poll};

use hyper::{Request, body::Incoming, service::service_fn};
use tokio::{io::DuplexStream, io::duplex, sync::mpsc::unbounded_channel, task::yield_now};
use ws_hyper::{Clients, Upgrading, http::Response};

use self::support::{HI, Http, UPGRADE, serve};

/// A way to wait for a connection: the first text that it receives.
#[derive(Debug, Clone, Copy)]
enum Way {
    Awaited,
    WithRequest,
    Over,
}

async fn first_text(way: Way, upgrading: Upgrading) -> String {
    let message = match way {
        Way::Awaited => upgrading.await.unwrap().recv().await,
        Way::WithRequest => {
            let (mut ws, request) = upgrading.with_request().await.unwrap();
            assert_eq!(request.uri(), "/chat?room=1");
            ws.recv().await
        }
        Way::Over => upgrading.over::<DuplexStream>().await.unwrap().0.recv().await,
    };
    message.unwrap().unwrap().as_text().unwrap().to_owned()
}

/// Polls so many times, with turns for others in between, and drops.
async fn polled<F: Future>(times: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..times {
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await {
            return Some(output);
        }
        yield_now().await;
    }
    None
}

#[tokio::test]
async fn a_connection_to_be_that_is_dropped_drops_its_transport() {
    for way in [Way::Awaited, Way::WithRequest, Way::Over] {
        for polls in 0.. {
            let clients = Clients::default();
            let tracked = clients.clone();
            let (outcomes, mut outcome) = unbounded_channel();
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (response, upgrading) = ws_hyper::upgrade(&mut request, &Arc::default()).unwrap();
                let (outcomes, upgrading) = (outcomes.clone(), upgrading.tracked(&tracked));
                tokio::spawn(async move { outcomes.send(polled(polls, first_text(way, upgrading)).await) });
                async move { Ok::<Response<String>, Infallible>(response) }
            });
            let (near, far) = duplex(16); // so that the answer leaves in many turns
            tokio::spawn(serve(far, service));
            let mut http = Http::new(near);
            http.send([UPGRADE.as_bytes(), HI].concat()).await;
            assert_eq!(http.answer().await.status, 101, "{way:?}, {polls} polls");
            http.end().await;
            assert!(clients.is_empty(), "{way:?}, {polls} polls");
            if let Some(text) = outcome.recv().await.unwrap() {
                assert_eq!(text, "hi");
                assert!(polls > 2, "{way:?}: it was cut before");
                break;
            }
        }
    }
}
