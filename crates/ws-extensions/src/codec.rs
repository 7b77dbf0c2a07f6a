//! One direction of a session: what works on messages.

use std::{fmt, pin::Pin};

use bytes::{Bytes, BytesMut};

use crate::{class::Class, error::ExtensionError, message::MessageHead, output::Output};

/// How a [`Codec`] will treat the message that it was just told of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Plan {
    /// The payload stays as it is; the codec does not see it. Costs nothing.
    Pass,
    /// [`Codec::push`] gets the payload piece by piece as it comes, on the spot.
    Stream,
    /// The payload is collected, and [`Codec::defer`] gets it whole.
    Defer,
}

/// One direction of a [`Session`](crate::Session).
///
/// Each message begins with [`begin`](Self::begin); what follows is what that call has asked for. Messages come in
/// order, one after the other. Calls are made where the connection is driven and must not block: what takes long is
/// [deferred](Plan::Defer). A panic counts as [`Fault::Internal`](crate::Fault::Internal). After an error the codec is
/// not called again.
///
/// Bits of [`MessageHead::rsv`]: outgoing, a codec may set those that its extension owns; incoming, it has to clear
/// them. That is done in `begin`, or for deferred work in the head that its [`Outcome`] carries. Anything else is an
/// error (RFC 6455 section 5.2: a reserved bit means only what the extension that owns it has defined).
pub trait Codec: Send {
    /// A message begins. `len` is the length of its payload where that is known already: it was sent in one piece,
    /// or is complete.
    fn begin(&mut self, head: &mut MessageHead, len: Option<usize>) -> Plan;

    /// A piece of a [streamed](Plan::Stream) message. The pieces are not the frames. The final one, which may be
    /// empty, has `last` set.
    ///
    /// # Errors
    /// [`ExtensionError`] ends this direction of the connection.
    fn push(&mut self, fragment: &[u8], last: bool, out: &mut Output<'_>) -> Result<(), ExtensionError>;

    /// The payload of a [deferred](Plan::Defer) message. The work may make at most `limit` bytes of it.
    ///
    /// By default the message is [pushed](Self::push) whole by the work, which takes the codec along: a codec that
    /// streams may so defer what is large without another line.
    fn defer(&mut self, head: MessageHead, payload: Bytes, limit: usize) -> Work {
        Work::exclusive(move |mut codec| {
            let mut made = BytesMut::new();
            let mut out = Output::new(&mut made, limit);
            let pushed = codec.push(&payload, true, &mut out).and_then(|()| out.check());
            (codec, pushed.map(|()| (head, made.freeze())))
        })
    }

    /// What this codec makes of a message depends on: the message, this class, and nothing else. `None`, the default:
    /// on what came before, too, or on chance.
    ///
    /// A message that is prepared for many connections passes codecs of the same class once, and the others are not told
    /// of it. The class must not change while the codec lives.
    fn class(&self) -> Option<Class> {
        None
    }
}

/// What deferred work ends with: the message as it goes on, or why it cannot.
pub type Outcome = Result<(MessageHead, Bytes), ExtensionError>;

/// Work that owns its codec for as long as it takes, and brings it back.
pub type ExclusiveWork = Box<dyn FnOnce(Box<dyn Codec>) -> (Box<dyn Codec>, Outcome) + Send>;

/// Deferred work: what to do, and what may go on beside it.
///
/// Where it runs is for the I/O layer to say: inline, on a pool of threads, as a task. However late it is done, the
/// order of messages stays.
pub enum Work {
    /// Takes the codec along; its later messages wait until it is back. For state that is carried from message to
    /// message.
    Exclusive(ExclusiveWork),
    /// Needs no codec: the next message enters at once.
    Concurrent(Box<dyn FnOnce() -> Outcome + Send>),
    /// As [`Concurrent`](Self::Concurrent), but waits for something else than a processor.
    Future(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

impl Work {
    /// Work that takes the codec along.
    pub fn exclusive(run: impl FnOnce(Box<dyn Codec>) -> (Box<dyn Codec>, Outcome) + Send + 'static) -> Self {
        Work::Exclusive(Box::new(run))
    }

    /// Work beside which the next message may enter.
    pub fn concurrent(run: impl FnOnce() -> Outcome + Send + 'static) -> Self {
        Work::Concurrent(Box::new(run))
    }

    /// Work that waits.
    pub fn future(future: impl Future<Output = Outcome> + Send + 'static) -> Self {
        Work::Future(Box::pin(future))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Exclusive(_) => "Exclusive",
            Work::Concurrent(_) => "Concurrent",
            Work::Future(_) => "Future",
        })
    }
}
