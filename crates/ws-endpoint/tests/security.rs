//! The table of bounds in SECURITY.md says what the code does.

use std::time::Duration;

use ws_endpoint::{
    ClientConfig, ServerConfig,
    driver::{Limits, Timeouts},
    extensions::{MAX_EXTENSIONS, MAX_PARAMS},
    handshake::{HeadLimits, MAX_INTERIM_RESPONSES, MAX_SUBPROTOCOLS},
};

const PAGE: &str = include_str!("../../../SECURITY.md");

fn bytes(len: usize) -> String {
    match len {
        Limits::UNLIMITED => "the message's".to_owned(),
        _ if len.is_multiple_of(1 << 20) => format!("{} MiB", len >> 20),
        _ => format!("{} KiB", len >> 10),
    }
}

fn count(count: usize) -> String {
    if count < 1000 { count.to_string() } else { format!("{},{:03}", count / 1000, count % 1000) }
}

fn time(time: Option<Duration>) -> String {
    time.map_or_else(|| "off".to_owned(), |time| format!("{} s", time.as_secs()))
}

#[test]
fn the_bounds_in_the_table_are_those_of_the_code() {
    let (head, limits, timeouts) = (HeadLimits::default(), Limits::default(), Timeouts::default());
    let (server, client) = (ServerConfig::default(), ClientConfig::default());
    let expected = [
        ("HeadLimits::max_head", bytes(head.max_head)),
        ("HeadLimits::max_headers", count(head.max_headers)),
        ("HeadLimits::max_request_line", bytes(head.max_request_line)),
        ("ServerConfig::handshake_timeout", time(server.handshake_timeout)),
        ("ClientConfig::handshake_timeout", time(client.handshake_timeout)),
        ("ClientConfig::total_timeout", time(client.total_timeout)),
        ("extensions::MAX_EXTENSIONS", count(MAX_EXTENSIONS)),
        ("extensions::MAX_PARAMS", count(MAX_PARAMS)),
        ("handshake::MAX_SUBPROTOCOLS", count(MAX_SUBPROTOCOLS)),
        ("handshake::MAX_INTERIM_RESPONSES", count(MAX_INTERIM_RESPONSES)),
        ("Limits::max_message_len", bytes(limits.max_message_len)),
        ("Limits::max_frame_len", bytes(limits.max_frame_len)),
        ("Limits::max_fragments", count(limits.max_fragments)),
        ("Limits::max_pending_pongs", count(limits.max_pending_pongs)),
        ("Limits::high_water_mark", bytes(limits.high_water_mark)),
        ("Limits::max_queued_beyond_mark", bytes(limits.max_queued_beyond_mark)),
        ("Limits::max_extension_jobs", count(limits.max_extension_jobs)),
        ("Timeouts::close", time(timeouts.close)),
        ("Timeouts::ping_after", time(timeouts.ping_after)),
        ("Timeouts::pong_within", time(timeouts.pong_within)),
        ("Timeouts::write_stall", time(timeouts.write_stall)),
        ("Timeouts::idle", time(timeouts.idle)),
        ("Timeouts::max_age", time(timeouts.max_age)),
    ];
    let rows: Vec<_> = PAGE
        .lines()
        .filter_map(|line| {
            let mut cells = line.split(" | ").skip(1);
            let option = cells.next()?.strip_prefix('`')?.strip_suffix('`')?;
            Some((option, cells.next()?.to_owned()))
        })
        .collect();
    assert_eq!(rows, expected);
}
