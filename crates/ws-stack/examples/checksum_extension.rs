//! An extension of one's own: each message carries a checksum, which is made and checked on another thread.
//!
//! It owns RSV2, so it is in use beside permessage-deflate, which owns RSV1: what is sent is compressed, then summed.
//! `checksum_extension` runs a server and a client in one process.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::net::{TcpListener, TcpStream};
use ws_stack::{
    BoxError, CloseCode, Connect, ServerConfig, accept_with,
    deflate::Options,
    extensions::{
        Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Refusal, Session,
        SessionOptions, Work,
    },
    frame::Rsv,
};

/// `x-checksum`: four bytes behind each message.
#[derive(Debug)]
pub(crate) struct Checksum;

impl Extension for Checksum {
    fn name(&self) -> &'static str {
        "x-checksum"
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV2
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        Some(Box::new(Bare([Params::new()])))
    }

    fn accept(&self, offers: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        // An offer with parameters that we do not know is declined.
        offers.iter().any(Params::is_empty).then(|| (Params::new(), Session::new(Check, Append)))
    }
}

/// An offer without parameters.
struct Bare([Params; 1]);

impl Offer for Bare {
    fn params(&self) -> &[Params] {
        &self.0
    }

    fn activate(self: Box<Self>, response: &Params) -> Result<Session, Refusal> {
        if !response.is_empty() {
            return Err(Refusal::new("x-checksum takes no parameters"));
        }
        Ok(Session::new(Check, Append))
    }
}

/// The outgoing direction: appends the checksum. Messages do not depend on each other, so the work is concurrent, and
/// the pipeline keeps their order.
struct Append;

impl Codec for Append {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        head.rsv |= Rsv::RSV2; // this message carries one
        Plan::Defer
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Err(ExtensionError::internal("every message is deferred"))
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        Work::concurrent(move || {
            let mut made = BytesMut::with_capacity(payload.len() + 4);
            made.extend_from_slice(&payload);
            made.put_u32(checksum(&payload));
            Ok((head, made.freeze()))
        })
    }
}

/// The incoming direction: checks it and takes it off.
struct Check;

impl Codec for Check {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        let carries = head.rsv.contains(Rsv::RSV2);
        head.rsv = head.rsv.without(Rsv::RSV2);
        if carries { Plan::Defer } else { Plan::Pass }
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Err(ExtensionError::internal("every message is deferred"))
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, _: usize) -> Work {
        Work::concurrent(move || match payload.split_last_chunk::<4>() {
            Some((data, sum)) if u32::from_be_bytes(*sum) == checksum(data) => {
                Ok((head, payload.slice(..data.len())))
            }
            _ => Err(ExtensionError::corrupt("the checksum does not fit")),
        })
    }
}

/// FNV-1a, 32 bits.
fn checksum(data: &[u8]) -> u32 {
    data.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

async fn serve(stream: TcpStream) -> Result<(), BoxError> {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::default());
    config.extensions.register(Checksum)?;
    let mut ws = accept_with(stream, &Arc::new(config)).await?;
    while let Some(message) = ws.recv().await {
        ws.send(message?).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("ws://{}/", listener.local_addr()?);
    let server = tokio::spawn(async move { serve(listener.accept().await?.0).await });

    // A client offers permessage-deflate by itself.
    let mut connect = Connect::new(&address)?;
    connect.config.extensions.register(Checksum)?;
    let mut ws = connect.open().await?;
    println!("in use: {}", ws.extensions().join(", "));
    for text in ["one", "two", "three"] {
        ws.send(text).await?;
        if let Some(echo) = ws.recv().await {
            println!("{:?}", echo?);
        }
    }
    ws.close(CloseCode::NORMAL, "").await?;
    server.await?
}
