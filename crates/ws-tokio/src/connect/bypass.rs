//! Whom a proxy is not asked for: the list in `NO_PROXY`.

use std::net::IpAddr;

/// Hosts that are connected to directly.
///
/// There is no standard for the list, but a common understanding: entries are separated by commas or white space; `*` is
/// every host; a name is itself and everything below it, with or without a dot in front; an address is itself; an address
/// with a number of bits behind a slash is a network; a port behind a colon narrows a name or an address to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bypass(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// In lower case, without dots around it.
    Name(String),
    Network {
        ip: IpAddr,
        bits: u32,
    },
}

impl Bypass {
    /// What cannot be understood matches nothing.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Whether this host is connected to directly: a name, or an address without brackets.
    pub(super) fn matches(&self, host: &str, port: u16) -> bool {
        let ip = address(host);
        let name = name(host);
        self.0.iter().any(|entry| entry.matches(&name, ip, port))
    }
}

/// Whether a host is this machine itself: a proxy that is asked for `localhost` would connect to its own.
pub(super) fn is_local(host: &str) -> bool {
    let name = name(host);
    name == "localhost" || name.ends_with(".localhost") || address(host).is_some_and(|ip| ip.is_loopback())
}

/// As names are compared.
fn name(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

impl Entry {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        if let Some((ip, bits)) = entry.split_once('/') {
            let ip = address(ip)?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(ip))?;
            return Some(Self { hosts: Hosts::Network { ip, bits }, port: None });
        }
        // A bare IPv6 address has colons and no port.
        if let Some(ip) = address(entry) {
            return Some(Self { hosts: Hosts::Network { ip, bits: width(ip) }, port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        let hosts = match address(host) {
            Some(ip) => Hosts::Network { ip, bits: width(ip) },
            None => {
                let host = host.strip_prefix('*').unwrap_or(host);
                let name = host.trim_matches('.').to_ascii_lowercase();
                if name.is_empty() {
                    return None;
                }
                Hosts::Name(name)
            }
        };
        Some(Self { hosts, port })
    }

    fn matches(&self, name: &str, ip: Option<IpAddr>, port: u16) -> bool {
        self.port.is_none_or(|only| only == port)
            && match (&self.hosts, ip) {
                (Hosts::All, _) => true,
                (Hosts::Name(suffix), None) => {
                    let before = name.strip_suffix(suffix.as_str());
                    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
                }
                (Hosts::Network { ip: network, bits }, Some(ip)) => is_within(ip, *network, *bits),
                _ => false,
            }
    }
}

/// An address, in brackets or not. One of IPv4 that is written as IPv6 is one of IPv4.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

fn width(ip: IpAddr) -> u32 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn is_within(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let number = |ip| match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let differ = number(ip) ^ number(network);
    ip.is_ipv4() == network.is_ipv4() && differ.checked_shr(width(ip) - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_left_out_by_name_network_and_port() {
        for (list, host, port, expected) in [
            ("", "example.com", 80, false),
            ("*", "example.com", 80, true),
            ("a.test, *", "10.1.2.3", 80, true),
            ("example.com", "example.com", 80, true),
            ("example.com", "EXAMPLE.com.", 80, true),
            ("Example.COM", "www.example.com", 80, true),
            ("example.com", "badexample.com", 80, false),
            ("example.com", "example.com.evil.test", 80, false),
            (".example.com", "www.example.com", 80, true),
            (".example.com", "example.com", 80, true),
            ("*.example.com", "a.b.example.com", 80, true),
            ("example.com:8080", "example.com", 8080, true),
            ("example.com:8080", "example.com", 80, false),
            ("example.com:port", "example.com", 80, false),
            ("a.test b.test\tc.test,,d.test", "c.test", 80, true),
            ("a.test b.test\tc.test,,d.test", "d.test", 80, true),
            ("10.0.0.0/8", "10.255.0.1", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.0.0.0/8", "10.example.com", 80, false),
            ("10.1.2.3", "10.1.2.3", 80, true),
            ("10.1.2.3:443", "10.1.2.3", 443, true),
            ("10.1.2.3:443", "10.1.2.3", 80, false),
            ("10.1.2.3/32", "10.1.2.4", 80, false),
            ("10.1.2.3/33", "10.1.2.3", 80, false),
            ("0.0.0.0/0", "8.8.8.8", 80, true),
            ("0.0.0.0/0", "2001:db8::1", 80, false),
            ("::/0", "2001:db8::1", 80, true),
            ("fe80::/10", "febf::1", 80, true),
            ("fe80::/10", "fec0::1", 80, false),
            ("2001:db8::1", "2001:db8::1", 80, true),
            ("[2001:db8::1]:8080", "2001:db8::1", 8080, true),
            ("[2001:db8::1]:8080", "2001:db8::1", 80, false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", 80, true),
            (".", "example.com", 80, false),
            ("/8", "example.com", 80, false),
        ] {
            assert_eq!(Bypass::parse(list).matches(host, port), expected, "{list:?} {host} {port}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names_and_addresses() {
        for host in ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.5", "::1", "::ffff:127.0.0.1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["localhost.test", "notlocalhost", "128.0.0.1", "::2", ""] {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn no_list_makes_the_parser_fail() {
        for list in
            ["[", "]", "[]", "[]:1", ":", "::", "/", "//", "a/b/c", "*:1", "*.*", "\u{e4}.test", "1.2.3.4/-1"]
        {
            _ = Bypass::parse(list).matches("example.com", 80);
        }
    }
}
