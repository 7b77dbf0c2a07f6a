use super::OriginPolicy;
use crate::Version;
use crate::head::HeadLimits;

/// What a server accepts.
///
/// ```
/// use ws_handshake::{ServerPolicy, Version};
///
/// let policy = ServerPolicy { path: Some("/chat".to_owned()), ..ServerPolicy::default() };
/// assert_eq!(policy.versions, [Version::V13, Version::V8]);
/// ```
#[derive(Clone, Debug)]
pub struct ServerPolicy {
    /// The one path that is served, compared exactly with what stands before the `?`; another one is refused with 404.
    /// Any path by default.
    pub path: Option<String>,
    /// The versions of the protocol, as a refused client is told them. 13 and 8 by default.
    pub versions: Vec<Version>,
    /// Which origins may connect. Any by default.
    pub origins: OriginPolicy,
    /// How large a request's head may be: for whoever makes the [`HeadReader`](crate::HeadReader).
    pub limits: HeadLimits,
}

impl Default for ServerPolicy {
    fn default() -> Self {
        Self {
            path: None,
            versions: vec![Version::V13, Version::V8],
            origins: OriginPolicy::default(),
            limits: HeadLimits::default(),
        }
    }
}
