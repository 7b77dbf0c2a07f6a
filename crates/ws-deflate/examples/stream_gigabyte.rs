//! Sends a message in parts through both ends of a connection, compressed, and shows that memory stays flat:
//! `cargo run --release -p ws-deflate --example stream_gigabyte [MiB]`.

use std::time::Instant;

use ws_deflate::{Options, PermessageDeflate};
use ws_extensions::{MessageHead, Registry, SessionOptions};
use ws_frame::{DataKind, Role};

const PART: usize = 64 * 1024;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mib: usize = std::env::args().nth(1).map_or(Ok(1024), |arg| arg.parse())?;
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(Options::new()))?;
    let offer = registry.offer(&SessionOptions::new(Role::Client, None));
    let mut server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, None))?;
    let mut client = offer.activate(server.header.as_deref())?;

    let (mut sent, mut wire, mut received) = (0, 0, 0);
    let mut part = vec![0; PART];
    let begun = Instant::now();
    let _ = client.outgoing.begin(MessageHead::new(DataKind::Binary), None);
    let mut announced = false;
    let mut number = 0_u64;
    while sent < mib << 20 {
        // Lines of a log: no two are the same.
        for line in part.chunks_mut(64) {
            let text = format!(
                "{number:016} {:016x} GET /index.html 200 served\n",
                number.wrapping_mul(0x9e37_79b9)
            );
            line.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
            number += 1;
        }
        sent += part.len();
        client.outgoing.push(&part, sent >= mib << 20);
        let Some(front) = client.outgoing.front() else { return Err("nothing came out".into()) };
        let (head, payload, last) = (front.head, front.data.split(), front.finished);
        wire += payload.len();
        if !announced {
            let _ = server.incoming.begin(head, None);
            announced = true;
        }
        server.incoming.push(&payload, last);
        let Some(front) = server.incoming.front() else { return Err("the message was refused".into()) };
        let data = front.data.split();
        assert!(data == part, "what came out is not what went in");
        received += data.len();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{received} bytes received, {wire} on the wire, {:.0} MB/s", received as f64 / seconds / 1e6);
    // Linux tells the most memory that was ever resident.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    }
    Ok(())
}
