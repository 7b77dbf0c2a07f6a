//! One message for many connections.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::{Bytes, BytesMut};
use ws_extensions::{Chain, Class, Compress, MessageHead, Route};
use ws_frame::{DataKind, Header, Rsv};

use crate::Message;

/// How many classes of connections share what their extensions made of the message. Servers have one or two.
const CLASSES: usize = 4;

/// A message for many connections, framed once for all of them, and compressed once for each class of parameters.
///
/// Give it to [`Sender::send_prepared`](crate::Sender::send_prepared) of each connection. What leaves is, byte for byte,
/// what [`Sender::send`](crate::Sender::send) would have made of the message, and every limit holds as it does there. A
/// clone costs a reference count, and what one clone has compressed serves all.
///
/// On a server's connection a frame below 4 KiB is copied behind what is queued, a longer one shared. A client masks a
/// copy of its own, as RFC 6455 section 5.3 wants a fresh key for each frame. Extensions work on the message when the first
/// connection of their [class](ws_extensions::Codec::class) sends it, up to four classes; permessage-deflate has one
/// unless it keeps its context. That happens on the spot, even if the message is so long that it would be deferred by
/// itself. Where there is no class, each connection works on the message as on any other.
///
/// It holds a copy of the message, and one of what each class has made of it.
///
/// ```
/// use std::time::Instant;
///
/// use bytes::Buf;
/// use ws_driver::{Config, Connection, Negotiated, Prepared, Role};
///
/// let news = Prepared::new("news");
/// for _ in 0..3 {
///     let mut server = Connection::new(Config::new(Role::Server), Negotiated::default(), Instant::now());
///     server.sender().send_prepared(&news)?;
///     assert_eq!(server.sender().outbox().chunk(), b"\x81\x04news");
/// }
/// # Ok::<(), ws_driver::SendError>(())
/// ```
#[derive(Clone)]
pub struct Prepared(Arc<Inner>);

struct Inner {
    head: MessageHead,
    plain: Framed,
    /// Filled in order, each once. Nobody waits for it: two threads that find it empty both do the work, and the first
    /// to be done is kept.
    made: [OnceLock<(Box<[Class]>, Framed)>; CLASSES],
}

/// A frame that is not masked.
#[derive(Clone)]
pub(crate) struct Framed {
    pub(crate) kind: DataKind,
    pub(crate) rsv: Rsv,
    /// Header and payload.
    pub(crate) frame: Bytes,
    header_len: usize,
}

impl Framed {
    fn new(kind: DataKind, rsv: Rsv, payload: &[u8]) -> Self {
        let mut bytes = [0; Header::MAX_LEN];
        let header = Header { fin: true, rsv, opcode: kind.opcode(), mask: None, len: payload.len() as u64 };
        let header_len = header.encode(&mut bytes);
        let mut frame = BytesMut::with_capacity(header_len + payload.len());
        frame.extend_from_slice(&bytes[..header_len]);
        frame.extend_from_slice(payload);
        Self { kind, rsv, frame: frame.freeze(), header_len }
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.frame[self.header_len..]
    }

    pub(crate) fn shared_payload(&self) -> Bytes {
        self.frame.slice(self.header_len..)
    }
}

/// What the extensions of one connection have to do with a prepared message.
pub(crate) enum Passage<'a> {
    /// Nothing any more: this is what they make of it.
    Made(Cow<'a, Framed>),
    /// It is inside, like any other message.
    Entered,
    /// It has to enter, like any other message.
    Apart,
}

impl Prepared {
    /// Prepares a message. Costs a copy of it.
    #[must_use]
    pub fn new(message: impl Into<Message>) -> Self {
        Self::with_compress(message, Compress::Default)
    }

    /// The same with a hint for extensions, whether to compress it.
    #[must_use]
    pub fn with_compress(message: impl Into<Message>, compress: Compress) -> Self {
        let message = message.into();
        let head = MessageHead::new(message.kind()).with_compress(compress);
        let plain = Framed::new(head.kind, Rsv::NONE, message.as_bytes());
        Self(Arc::new(Inner { head, plain, made: Default::default() }))
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> DataKind {
        self.0.head.kind
    }

    /// The payload's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.plain.payload()
    }

    /// The length of the payload in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether the payload is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn head(&self) -> MessageHead {
        self.0.head
    }

    /// As it leaves where no extension is in use.
    pub(crate) fn plain(&self) -> &Framed {
        &self.0.plain
    }

    /// As it leaves a connection with these extensions; they work on it if no others of their class have.
    pub(crate) fn pass(&self, chain: &mut Chain) -> Passage<'_> {
        let (slot, classes) = {
            let Some(classes) = chain.classes() else { return Passage::Apart };
            let mut free = None;
            for slot in &self.0.made {
                match slot.get() {
                    Some((known, made)) if known.iter().copied().eq(classes.clone()) => {
                        return Passage::Made(Cow::Borrowed(made));
                    }
                    Some(_) => {}
                    None => {
                        free = Some(slot);
                        break;
                    }
                }
            }
            let Some(slot) = free else { return Passage::Apart };
            (slot, classes.collect())
        };
        let Some(made) = self.make(chain) else { return Passage::Entered };
        // Another thread may have taken the slot meanwhile, for this class or another one.
        let _taken = slot.set((classes, made.clone()));
        Passage::Made(Cow::Owned(made))
    }

    /// What the extensions make of it here and now. `None` if they fail, or wait for something: then it is inside.
    fn make(&self, chain: &mut Chain) -> Option<Framed> {
        let payload = self.as_bytes();
        if chain.begin(self.0.head, Some(payload.len())) == Route::Direct {
            return Some(self.0.plain.clone());
        }
        chain.push(payload, true);
        chain.run_jobs();
        let front = chain.front().filter(|front| front.finished)?;
        let made = Framed::new(front.head.kind, front.head.rsv, front.data);
        chain.pop();
        Some(made)
    }
}

impl From<Message> for Prepared {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.0.made.iter().filter(|slot| slot.get().is_some()).count();
        f.debug_struct("Prepared")
            .field("kind", &self.kind())
            .field("len", &self.len())
            .field("classes", &classes)
            .finish()
    }
}
