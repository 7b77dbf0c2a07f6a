//! What becomes of connections when the network between two hosts fails, under virtual time. Each story is lived with
//! several seeds, which are different delays.

#[path = "support/simulated.rs"]
mod simulated;

use std::time::Duration;

use simulated::{SERVER, Story, ask, assert_took, connect, network, serve};
use tokio::time::{Instant, sleep};
use ws_tokio::{
    ConnectError, Error, Step,
    endpoint::{
        driver::{Expired, Fault},
        frame::CloseCode,
    },
};

const CLIENT: &str = "client";

/// The heartbeat of both sides: 25 s of silence, 20 s for the pong, and 5 s for the answer to the Close that says so.
const FOUND_OUT: u64 = 50;

const SEEDS: std::ops::Range<u64> = 0..3;

/// Lives a story: the client's part of it.
fn live<F>(seed: u64, story: &Story, client: F)
where
    F: Future<Output = turmoil::Result> + 'static,
{
    let mut network = network(seed);
    network.host(SERVER, serve(story));
    network.client(CLIENT, client);
    network.run().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
}

#[test]
fn a_partition_is_found_by_the_heartbeat_of_both_sides() {
    for seed in SEEDS {
        let story = Story::default();
        let told = story.clone();
        live(seed, &story, async move {
            let mut ws = connect().await?;
            for text in ["a", "b", "c"] {
                ask(&mut ws, text).await?;
            }
            turmoil::partition(CLIENT, SERVER);
            let cut = Instant::now();
            ws.send("into the void").await?;
            let error = ws.recv().await.expect("it is told").expect_err("nobody is there");
            assert!(matches!(error, Error::Failed(Fault::PongTimeout)), "{error:?}");
            assert_took(cut, 44, FOUND_OUT);
            assert!(ws.recv().await.is_none());
            assert_eq!(ws.closed().map(|closed| (closed.code, closed.is_clean())), Some((1006, false)));
            told.until("server: Err(Failed(").await;
            assert_took(cut, 44, FOUND_OUT);
            Ok(())
        });
    }
}

/// What one side says is heard, what the other says is not: who hears nothing finds out, and can say so.
#[test]
fn a_link_that_is_cut_in_one_direction_is_found_by_who_hears_nothing() {
    live(0, &Story::default(), async move {
        let mut ws = connect().await?;
        ask(&mut ws, "a").await?;
        turmoil::partition_oneway(CLIENT, SERVER);
        let cut = Instant::now();
        assert!(ws.recv().await.is_none(), "the server closes");
        assert_eq!(ws.closed().map(|closed| closed.code), Some(1011));
        assert_took(cut, 44, FOUND_OUT);
        Ok(())
    });
    let story = Story::default();
    let told = story.clone();
    live(1, &story, async move {
        let mut ws = connect().await?;
        ask(&mut ws, "a").await?;
        turmoil::partition_oneway(SERVER, CLIENT);
        let cut = Instant::now();
        let error = ws.recv().await.expect("it is told").expect_err("nothing came");
        assert!(matches!(error, Error::Failed(Fault::PongTimeout)), "{error:?}");
        assert_took(cut, 44, FOUND_OUT);
        assert_eq!(told.until("server: ").await, "server: Ok(()) Some(1011)");
        Ok(())
    });
}

/// The other host has started anew and knows of no connection, while this one believes in it (RFC 9293 section 3.5.1).
#[test]
fn a_connection_that_the_other_host_has_forgotten_is_lost_with_the_next_ping() {
    for seed in SEEDS {
        let (mut network, story) = (network(seed), Story::default());
        network.host(SERVER, serve(&story));
        let told = story.clone();
        network.client(CLIENT, async move {
            let mut ws = connect().await?;
            ask(&mut ws, "a").await?;
            turmoil::partition(CLIENT, SERVER);
            let cut = Instant::now();
            told.tell("cut");
            told.until("started anew").await;
            turmoil::repair(CLIENT, SERVER);
            let error = ws.recv().await.expect("it is told").expect_err("it is not known any more");
            assert!(matches!(error, Error::Lost | Error::Io(_)), "{error:?}");
            assert_took(cut, 24, 26);
            ask(&mut connect().await?, "b").await?;
            Ok(())
        });
        let mut is_anew = false;
        while !network.step().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            if !is_anew && story.has("cut") {
                network.crash(SERVER);
                network.bounce(SERVER);
                story.note(network.elapsed(), "started anew");
                is_anew = true;
            }
        }
    }
}

