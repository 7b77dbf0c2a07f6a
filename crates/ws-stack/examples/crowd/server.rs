//! The server: it keeps its clients alive, and sends what all of them get.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use ws_stack::{BoxError, CloseCode, Error, Group, MemberOptions, Server, SlowConsumer, driver::Prepared};

pub(crate) async fn run(
    ping_after: Duration,
    addresses: &[String],
    mut lines: mpsc::Receiver<String>,
) -> Result<(), BoxError> {
    let mut builder = Server::builder().keepalive(ping_after, Duration::from_secs(20)).backlog(4096);
    for address in addresses {
        builder = builder.listen(address);
    }
    let server = builder.start().await?;
    let listening: Vec<_> = server.local_addrs().iter().map(ToString::to_string).collect();
    println!("listening {}", listening.join(" "));

    let group = Group::new();
    let (members, handles) = (group.clone(), server.clone());
    let serving = tokio::spawn(async move {
        handles
            .serve(|conn| {
                let mut member = members.subscribe(MemberOptions::new(SlowConsumer::DropOldest));
                let mut ws = conn.into_socket();
                async move {
                    let (rx, tx) = ws.halves();
                    while let Some(message) = member.recv(rx, tx).await {
                        message?;
                    }
                    Ok::<_, Error>(())
                }
            })
            .await;
    });

    while let Some(line) = lines.recv().await {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("count", _) => println!("count {}", server.clients().len()),
            ("broadcast", text) => {
                let tally = group.send(&Prepared::new(text)).await;
                println!("queued {}", tally.queued);
            }
            ("shutdown", seconds) => {
                let deadline = Duration::from_secs_f64(seconds.parse()?);
                let before = Instant::now();
                let report = server.shutdown(CloseCode::GOING_AWAY, "server stops", deadline).await;
                let took = before.elapsed().as_millis();
                println!("shutdown {} {} {took}", report.answered, report.unanswered.len());
                break;
            }
            _ => return Err(format!("not a command: {line}").into()),
        }
    }
    serving.await?;
    Ok(())
}
