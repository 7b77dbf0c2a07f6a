//! Our side of a connection: takes the steps, notes what it sees.

use tokio::io::{AsyncRead, AsyncWrite};
use ws_stack::{CloseCode, DataKind, Error, Event, Initiator, WebSocket, frame::ABNORMAL};

use super::{
    Failure,
    script::{Data, Kind, Step, describe},
    within,
};

/// Takes the steps and goes on until the connection has ended. Gives what was seen.
pub(crate) async fn play<S>(socket: WebSocket<S>, steps: &[Step]) -> Result<Vec<String>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut ours = Ours { socket, noted: Vec::new(), is_open: false };
    for step in steps {
        if matches!(step, Step::Terminate) {
            ours.socket.close_now();
            return Ok(ours.noted);
        }
        let what = format!("our {step:?}");
        if let Step::Exchange(data, count) = *step {
            ours = within(&what, ours.exchange(data, count)).await??;
        } else {
            within(&what, ours.take(*step)).await??;
        }
    }
    while within("the end", ours.next()).await??.is_some() {}
    ours.check_end(steps)?;
    Ok(ours.noted)
}

struct Ours<S> {
    socket: WebSocket<S>,
    noted: Vec<String>,
    /// Whether a message in parts is open.
    is_open: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Ours<S> {
    async fn take(&mut self, step: Step) -> Result<(), Failure> {
        let socket = &mut self.socket;
        match step {
            Step::Send(data) => socket.send(data.message()?).await?,
            Step::Hinted(data, compress) => {
                socket.send_compressed(data.message()?, compress).await?;
            }
            Step::Fragments(data, size) => {
                socket.start(kind(data))?;
                for part in data.bytes().chunks(size) {
                    socket.send_part(part).await?;
                }
                socket.finish().await?;
            }
            Step::Part(data) => self.part(data).await?,
            Step::LastPart(data) => {
                self.part(data).await?;
                self.is_open = false;
                self.socket.finish().await?;
            }
            Step::Ping(payload) => socket.ping(payload.as_bytes()).await?,
            Step::Pong(payload) => {
                socket.halves().1.sender().pong(payload.as_bytes())?;
                socket.flush().await?;
            }
            Step::Await(kind) => self.expect(kind).await?,
            Step::AwaitParts => self.parts().await?,
            Step::Echo(count) => {
                for _ in 0..count {
                    self.echo().await?;
                }
                self.socket.flush().await?;
            }
            Step::Close(code, reason) => socket.begin_close(CloseCode::new(code)?, reason).await?,
            Step::CloseEmpty => socket.halves().1.sender().close_without_code(),
            Step::Terminate | Step::Exchange(..) | Step::Raw(..) => return Err("not to be done here".into()),
        }
        Ok(())
    }

    async fn part(&mut self, data: Data) -> Result<(), Failure> {
        if !std::mem::replace(&mut self.is_open, true) {
            self.socket.start(kind(data))?;
        }
        Ok(self.socket.send_part(&data.bytes()).await?)
    }

    /// Sends the next message back from where it lies.
    async fn echo(&mut self) -> Result<(), Failure> {
        let (rx, tx) = self.socket.halves();
        let message = rx.recv(tx).await.ok_or("the end came before a message")??;
        self.noted.push(describe(message.as_bytes(), message.kind() == DataKind::Binary));
        Ok(tx.feed(message)?)
    }

    /// Receives the next message as it arrives.
    async fn parts(&mut self) -> Result<(), Failure> {
        let mut data = Vec::new();
        loop {
            let part = self.socket.recv_part().await.ok_or("the end came before a message")??;
            if part.first != data.is_empty() {
                return Err("the first part is the first".into());
            }
            if part.kind == DataKind::Text {
                str::from_utf8(part.data)?; // cut between characters
            }
            data.extend_from_slice(part.data);
            if part.last {
                self.noted.push(describe(&data, part.kind == DataKind::Binary));
                return Ok(());
            }
        }
    }

    /// Sends and receives with a half for each.
    async fn exchange(self, data: Data, count: usize) -> Result<Self, Failure> {
        let Self { socket, mut noted, is_open } = self;
        let (mut reader, mut writer) = socket.split();
        let sending = async {
            for _ in 0..count {
                writer.send(data.message()?).await?;
            }
            Ok::<_, Failure>(())
        };
        let receiving = async {
            for _ in 0..count {
                let message = reader.recv().await.ok_or("the end came before a message")??;
                noted.push(describe(message.as_bytes(), message.kind() == DataKind::Binary));
            }
            Ok::<_, Failure>(())
        };
        tokio::try_join!(sending, receiving)?;
        let socket = reader.reunite(writer).map_err(|_| "the halves belong together")?;
        Ok(Self { socket, noted, is_open })
    }

    /// Goes on until something of this kind comes.
    async fn expect(&mut self, wanted: Kind) -> Result<(), Failure> {
        loop {
            match self.next().await? {
                Some(kind) if kind == wanted => return Ok(()),
                Some(_) => {}
                None => return Err(format!("the end came before a {wanted:?}").into()),
            }
        }
    }

    /// Notes the next event; `None` at the end.
    async fn next(&mut self) -> Result<Option<Kind>, Failure> {
        let kind = match self.socket.recv_event().await {
            Some(Ok(Event::Message(message))) => {
                self.noted.push(describe(message.as_bytes(), message.kind() == DataKind::Binary));
                Kind::Message
            }
            Some(Ok(Event::Ping(payload))) => {
                self.noted.push(format!("ping {}", str::from_utf8(payload)?));
                Kind::Ping
            }
            Some(Ok(Event::Pong(payload))) => {
                self.noted.push(format!("pong {}", str::from_utf8(payload)?));
                Kind::Pong
            }
            Some(Ok(event)) => return Err(format!("unexpected event: {event:?}").into()),
            Some(Err(Error::Failed(fault))) => {
                self.noted.push(format!("closed {} {fault}", fault.close_code().get()));
                return Ok(None);
            }
            Some(Err(Error::Lost | Error::Io(_))) => {
                self.noted.push(format!("closed {ABNORMAL} "));
                return Ok(None);
            }
            Some(Err(error)) => return Err(error.into()),
            None => {
                let closed = self.socket.closed().ok_or("no message, and no end either")?;
                self.noted.push(format!("closed {} {}", closed.code, closed.reason));
                return Ok(None);
            }
        };
        Ok(Some(kind))
    }

    /// The end is reported alike in every way that it can be asked for.
    fn check_end(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let closed = self.socket.closed().ok_or("the end was not noted")?;
        let began = steps.iter().any(|step| matches!(step, Step::Close(..) | Step::CloseEmpty));
        let is_abnormal = closed.code == ABNORMAL;
        if closed.is_clean() == is_abnormal {
            return Err(format!("clean or not? {closed:?}").into());
        }
        if !is_abnormal && (closed.initiator == Initiator::Local) != began {
            return Err(format!("who began? {closed:?}").into());
        }
        Ok(())
    }
}

fn kind(data: Data) -> DataKind {
    if data.is_binary() { DataKind::Binary } else { DataKind::Text }
}
