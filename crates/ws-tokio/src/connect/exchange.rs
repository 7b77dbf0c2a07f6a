//! The opening handshake over a transport that is connected.

use bytes::BytesMut;
use http::Response;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_endpoint::{ClientHandshake, ClientHandshakeError, Opened, handshake::ClientError};

use super::ConnectError;
use crate::timer::Timer;

/// The least room for a read.
const ROOM: usize = 1024;

/// What a server answers.
pub(super) enum Answer {
    /// 101; the bytes behind the head are the first frames.
    Opened(Box<Opened>),
    /// Another status; the bytes behind the head are the beginning of its body.
    Refused(Box<Response<()>>),
}

/// Sends the request and reads the head of the answer; what came behind it stays in `buf`.
pub(super) async fn exchange<S>(
    transport: &mut S,
    handshake: &mut ClientHandshake,
    buf: &mut BytesMut,
) -> Result<Answer, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    transport.write_all(handshake.request_bytes()).await?;
    transport.flush().await?;
    loop {
        // What a proxy sent behind its own answer is looked at first.
        match handshake.receive(buf, Timer::now()) {
            Ok(None) => {}
            Ok(Some(opened)) => return Ok(Answer::Opened(Box::new(opened))),
            Err(ClientHandshakeError::Response(ClientError::UnexpectedStatus(response))) => {
                return Ok(Answer::Refused(response));
            }
            Err(error) => return Err(error.into()),
        }
        buf.reserve(ROOM);
        if transport.read_buf(buf).await? == 0 {
            return Err(ConnectError::Left);
        }
    }
}
