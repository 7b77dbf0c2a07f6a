//! The limit of open descriptors: each connection is one.

/// macOS refuses more than this to a process, whatever its hard limit says.
#[cfg(unix)]
const MODEST: u64 = 10_240;

/// Raises the soft limit to the hard one, as far as the system lets it.
#[cfg(unix)]
pub(super) fn raise_limit() {
    use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit, setrlimit};

    let Ok((soft, hard)) = getrlimit(RLIMIT_NOFILE) else { return };
    for limit in [hard, MODEST.min(hard)] {
        // What is refused leaves the limit as it was: fewer connections, nothing worse.
        if limit <= soft || setrlimit(RLIMIT_NOFILE, limit, hard).is_ok() {
            return;
        }
    }
}

/// Elsewhere there is no such limit.
#[cfg(not(unix))]
pub(super) fn raise_limit() {}

#[cfg(all(test, unix))]
mod tests {
    use nix::sys::resource::{Resource::RLIMIT_NOFILE, getrlimit};

    #[test]
    fn the_soft_limit_is_never_lowered() {
        let (before, _) = getrlimit(RLIMIT_NOFILE).unwrap();
        super::raise_limit();
        let (after, hard) = getrlimit(RLIMIT_NOFILE).unwrap();
        assert!(before <= after && after <= hard);
    }
}
