//! Each connection is a descriptor.

/// Raises the soft limit to the hard one, as far as the system lets it.
#[cfg(unix)]
pub(crate) fn raise_limit() {
    use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit, setrlimit};

    if let Ok((_, hard)) = getrlimit(RLIMIT_NOFILE) {
        // What is refused leaves the limit as it was: fewer connections, nothing worse.
        let _ = setrlimit(RLIMIT_NOFILE, hard, hard);
    }
}

#[cfg(not(unix))]
pub(crate) fn raise_limit() {}
