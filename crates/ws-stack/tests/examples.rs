//! The examples run alone, end by themselves, and say what they are to show.

use std::{env, path::PathBuf, process::Stdio, time::Duration};

use tokio::{process::Command, time::timeout};

/// How long an example may take; each needs a second or two on an idle machine.
const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_simple_server_echoes() {
    run("simple_server", &["a client on /", r#"Some(Text("hello"))"#, "closed with Some(1000)"]).await;
}

#[tokio::test]
async fn text_and_binary_are_told_apart() {
    run("text_and_binary", &["text of 11 bytes: GRÜSS DICH", "binary: [3, 2, 1]", "text of 2 bytes: OK"])
        .await;
}

#[cfg(all(feature = "hyper", feature = "self-signed"))]
#[tokio::test]
async fn an_http_server_has_pages_and_a_websocket_with_and_without_tls() {
    run(
        "http_server",
        &[
            "http: this is /news",
            r#"ws: Some(Text("hello"))"#,
            "https: this is /news",
            r#"wss: Some(Text("hello"))"#,
        ],
    )
    .await;
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn an_extension_of_ones_own_runs_beside_compression() {
    run(
        "checksum_extension",
        &["in use: permessage-deflate, x-checksum", r#"Text("one")"#, r#"Text("three")"#],
    )
    .await;
}

#[tokio::test]
async fn one_server_has_several_endpoints() {
    run(
        "several_endpoints",
        &[r#"/echo: Some(Text("12"))"#, r#"/square: Some(Text("144"))"#, "/elsewhere: 404 Not Found"],
    )
    .await;
}

#[tokio::test]
async fn a_client_authenticates_by_token() {
    run(
        "authenticate_by_token",
        &[r#"with the token: Some(Text("hello Ali"))"#, "without: 401 Unauthorized, a token is needed"],
    )
    .await;
}

#[tokio::test]
async fn a_client_authenticates_by_cookie_and_its_session_is_handed_on() {
    run(
        "authenticate_by_cookie",
        &["before: 401 Unauthorized", "/login/Ali: HTTP/1.1 200 OK", r#"after: Some(Text("hello Ali"))"#],
    )
    .await;
}

#[tokio::test]
async fn what_was_not_sent_comes_back_and_what_arrived_is_known() {
    run(
        "errors_and_delivery",
        &[
            "closed cleanly: true",
            r#"not sent: Text("too late"), connection is closing or closed"#,
            "are queued; one of 305 bytes is over 2000",
            r#"Some("bread") has arrived"#,
            r#"Some("milk") has arrived"#,
            "connection lost",
            r#"unsure of ["eggs"]: ask again"#,
        ],
    )
    .await;
}

#[tokio::test]
async fn numbers_travel_as_little_endian_bytes() {
    run(
        "numbers",
        &[
            "[1.0, 2.0, 3.0, 4.0, 5.0] halved is [0.5, 1.0, 1.5, 2.0, 2.5]",
            r#"the server says: Some("numbers of four bytes are expected")"#,
        ],
    )
    .await;
}

#[tokio::test]
async fn a_message_goes_to_all_or_to_all_others() {
    run(
        "broadcast",
        &[
            r#"Cem receives Text("welcome")"#,
            r#"Ali receives Text("all: the meeting begins")"#,
            r#"Bea receives Text("others: good morning")"#,
            r#"Cem receives Text("others: good morning")"#,
            r#"Bea receives Text("all: the meeting begins")"#,
            r#"Cem receives Text("all: the meeting begins")"#,
            "to 3 clients, dropped for 0",
            r#"Ali receives Text("the building closes")"#,
            r#"Cem receives Text("the building closes")"#,
            r#"Cem is told Some("good night")"#,
        ],
    )
    .await;
}

#[tokio::test]
async fn both_sides_measure_the_round_trip_time() {
    run(
        "round_trip_time",
        &["before the first ping: None", r#"the answer to "are you there?""#, "s away", "us away"],
    )
    .await;
}

#[tokio::test]
async fn a_connection_is_a_tunnel_for_bytes() {
    run(
        "byte_stream",
        &["HELLO", "IS ANYBODY THERE?", "closed with Some(1000)", "24 bytes went up, 24 came down"],
    )
    .await;
}

#[tokio::test]
async fn the_address_behind_a_trusted_proxy_is_found() {
    run(
        "peer_address",
        &[
            r#"nobody is trusted: Some(Text("you are 127.0.0.1"))"#,
            r#"this machine is a proxy: Some(Text("you are 203.0.113.7"))"#,
        ],
    )
    .await;
}

#[tokio::test]
async fn both_sides_notice_a_broken_connection() {
    run(
        "broken_connections",
        &[
            "the server: connection failed: no answer to a ping within the deadline",
            "0 clients are left",
            "the client: connection failed: no answer to a ping within the deadline",
            "it reports 1006",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_client_connects_through_a_proxy() {
    run(
        "through_a_proxy",
        &[
            "proxy: CONNECT 127.0.0.1:",
            r#"through the proxy: Some(Text("hello from behind"))"#,
            "proxy: CONNECT 127.0.0.1:",
            "without its password: ",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_client_comes_back_and_subscribes_again() {
    run(
        "reconnecting",
        &[
            "trying again: the server answered 503 Service Unavailable instead of 101",
            "connected",
            r#"Text("news 1 for Some(Text(\"subscribe: news\"))")"#,
            "connection lost",
            "connected",
            r#"Text("news 2 for Some(Text(\"subscribe: news\"))")"#,
            "stopped",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_long_file_is_one_message_in_bounded_memory() {
    run(
        "stream_a_file 64",
        &["the file has 67108864 bytes", "received 67108864 bytes", "the same: true", "memory"],
    )
    .await;
}

#[tokio::test]
async fn pings_are_answered_while_the_application_is_busy() {
    run(
        "busy_application",
        &[
            "open: true",
            r#"waited in the inbox: Some(Text("reminder 1"))"#,
            r#"waited in the inbox: Some(Text("reminder 3"))"#,
            "sorry, I was busy",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_server_shuts_down_and_reports() {
    run(
        "graceful_shutdown",
        &[
            "3 clients",
            "is told 1001: back in a minute",
            "is told 1001: back in a minute",
            "2 have answered, 1 have not",
            "new clients are refused: true",
        ],
    )
    .await;
}

/// Runs an example, with arguments if there are any; these must stand in lines of its output, in this order.
async fn run(command: &str, expected: &[&str]) {
    let mut words = command.split(' ');
    let name = words.next().expect("a name");
    let program = program(name);
    assert!(program.exists(), "{name} is not built: run `cargo build -p ws-stack --examples --all-features`");
    let command = Command::new(program).args(words).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = timeout(DEADLINE, command).await.expect("it ends by itself").expect("it can be started");
    let said = String::from_utf8(output.stdout).expect("text");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{said}{errors}", output.status);
    let mut lines = said.lines();
    for expected in expected {
        assert!(
            lines.any(|line| line.contains(expected)),
            "{expected:?} is missing, or not in order:\n{said}"
        );
    }
}

/// Cargo builds examples beside the directory of the tests.
fn program(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let target = test.ancestors().nth(2).expect("the directory of the profile");
    target.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION)
}
