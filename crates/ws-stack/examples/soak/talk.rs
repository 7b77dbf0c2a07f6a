//! What is said between the opening and the end. Each message is compared with its echo.

use std::{collections::VecDeque, time::Duration};

use tokio::{net::TcpStream, time::timeout};
use ws_stack::{BoxError, Event, Message, WebSocket};
use ws_testkit::Rng;

use super::{message, stop::Stop, tally::Tally};

/// How long an answer may take. Two programs share what the machine has, so this is not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Says something a few times, with pauses of less than so many milliseconds.
pub(crate) async fn talk(
    ws: &mut WebSocket<TcpStream>,
    rng: &mut Rng,
    pause: usize,
    tally: &Tally,
    stop: &mut Stop,
) -> Result<(), BoxError> {
    for _ in 0..1 + rng.below(8) {
        let said = say(ws, rng, tally).await?;
        timeout(PATIENCE, hear(ws, said, tally)).await.map_err(|_| "an answer did not come")??;
        if !stop.pause(Duration::from_millis(rng.below(pause) as u64)).await {
            break;
        }
    }
    Ok(())
}

/// What must be answered, in its order.
#[derive(Default)]
struct Said {
    messages: VecDeque<Message>,
    pings: VecDeque<Vec<u8>>,
}

/// Sends a few messages and pings, whole and in parts.
async fn say(ws: &mut WebSocket<TcpStream>, rng: &mut Rng, tally: &Tally) -> Result<Said, BoxError> {
    let mut said = Said::default();
    for _ in 0..1 + rng.below(4) {
        match rng.below(6) {
            0 => {
                let ping = message::ping(rng);
                ws.halves().1.ping(&ping)?;
                said.pings.push_back(ping);
            }
            1 => {
                let message = message::message(rng);
                ws.start(message.kind())?;
                let part = 1 + message.len() / (1 + rng.below(6));
                for part in message.as_bytes().chunks(part) {
                    ws.send_part(part).await?;
                }
                ws.finish().await?;
                said.messages.push_back(message);
            }
            _ => {
                let message = message::message(rng);
                ws.feed(message.clone()).await?;
                said.messages.push_back(message);
            }
        }
    }
    tally.asks(said.messages.len() + said.pings.len());
    ws.flush().await?;
    Ok(said)
}

/// Receives the answers to all of it.
async fn hear(ws: &mut WebSocket<TcpStream>, mut said: Said, tally: &Tally) -> Result<(), BoxError> {
    while !said.messages.is_empty() || !said.pings.is_empty() {
        let event = ws.recv_event().await.ok_or("it was closed before all was answered")??;
        match event {
            Event::Message(echo) => {
                let message = said.messages.pop_front().ok_or("a message came that nobody has sent")?;
                if (echo.kind(), echo.as_bytes()) != (message.kind(), message.as_bytes()) {
                    return Err(format!("{} bytes were not echoed as they are", message.len()).into());
                }
                tally.is_answered(message.len());
            }
            Event::Pong(pong) if said.pings.front().is_some_and(|ping| ping == pong) => {
                said.pings.pop_front();
                tally.is_answered(pong.len());
            }
            // Heartbeats.
            _ => {}
        }
    }
    Ok(())
}
