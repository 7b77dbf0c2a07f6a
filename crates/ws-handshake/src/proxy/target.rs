use core::net::{IpAddr, Ipv6Addr};

use super::ProxyRequestError;
use crate::host;

/// What a tunnel is to reach.
#[derive(Clone, Debug)]
pub(super) enum TunnelHost {
    Address(IpAddr),
    /// Resolved by the proxy.
    Name(String),
}

impl TunnelHost {
    /// An IPv6 address may stand in brackets.
    pub(super) fn parse(host: &str) -> Result<Self, ProxyRequestError> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        if host.starts_with('[') {
            let address: Ipv6Addr =
                host::without_brackets(host).parse().map_err(|_| ProxyRequestError::Host)?;
            return Ok(Self::Address(address.into()));
        }
        match host::split(host) {
            // A trailing colon is an empty port to `split`.
            Some((name, None)) if name == host => Ok(Self::Name(name.to_owned())),
            _ => Err(ProxyRequestError::Host),
        }
    }

    /// `host:port`, as CONNECT wants it: the port is always there (RFC 9110 section 9.3.6).
    pub(super) fn authority(&self, port: u16) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]:{port}"),
            Self::Address(address) => format!("{address}:{port}"),
            Self::Name(name) => format!("{name}:{port}"),
        }
    }
}
