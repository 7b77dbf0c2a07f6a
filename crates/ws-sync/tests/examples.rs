//! The examples talk to each other.

use std::{net::TcpListener, thread};

#[path = "../examples/blocking_client.rs"]
#[expect(dead_code, reason = "the example's own main is not part of the test")]
mod client;
#[path = "../examples/blocking_echo_server.rs"]
#[expect(dead_code, reason = "the example's own main is not part of the test")]
mod server;

#[test]
fn lines_sent_to_the_echo_server_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("ws://{}/", listener.local_addr().expect("an address"));
    thread::spawn(move || server::serve(&listener)); // it ends with the test
    let input = "one\nzwei €\n\n";
    let mut output = Vec::new();
    let closed = client::talk(&address, input.as_bytes(), &mut output).expect("a conversation");
    assert_eq!(String::from_utf8_lossy(&output), input);
    assert!(closed.is_some_and(|closed| closed.code == 1000 && closed.is_clean()));
}
