//! The incoming direction: messages are decompressed (RFC 7692 section 7.2.2).

use std::sync::Arc;

use bytes::Bytes;
use ws_extensions::{Codec, ExtensionError, MessageHead, Output, Plan, Work};
use ws_frame::Rsv;

use crate::{
    deflater::deferred,
    extension::Shared,
    history::History,
    settings::{Takeover, WindowBits},
    stream::InflateStream,
    terms::Flow,
};

/// A first guess at how much larger a message gets.
const RATIO: usize = 4;

/// The room for what a small message makes at first.
const LEAST: usize = 64;

/// Decompresses the messages of one direction.
pub(crate) struct Inflater {
    shared: Arc<Shared>,
    flow: Flow,
    /// There while a message is in progress.
    stream: Option<Box<InflateStream>>,
    /// Between two messages what the next one may refer to, where the context is kept.
    history: History,
}

impl Inflater {
    pub(crate) fn new(shared: Arc<Shared>, flow: Flow) -> Self {
        Inflater { shared, flow, stream: None, history: History::default() }
    }

    /// A stream that knows what the last message has left.
    fn begin_stream(&mut self) -> Result<Box<InflateStream>, ExtensionError> {
        let mut stream = self.shared.pool.inflate();
        if self.flow.takeover == Takeover::Keep {
            stream.swap_history(&mut self.history);
        }
        // Some compressors that are asked for 8 bits use 9, as ours does, and some of those look back all of it.
        stream.begin(self.flow.bits.max(WindowBits::NINE).bytes())?;
        Ok(stream)
    }

    /// Keeps what the next message may refer to, and gives the rest to some other one.
    fn end_stream(&mut self, mut stream: Box<InflateStream>) {
        if self.flow.takeover == Takeover::Keep {
            stream.swap_history(&mut self.history);
        }
        self.shared.pool.give_inflate(stream);
    }
}

impl Codec for Inflater {
    fn begin(&mut self, head: &mut MessageHead, len: Option<usize>) -> Plan {
        // RFC 7692 section 6: without the bit the message is not compressed, and the window knows nothing of it.
        if !head.rsv.contains(Rsv::RSV1) {
            return Plan::Pass;
        }
        head.rsv = head.rsv.without(Rsv::RSV1);
        if self.shared.options.defers(len) { Plan::Defer } else { Plan::Stream }
    }

    fn push(&mut self, fragment: &[u8], last: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        if !fragment.is_empty() {
            let mut stream = match self.stream.take() {
                Some(stream) => stream,
                None => self.begin_stream()?,
            };
            let chunk = self.shared.options.chunk_size;
            let wanted = fragment.len().saturating_mul(RATIO).clamp(LEAST.min(chunk), chunk);
            // One that fails is not kept until the connection has ended.
            stream.inflate(fragment, wanted, chunk, out)?;
            self.stream = Some(stream);
        }
        if last && let Some(mut stream) = self.stream.take() {
            stream.finish(out)?;
            self.end_stream(stream);
        }
        Ok(())
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, limit: usize) -> Work {
        let fresh = || Inflater::new(Arc::clone(&self.shared), self.flow);
        deferred(self.flow.takeover, fresh, head, payload, limit)
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            self.end_stream(stream);
        }
    }
}
