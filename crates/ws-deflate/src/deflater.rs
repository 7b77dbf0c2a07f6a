//! The outgoing direction: messages are compressed (RFC 7692 section 7.2.1).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use ws_extensions::{Class, Codec, Compress, ExtensionError, MessageHead, Output, Plan, Work};
use ws_frame::Rsv;
use zlib_rs::{Deflate, DeflateFlush, Status};

use crate::{extension::Shared, settings::Takeover, terms::Flow};

/// What a flush ends with, but for the header bits of the empty block whose length this is.
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// A message without data: the header bits of an empty block, its length being the tail (RFC 7692 section 7.2.3.6).
const EMPTY: [u8; 1] = [0x00];

/// More than the end of a flush takes. With less room than that the compressor would repeat its mark.
const ENOUGH_ROOM: usize = 64;

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
            // Most data is compressed to less than it was, all of it to hardly more: one step where it is small.
            let wanted = fragment.len().saturating_add(ENOUGH_ROOM).min(shared.options.chunk_size);
            let mut rest = fragment;
            while !write(deflate, held, &mut rest, wanted, out)? {}
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

    /// Without a context each message stands for itself: what is made of it depends on the settings.
    fn class(&self) -> Option<Class> {
        let options = &self.shared.options;
        let settings = [
            options.level.level(),
            options.memory_level.level(),
            options.strategy as u8,
            self.flow.bits.bits(),
        ];
        let parameters = [u32::from_be_bytes(settings).into(), options.threshold as u64];
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

/// One step of a flush. Says whether it was the last one.
fn write(
    deflate: &mut Deflate,
    held: &mut Held,
    input: &mut &[u8],
    wanted: usize,
    out: &mut Output<'_>,
) -> Result<bool, ExtensionError> {
    let mut done = false;
    if out.remaining() < wanted {
        // Close to the limit there may not be room for what is held back in the end, so that it is made elsewhere.
        let mut room = [0; ENOUGH_ROOM];
        let written = fill(deflate, held, input, &mut room, &mut done)?;
        out.extend_from_slice(room.get(..written).unwrap_or_default())?;
    } else {
        out.write_with(wanted, |room| fill(deflate, held, input, room, &mut done))?;
    }
    Ok(done)
}

/// Fills the room with what was held back and what is made now, but for the last four bytes of it.
fn fill(
    deflate: &mut Deflate,
    held: &mut Held,
    input: &mut &[u8],
    room: &mut [u8],
    done: &mut bool,
) -> Result<usize, ExtensionError> {
    let (before, fresh) = room.split_at_mut_checked(held.len).ok_or_else(no_room)?;
    before.copy_from_slice(held.bytes.get(..held.len).unwrap_or_default());
    let (read, made) = (deflate.total_in(), deflate.total_out());
    let status = deflate
        .compress(input, fresh, DeflateFlush::SyncFlush)
        .map_err(|error| ExtensionError::internal(error.as_str()))?;
    let read = usize::try_from(deflate.total_in() - read).unwrap_or(usize::MAX);
    let made = usize::try_from(deflate.total_out() - made).unwrap_or(usize::MAX);
    *input = input.get(read..).unwrap_or_default();
    // A flush is complete when there is room left.
    *done = input.is_empty() && (made < fresh.len() || status == Status::BufError);
    let written = held.len.saturating_add(made).saturating_sub(TAIL.len());
    let last = room.get(written..held.len.saturating_add(made)).ok_or_else(no_room)?;
    held.len = last.len();
    held.bytes.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
    Ok(written)
}

#[cold]
fn no_room() -> ExtensionError {
    ExtensionError::internal("more was made than there was room for")
}
