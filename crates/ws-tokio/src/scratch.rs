//! The read and write buffers of this thread.

use std::cell::RefCell;

use ws_endpoint::driver::{Receiver, Replies, Scratch, Sender};

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// Lends this thread's buffers to a connection that is about to read.
#[inline]
pub(crate) fn attach(receiver: &mut Receiver, sender: &mut Sender, replies: &mut Replies) {
    if receiver.is_attached() && sender.has_buffer() {
        return;
    }
    SCRATCH.with_borrow_mut(|scratch| {
        replies.attach(scratch);
        receiver.attach(scratch);
        sender.attach(scratch);
    });
}

/// Lends the write buffer to a connection that is about to send, if it has none.
#[inline]
pub(crate) fn attach_sender(sender: &mut Sender) {
    SCRATCH.with_borrow_mut(|scratch| sender.attach(scratch));
}

/// Takes the buffers back from a connection whose application has got the last of what had arrived, as its own. It may
/// keep them waiting for long.
#[inline]
pub(crate) fn release(receiver: &mut Receiver, sender: &mut Sender, replies: &mut Replies) {
    SCRATCH.with_borrow_mut(|scratch| {
        if receiver.release(scratch) {
            sender.detach(scratch);
            replies.detach(scratch);
        }
    });
}

/// Takes back what is empty from a connection that is about to wait.
#[inline]
pub(crate) fn detach(receiver: &mut Receiver, sender: &mut Sender, replies: &mut Replies) {
    SCRATCH.with_borrow_mut(|scratch| {
        replies.detach(scratch);
        receiver.detach(scratch);
        sender.detach(scratch);
    });
}

/// Takes back the write buffer if nothing waits in it.
#[inline]
pub(crate) fn detach_sender(sender: &mut Sender) {
    SCRATCH.with_borrow_mut(|scratch| sender.detach(scratch));
}
