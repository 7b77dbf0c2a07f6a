//! The proxies that the environment names.

use thiserror::Error;
use ws_endpoint::handshake::{ProxyAddress, ProxyAddressError};

use super::bypass::Bypass;

/// A variable of the environment that does not hold the address of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the variable {variable} names no proxy: {error}")]
#[non_exhaustive]
pub struct ProxyEnvironmentError {
    /// The name of the variable. Its value may hold a password, and is not told.
    pub variable: &'static str,
    /// What is wrong with it.
    #[source]
    pub error: ProxyAddressError,
}

/// What the environment says about proxies, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// For `ws`.
    plain: Option<ProxyAddress>,
    /// For `wss`.
    tls: Option<ProxyAddress>,
    bypass: Bypass,
}

impl Environment {
    /// A variable that is empty is one that is not set.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ProxyEnvironmentError> {
        let first = |names: &[&'static str]| {
            let set = |name: &&'static str| {
                let value = variable(name).filter(|value| !value.trim().is_empty())?;
                Some((*name, value))
            };
            names.iter().find_map(set)
        };
        let proxy = |names: &[&'static str]| match first(names) {
            None => Ok(None),
            Some((variable, value)) => match ProxyAddress::parse(value.trim()) {
                Ok(proxy) => Ok(Some(proxy)),
                Err(error) => Err(ProxyEnvironmentError { variable, error }),
            },
        };
        // A CGI program finds a client's header `Proxy` in HTTP_PROXY, and must not believe it (CVE-2016-5385).
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let plain: &[_] = if is_cgi { &["http_proxy"] } else { &["http_proxy", "HTTP_PROXY"] };
        let all = proxy(&["all_proxy", "ALL_PROXY"])?;
        Ok(Self {
            plain: proxy(plain)?.or_else(|| all.clone()),
            tls: proxy(&["https_proxy", "HTTPS_PROXY"])?.or(all),
            bypass: first(&["no_proxy", "NO_PROXY"])
                .map_or_else(Bypass::default, |(_, list)| Bypass::parse(&list)),
        })
    }

    /// The proxy for this server.
    pub(super) fn proxy(&self, is_tls: bool, host: &str, port: u16) -> Option<&ProxyAddress> {
        let proxy = if is_tls { &self.tls } else { &self.plain };
        proxy.as_ref().filter(|_| !self.bypass.matches(host, port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, ProxyEnvironmentError> {
        Environment::read(|name| {
            let value = variables.iter().find_map(|(of, value)| (*of == name).then_some(*value));
            value.map(str::to_owned)
        })
    }

    #[test]
    fn each_scheme_has_its_variable_and_small_letters_win() {
        let none = None;
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>, Option<&'a str>);
        let cases: &[Case<'_>] = &[
            (&[], none, none),
            (&[("http_proxy", "a:1")], Some("http://a:1"), none),
            (&[("HTTP_PROXY", "a:1")], Some("http://a:1"), none),
            (&[("HTTP_PROXY", "a:1"), ("http_proxy", "b:2")], Some("http://b:2"), none),
            (&[("HTTP_PROXY", "a:1"), ("http_proxy", "")], Some("http://a:1"), none),
            (&[("HTTPS_PROXY", " http://a:1/ ")], none, Some("http://a:1")),
            (&[("https_proxy", "https://a")], none, Some("https://a:443")),
            (&[("ALL_PROXY", "socks5h://a")], Some("socks5://a:1080"), Some("socks5://a:1080")),
            (
                &[("all_proxy", "socks5://a"), ("https_proxy", "b:2")],
                Some("socks5://a:1080"),
                Some("http://b:2"),
            ),
            (&[("HTTP_PROXY", "a:1"), ("REQUEST_METHOD", "GET")], none, none),
            (&[("http_proxy", "a:1"), ("REQUEST_METHOD", "GET")], Some("http://a:1"), none),
        ];
        for (variables, plain, tls) in cases {
            let environment = read(variables).unwrap();
            let proxy = |is_tls| environment.proxy(is_tls, "example.com", 80).map(ToString::to_string);
            assert_eq!((proxy(false).as_deref(), proxy(true).as_deref()), (*plain, *tls), "{variables:?}");
        }
    }

    #[test]
    fn hosts_in_no_proxy_have_none() {
        for name in ["no_proxy", "NO_PROXY"] {
            let environment = read(&[("all_proxy", "a:1"), (name, "example.com, 10.0.0.0/8")]).unwrap();
            assert!(environment.proxy(true, "www.example.com", 443).is_none());
            assert!(environment.proxy(false, "10.1.1.1", 80).is_none());
            assert!(environment.proxy(false, "example.net", 80).is_some());
        }
    }

    #[test]
    fn a_variable_that_is_no_address_is_told_by_its_name_alone() {
        let error = read(&[("HTTPS_PROXY", "ftp://user:secret@a")]).unwrap_err();
        assert_eq!(
            error,
            ProxyEnvironmentError { variable: "HTTPS_PROXY", error: ProxyAddressError::Scheme }
        );
        assert!(
            error.to_string().contains("HTTPS_PROXY") && !format!("{error} {error:?}").contains("secret")
        );
    }
}