#[test]
fn a_slow_link_is_a_connection_as_long_as_its_pongs_come_in_time() {
    // Seconds that everything takes one way.
    for (seed, slow) in [(0, 1), (1, 4), (2, 9)] {
        let mut network = network(seed);
        network.host(SERVER, serve(&Story::default()));
        network.client(CLIENT, async move {
            let mut ws = connect().await?;
            ask(&mut ws, "fast").await?;
            sleep(Duration::from_secs(1)).await;
            for _ in 0..5 {
                let asked = Instant::now();
                ask(&mut ws, "slow").await?;
                assert_took(asked, 2 * slow, 2 * slow);
                // Long enough for a heartbeat or two.
                let quiet = tokio::time::timeout(Duration::from_secs(60), ws.recv()).await;
                assert!(quiet.is_err(), "{quiet:?}");
            }
            // The closing handshake has a deadline of its own, 5 s.
            let closed = ws.close(CloseCode::NORMAL, "").await;
            if 2 * slow < 5 {
                assert!(closed?.is_some_and(|closed| closed.is_clean()));
            } else {
                assert!(matches!(closed, Err(Error::Expired(Expired::Close))), "{closed:?}");
            }
            Ok(())
        });
        let mut is_slow = false;
        while !network.step().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            if !is_slow && network.elapsed() > Duration::from_secs(1) {
                network.set_link_latency(CLIENT, SERVER, Duration::from_secs(slow));
                is_slow = true;
            }
        }
    }
}

#[test]
fn a_link_too_slow_for_the_handshake_is_given_up_by_its_deadline() {
    let mut network = network(0);
    network.host(SERVER, serve(&Story::default()));
    network.client(CLIENT, async move {
        let start = Instant::now();
        let error = connect().await.expect_err("too slow");
        assert!(matches!(error, ConnectError::Timeout { step: Step::Handshake }), "{error:?}");
        assert_took(start, 10, 10);
        Ok(())
    });
    network.set_link_latency(CLIENT, SERVER, Duration::from_secs(4));
    network.run().expect("a story");
}

/// The packets of some seconds come at once.
#[test]
fn a_link_that_is_held_up_loses_nothing_when_it_goes_on() {
    for seed in SEEDS {
        live(seed, &Story::default(), async move {
            let mut ws = connect().await?;
            for round in 0..5 {
                turmoil::hold(CLIENT, SERVER);
                for number in 0..100 {
                    ws.feed(format!("{round} {number}")).await?;
                }
                ws.flush().await?;
                let quiet = tokio::time::timeout(Duration::from_secs(19), ws.recv()).await;
                assert!(quiet.is_err(), "{quiet:?}");
                turmoil::release(CLIENT, SERVER);
                for number in 0..100 {
                    let echo = ws.recv().await.expect("not the end")?;
                    assert_eq!(echo.as_text(), Some(&*format!("{round} {number}")));
                }
            }
            Ok(())
        });
    }
}

#[test]
fn a_reset_loses_nothing_that_had_arrived_and_is_told_once() {
    for seed in SEEDS {
        let mut network = network(seed);
        network.host(SERVER, serve(&Story::default()));
        network.client(CLIENT, async move {
            let mut ws = connect().await?;
            for text in ["a", "b", "c"] {
                ws.feed(text).await?;
            }
            ws.flush().await?;
            // They arrive, then the reset does, and nobody has looked yet.
            sleep(Duration::from_secs(3)).await;
            for text in ["a", "b", "c"] {
                assert_eq!(ws.recv().await.expect("not the end")?.as_text(), Some(text));
            }
            let error = ws.recv().await.expect("it is told").expect_err("it was reset");
            assert!(matches!(error, Error::Lost | Error::Io(_)), "{error:?}");
            assert!(ws.recv().await.is_none());
            assert!(ws.send("d").await.is_err());
            Ok(())
        });
        let mut is_down = false;
        while !network.step().unwrap_or_else(|error| panic!("seed {seed}: {error}")) {
            if !is_down && network.elapsed() > Duration::from_millis(2_500) {
                network.crash(SERVER);
                is_down = true;
            }
        }
    }
}
