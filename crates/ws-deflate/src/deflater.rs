//! The outgoing direction: messages are compressed (RFC 7692 section 7.2.1).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ws_extensions::{Class, Codec, Compress, ExtensionError, MessageHead, Output, Plan, Work};
use ws_frame::Rsv;
use zlib_rs::{Deflate, DeflateFlush};

use crate::{extension::Shared, settings::Takeover, terms::Flow};

/// What a flush ends with, but for the header bits of the empty block whose length this is.
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// A message without data: the header bits of an empty block, its length being the tail (RFC 7692 section 7.2.3.6).
const EMPTY: [u8; 1] = [0x00];

/// More than the mark at the end of a flush takes: up to 7 bits that wait, 3 of its own, and the [`TAIL`].
const ROOM_FOR_MARK: usize = 8;

/// More than is made of so many bytes: the codes of RFC 1951 section 3.2.6 have 9 bits for some of them, and what is stored instead
/// has a few bytes in front of each block.
const fn at_most(len: usize) -> usize {
    len.saturating_add(len / 8).saturating_add(64)
}

/// Compresses the messages of one direction.
pub(crate) struct Deflater {
    shared: Arc<Shared>,
    flow: Flow,
    /// There while a message is in progress, and from the first one on where the context is kept.
    deflate: Option<Box<Deflate>>,
    held: Held,
}

/// The last four bytes that were made of a message. When it ends they are the [`TAIL`], which is not sent; when it
/// goes on they are in its middle, and are.
#[derive(Default)]
struct Held {
    bytes: [u8; TAIL.len()],
    len: usize,
}

impl Deflater {
    pub(crate) const fn new(shared: Arc<Shared>, flow: Flow) -> Self {
        Deflater { shared, flow, deflate: None, held: Held { bytes: [0; TAIL.len()], len: 0 } }
    }

    /// Decided before anything is compressed: what the window has seen must have been sent.
    fn compresses(&self, compress: Compress, len: Option<usize>) -> bool {
        match (compress, len) {
            (Compress::No, _) => false,
            (Compress::Yes, _) | (Compress::Default, None) => true,
            (Compress::Default, Some(0)) => false,
            (Compress::Default, Some(len)) => {
                self.flow.takeover == Takeover::Keep || len >= self.shared.options.threshold
            }
        }
    }

    /// Gives the compressor back, for some other message.
    fn release(&mut self) {
        if let Some(deflate) = self.deflate.take() {
            self.shared.pool.give_deflate(self.flow.bits, deflate);
        }
    }
}

impl Codec for Deflater {
    fn begin(&mut self, head: &mut MessageHead, len: Option<usize>) -> Plan {
        if !self.compresses(head.compress, len) {
            return Plan::Pass;
        }
        // RFC 7692 section 6: the bit stands on the first frame of a compressed message, and on no other.
        head.rsv |= Rsv::RSV1;
        if self.shared.options.defers(len) { Plan::Defer } else { Plan::Stream }
    }

    /// Each part is flushed, so that what was handed over can be read by the peer before the message ends.
    fn push(&mut self, fragment: &[u8], last: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        if !fragment.is_empty() {
            let Deflater { shared, flow, deflate, held } = self;
            let deflate = deflate.get_or_insert_with(|| shared.pool.deflate(&shared.options, flow.bits));
            let most = at_most(fragment.len());
            let chunk_size = shared.options.chunk_size;
            let mut flush = Flush { deflate, held, input: fragment, whole: most <= chunk_size, done: false };
            while !flush.done {
                flush.write(most.min(chunk_size), out)?;
            }
        }
        if last {
            if self.held.len == 0 {
                out.extend_from_slice(&EMPTY)?;
            }
            self.held.len = 0;
            if self.flow.takeover == Takeover::Reset {
                self.release();
            }
        }
        Ok(())
    }

    /// Without a context each message stands for itself: what is made of it depends on the settings. The size of a
    /// step is one of them: levels 5 and 6 forget which match they were about to make when the room for their output
    /// ends with a block.
    fn class(&self) -> Option<Class> {
        let options = &self.shared.options;
        let settings = [
            options.level.level(),
            options.memory_level.level(),
            options.strategy as u8,
            self.flow.bits.bits(),
        ];
        // A compressor is never lent more room than that.
        let chunk_size = u32::try_from(options.chunk_size).unwrap_or(u32::MAX);
        let how = u64::from(u32::from_be_bytes(settings)) << 32 | u64::from(chunk_size);
        let parameters = [how, options.threshold as u64];
        (self.flow.takeover == Takeover::Reset).then(|| Class::of::<Self>(parameters))
    }

