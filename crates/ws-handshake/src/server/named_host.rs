use core::fmt;

/// The host that a request names, with its port if there is one. A usual one is kept in place: an allocation for each request
/// costs more than all rules that are about it.
#[derive(Clone)]
pub(super) struct NamedHost(Kept);

#[derive(Clone)]
enum Kept {
    Short { len: u8, bytes: [u8; SHORT] },
    Long(Box<[u8]>),
}

/// An IPv6 address with its brackets and a port has up to 47 bytes, few names have more.
const SHORT: usize = 47;

impl NamedHost {
    /// Of bytes that were found to be a host and a port, so that they are ASCII.
    #[inline]
    pub(super) fn new(host: &[u8]) -> Self {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..host.len()), u8::try_from(host.len())) {
            (Some(start), Ok(len)) => {
                start.copy_from_slice(host);
                Self(Kept::Short { len, bytes })
            }
            _ => Self(Kept::Long(host.into())),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        let bytes = match &self.0 {
            Kept::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Kept::Long(bytes) => bytes,
        };
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for NamedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_of_any_length_is_given_back() {
        for len in [0, 1, SHORT - 1, SHORT, SHORT + 1, 255, 256, 70_000] {
            let host = "h".repeat(len);
            assert_eq!(NamedHost::new(host.as_bytes()).as_str(), host);
        }
        assert_eq!(format!("{:?}", NamedHost::new(b"a:80")), "\"a:80\"");
    }
}
