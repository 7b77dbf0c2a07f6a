//! The opening handshake over a transport that is connected.

use bytes::BytesMut;
use http::Response;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_endpoint::{
    ClientHandshake, ClientHandshakeError, Opened,
    handshake::{BodyCollector, BodyLength, ClientError, body_length},
};

use super::{Connect, ConnectError, Step, deadline::Deadline};
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

/// The error for an answer other than 101, with as much of its body as is wanted and comes in time.
pub(super) async fn refused<S>(
    connect: &Connect,
    response: Response<()>,
    transport: &mut S,
    buf: &mut BytesMut,
    deadline: Deadline,
) -> ConnectError
where
    S: AsyncRead + Unpin,
{
    let limit = connect.options.max_body_len;
    let mut body = BodyCollector::new(&response, limit);
    let whole = async {
        loop {
            if body.receive(buf).is_some() || limit == 0 {
                return Ok(());
            }
            buf.reserve(ROOM);
            if transport.read_buf(buf).await? == 0 {
                return Ok(());
            }
        }
    };
    let outcome = deadline.within(Step::Handshake, whole).await;
    let body = body.end_of_stream();
    let unread = limit == 0 && body_length(&response) == BodyLength::UntilEnd;
    let truncated = body.is_truncated || outcome.is_err() || unread;
    ConnectError::Refused { response: Box::new(response.map(|()| body.bytes)), truncated }
}
