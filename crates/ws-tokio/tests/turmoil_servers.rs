//! What becomes of clients that come back, and of a server that stops, when the network between them fails, under virtual
//! time.

#[path = "support/simulated.rs"]
mod simulated;

use std::time::Duration;

use simulated::{SERVER, Story, TICK, ask, assert_took, connect, network, serve, start};
use tokio::time::{Instant, sleep, timeout};
use ws_testkit::Rng;
use ws_tokio::{Backoff, Reconnect, endpoint::frame::CloseCode};

/// One a second.
const QUESTIONS: u32 = 60;

/// A client that comes back, with waits drawn from this seed.
fn reconnect(seed: u64, story: &Story) -> Reconnect {
    let (mut rng, story) = (Rng::new(seed), story.clone());
    let mut backoff = Backoff::default();
    backoff.max = Duration::from_secs(8);
    Reconnect::new(connect())
        .backoff(backoff)
        .random_source(move || rng.next_u64())
        .on_failure(move |error, _| story.tell(format_args!("failed: {error}")))
}

/// When the client is cut off, for longer than the heartbeat needs to find out; when the server is down.
const CUT: u64 = 20;
const MENDED: u64 = 110;
const DOWN: u64 = 130;
const UP: u64 = 150;

/// A server that is cut off, crashes and starts anew, while a client asks it on and on. Gives what happened, and when.
fn troubled(seed: u64) -> Vec<(Duration, String)> {
    let (mut network, story) = (network(seed), Story::default());
    network.host(SERVER, serve(&Story::default()));
    let tells = story.clone();
    network.client("client", async move {
        let mut connections = reconnect(seed, &tells);
        let mut number = 0_u32;
        while number < QUESTIONS {
            let mut ws = connections.next().await.expect("not stopped")?;
            tells.tell("connected");
            // What was not answered is asked again over the next connection.
            while ask(&mut ws, &number.to_string()).await.is_ok() {
                number += 1;
                if number == QUESTIONS {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
            }
        }
        tells.tell("done");
        Ok(())
    });
    let mut trouble = [CUT, MENDED, DOWN, UP].into_iter().peekable();
    while !network.step().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
        match trouble.next_if(|at| *at < network.elapsed().as_secs()) {
            Some(CUT) => network.partition("client", SERVER),
            Some(MENDED) => network.repair("client", SERVER),
            Some(DOWN) => network.crash(SERVER),
            Some(_) => network.bounce(SERVER),
            None => {}
        }
    }
    story.all()
}

#[test]
fn a_client_comes_back_through_a_partition_and_a_crash() {
    for seed in 0..4 {
        let told = troubled(seed);
        let times = |what| told.iter().filter(move |(_, told)| told == what).map(|(at, _)| at.as_secs());
        let connected: Vec<_> = times("connected").collect();
        let [first, behind_partition, behind_crash] = connected[..] else { panic!("{told:?}") };
        assert_eq!(first, 0, "{told:?}");
        // The longest wait, from when somebody is there again.
        assert!((MENDED..=MENDED + 9).contains(&behind_partition), "{told:?}");
        assert!((UP..=UP + 9).contains(&behind_crash), "{told:?}");
        let [cut, down] = [failures(&told, CUT..MENDED), failures(&told, DOWN..UP)];
        assert!(cut > 0 && down > 0, "nobody was there: {told:?}");
        assert_eq!(times("done").count(), 1, "{told:?}");
    }
}

/// How many attempts have failed between these times.
fn failures(told: &[(Duration, String)], between: std::ops::Range<u64>) -> usize {
    let failed = told.iter().filter(|(_, told)| told.starts_with("failed: "));
    failed.filter(|(at, _)| between.contains(&at.as_secs())).count()
}

#[test]
fn a_seed_is_the_same_story_again() {
    let told = [1, 1, 2].map(troubled);
    assert_eq!(told[0], told[1]);
    assert_ne!(told[0], told[2]);
}

#[test]
fn a_server_that_stops_does_not_wait_for_a_client_beyond_a_partition() {
    let (mut network, story) = (network(0), Story::default());
    let (tells, hears) = (story.clone(), story.clone());
    network.host(SERVER, move || {
        let story = tells.clone();
        async move {
            let server = start(Story::default()).await?;
            while server.clients().len() < 2 {
                sleep(TICK).await;
            }
            sleep(Duration::from_secs(1)).await;
            turmoil::partition("far", SERVER);
            let told = Instant::now();
            let report = server.shutdown(CloseCode::GOING_AWAY, "stops", Duration::from_secs(3)).await;
            assert_eq!((report.answered, report.unanswered.len()), (1, 1));
            assert_took(told, 3, 3);
            while turmoil::established_tcp_stream_count() > 0 {
                sleep(TICK).await;
            }
            assert_took(told, 3, 3);
            story.tell("stopped");
            Ok(())
        }
    });
    for client in ["near", "far"] {
        let story = hears.clone();
        network.client(client, async move {
            let mut ws = connect().await?;
            ask(&mut ws, "a").await?;
            let quiet = Instant::now();
            let ended = ws.recv().await;
            let code = ws.closed().map(|closed| closed.code);
            if client == "near" {
                assert!(ended.is_none() && code == Some(1001), "{ended:?} {code:?}");
            } else {
                assert!(matches!(ended, Some(Err(_))), "{ended:?}");
                assert_took(quiet, 45, 50);
            }
            timeout(Duration::from_secs(60), story.until("stopped")).await?;
            Ok(())
        });
    }
    network.run().expect("a story");
}