    fn defer(&mut self, head: MessageHead, payload: Bytes, limit: usize) -> Work {
        let fresh = || Deflater::new(Arc::clone(&self.shared), self.flow);
        deferred(self.flow.takeover, fresh, head, payload, limit)
    }
}

impl Drop for Deflater {
    fn drop(&mut self) {
        self.release();
    }
}

/// Deferred work, in either direction: a kept context goes along with it, else a `fresh` codec does the work beside
/// others.
pub(crate) fn deferred<C: Codec + 'static>(
    takeover: Takeover,
    fresh: impl FnOnce() -> C,
    head: MessageHead,
    payload: Bytes,
    limit: usize,
) -> Work {
    match takeover {
        Takeover::Keep => Work::exclusive(move |mut codec| {
            let outcome = whole(&mut *codec, head, &payload, limit);
            (codec, outcome)
        }),
        Takeover::Reset => {
            let mut codec = fresh();
            Work::concurrent(move || whole(&mut codec, head, &payload, limit))
        }
    }
}

/// The whole message at once.
fn whole(codec: &mut dyn Codec, head: MessageHead, payload: &[u8], limit: usize) -> ws_extensions::Outcome {
    let mut made = BytesMut::new();
    codec.push(payload, true, &mut Output::new(&mut made, limit))?;
    Ok((head, made.freeze()))
}

/// A fragment that is compressed to its end, in as many steps as it takes.
struct Flush<'a> {
    deflate: &'a mut Deflate,
    held: &'a mut Held,
    input: &'a [u8],
    /// Whether one step has room for all of it.
    whole: bool,
    done: bool,
}

impl Flush<'_> {
    /// One step.
    fn write(&mut self, wanted: usize, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        if out.remaining() < wanted {
            // Close to the limit there may not be room for what is held back in the end, so that it is made elsewhere; with
            // as much room as anywhere, for that may change what is made.
            let mut room = vec![0; wanted];
            let written = self.fill(&mut room)?;
            return out.extend_from_slice(room.get(..written).unwrap_or_default());
        }
        out.write_with(wanted, |room| self.fill(room)).map(drop)
    }

    /// Fills the room with what was held back and what is made now, but for the last four bytes of it.
    fn fill(&mut self, room: &mut [u8]) -> Result<usize, ExtensionError> {
        let before = self.held.len;
        let (held, fresh) = room.split_at_mut_checked(before).ok_or_else(no_room)?;
        held.copy_from_slice(self.held.bytes.get(..before).unwrap_or_default());
        let end = before.saturating_add(self.make(fresh)?);
        let written = end.saturating_sub(TAIL.len());
        let last = room.get(written..end).ok_or_else(no_room)?;
        self.held.len = last.len();
        self.held.bytes.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
        Ok(written)
    }

    /// Makes what there is room for: the block, and the mark behind it. A mark that met the end of the room would be made
    /// once more by the next step; so it waits, unless there is room for all of it.
    fn make(&mut self, room: &mut [u8]) -> Result<usize, ExtensionError> {
        if self.whole {
            let made = self.compress(room, DeflateFlush::SyncFlush)?;
            self.whole = false;
            self.done = self.input.is_empty() && made < room.len();
            return Ok(made);
        }
        let made = self.compress(room, DeflateFlush::Block)?;
        let rest = room.get_mut(made..).unwrap_or_default();
        self.done = self.input.is_empty() && rest.len() >= ROOM_FOR_MARK;
        let mark = if self.done { self.compress(rest, DeflateFlush::SyncFlush)? } else { 0 };
        Ok(made.saturating_add(mark))
    }

    /// Takes from the input what it can, and says how much it has made.
    fn compress(&mut self, room: &mut [u8], flush: DeflateFlush) -> Result<usize, ExtensionError> {
        let (read, made) = (self.deflate.total_in(), self.deflate.total_out());
        let result = self.deflate.compress(self.input, room, flush);
        result.map_err(|error| ExtensionError::internal(error.as_str()))?;
        let read = usize::try_from(self.deflate.total_in() - read).unwrap_or(usize::MAX);
        self.input = self.input.get(read..).unwrap_or_default();
        Ok(usize::try_from(self.deflate.total_out() - made).unwrap_or(usize::MAX))
    }
}

#[cold]
fn no_room() -> ExtensionError {
    ExtensionError::internal("more was made than there was room for")
}
