//! Where a client's masking keys come from.

use std::{cell::RefCell, fmt};

/// Where a client's masking keys come from (RFC 6455 section 5.3: each frame has a fresh one, unpredictable,
/// from a strong source of entropy).
#[derive(Default)]
#[non_exhaustive]
pub enum MaskSource {
    /// The operating system's generator, drawn from 1 KiB at a time for each thread: about 11 ns a key.
    ///
    /// # Panics
    /// Sending panics when the operating system has no random bytes to give: a key that can be guessed must not be sent.
    /// It is no error because frames are also queued where nobody could take one, a pong or the second fragment of a
    /// message, and because a client's handshake has drawn its key from the same generator, where a failure is an error:
    /// a generator that has worked does not stop. Only the connection's own task is unwound, and the next key is tried anew.
    #[default]
    Os,
    /// The caller's own: tests that replay, or hardware. An all-zero key is legal and sends the payload bare.
    Custom(Box<dyn FnMut() -> [u8; 4] + Send + Sync>),
}

impl MaskSource {
    /// A source that calls `keys` for each frame.
    pub fn custom(keys: impl FnMut() -> [u8; 4] + Send + Sync + 'static) -> Self {
        Self::Custom(Box::new(keys))
    }

    /// A fresh key.
    #[inline]
    pub(crate) fn key(&mut self) -> [u8; 4] {
        match self {
            Self::Os => Pool::key(),
            Self::Custom(keys) => keys(),
        }
    }
}

impl fmt::Debug for MaskSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Os => "Os",
            Self::Custom(_) => "Custom",
        })
    }
}

/// Random bytes of the operating system, each handed out once.
struct Pool {
    bytes: [u8; 1024],
    used: usize,
}

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { bytes: [0; 1024], used: 1024 }) };
}

impl Pool {
    fn key() -> [u8; 4] {
        POOL.with_borrow_mut(|pool| {
            if let Some(key) = pool.take() {
                return key;
            }
            // A system without entropy is the one failure that cannot be answered: a predictable key would
            // break the promise of section 10.3, so the connection must not go on.
            getrandom::fill(&mut pool.bytes).expect("the operating system has random bytes");
            pool.used = 0;
            pool.take().unwrap_or_default()
        })
    }

    fn take(&mut self) -> Option<[u8; 4]> {
        let key = *self.bytes.get(self.used..)?.first_chunk::<4>()?;
        self.used += 4;
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_os_differ() {
        let mut source = MaskSource::Os;
        let mut keys: Vec<_> = (0..1000).map(|_| source.key()).collect();
        keys.sort_unstable();
        keys.dedup();
        assert!(keys.len() > 990, "{} different keys of 1000", keys.len());
    }

    #[test]
    fn a_custom_source_is_asked_for_each_key() {
        let mut next = 0;
        let mut source = MaskSource::custom(move || {
            next += 1;
            [next; 4]
        });
        assert_eq!([source.key(), source.key()], [[1; 4], [2; 4]]);
    }
}
