//! Whatever a caller sets, no CR, LF or NUL of it reaches the wire, and no header that was not set.
//!
//! Each setter that has a part in a handshake is given text with a good share of what does harm; what it refuses is left out, as
//! if the caller had gone on without it. `PROPTEST_CASES=1000000 cargo test --release -p ws-endpoint --test line_breaks` tries
//! a million of each.

use std::{sync::Arc, time::Instant};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use proptest::prelude::*;
use ws_endpoint::{
    ClientConfig, ClientHandshake, Endpoint, ServerConfig, ServerHandshake, Subprotocols, UpgradeRequest,
    extensions::{
        Codec, Extension, ExtensionError, MessageHead, Offer, Output, Params, Plan, Refusal as Unwanted,
        Registry, Session, SessionOptions,
    },
    frame::Rsv,
    handshake::{
        ClientRequest, ConnectRequest, Key, ProxyAddress, ProxyCredentials, ProxyExchange, Refusal,
        write_response,
    },
};

/// The head consists of lines that end with CR LF and hold neither of them, nor NUL; it has a line for each of so many headers,
/// and none that the harmful text would have made. What stands behind it.
fn behind_clean_head(wire: &[u8], headers: usize) -> Vec<u8> {
    let end = wire.windows(4).position(|part| part == b"\r\n\r\n").expect("an empty line");
    let lines: Vec<_> = wire[..end].split(|&byte| byte == b'\n').collect();
    assert_eq!(lines.len(), headers + 1, "{:?}", Bytes::copy_from_slice(wire));
    for (at, line) in lines.iter().enumerate() {
        let text = if at + 1 < lines.len() { line.strip_suffix(b"\r").expect("CR before LF") } else { line };
        assert!(!text.contains(&b'\r') && !text.contains(&0), "{:?}", Bytes::copy_from_slice(wire));
        assert!(!text.starts_with(EVIL.as_bytes()), "{:?}", Bytes::copy_from_slice(wire));
    }
    wire[end + 4..].to_vec()
}

const EVIL: &str = "X-Evil";

/// Text of which a good share does harm where a line ends.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9/:.,;=@?&% -]{0,6}",
        1 => Just("\r\n".to_owned()),
        1 => Just(format!("\r\n{EVIL}: 1\r\n\r\n")),
        1 => Just(format!("%0d%0a{EVIL}:%201%00")),
        1 => prop::sample::select(vec!["\r", "\n", "\0", "\t", "\u{7f}", "\u{e4}", "\u{2028}", "#", "\u{85}", "\""])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn texts<const N: usize>() -> impl Strategy<Value = [String; N]> {
    prop::collection::vec(nasty(), N).prop_map(|texts| texts.try_into().expect("as many as asked for"))
}

/// An extension that says on the wire what it was given.
struct Says {
    name: &'static str,
    params: Vec<Params>,
}

impl Says {
    /// Of two names and two values, those that can be said.
    fn new([name, first, second, third, value, other]: [&str; 6]) -> Self {
        let mut params = Params::new();
        for (name, value) in [(first, None), (second, Some(value)), (third, Some(other))] {
            let _refused = params.push(name, value);
        }
        let both = vec![params.clone(), params];
        // What is registered lives as long as the program: names are few, and short.
        Self { name: if name.is_empty() { "says" } else { Box::leak(name.into()) }, params: both }
    }

    fn registry(texts: [&str; 6]) -> Registry {
        let mut registry = Registry::new();
        let _refused = registry.register(Self::new(texts));
        let [_, rest @ ..] = texts;
        let [first, second, third, value, other] = rest;
        registry.register(Self::new(["says", first, second, third, value, other])).ok();
        registry
    }
}

struct Untouched;

impl Codec for Untouched {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        Plan::Pass
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Ok(())
    }
}

impl Extension for Says {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        Some(Box::new(Offered(self.params.clone())))
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        Some((self.params.first()?.clone(), Session::new(Untouched, Untouched)))
    }
}

struct Offered(Vec<Params>);

impl Offer for Offered {
    fn params(&self) -> &[Params] {
        &self.0
    }

    fn activate(self: Box<Self>, _: &Params) -> Result<Session, Unwanted> {
        Ok(Session::new(Untouched, Untouched))
    }
}

/// A client's request with all that can be set on it.
fn request(texts: &[String; 14]) -> ClientRequest {
    let [
        path,
        query,
        host,
        user,
        password,
        name,
        value,
        cookie,
        agent,
        token,
        origin,
        protocol,
        protocol_too,
        location,
    ] = texts;
    let plain = || ClientRequest::new("ws://example.com/").expect("an address");
    let mut request = [
        format!("ws://{user}:{password}@example.com/{path}?{query}"),
        format!("wss://{host}/{path}"),
        format!("ws+unix:{path}:/{query}"),
        format!("ws://example.com/{path}"),
    ]
    .iter()
    .find_map(|address| ClientRequest::new(address).ok())
    .unwrap_or_else(plain);
    for (name, value) in [
        (name.as_str(), value),
        ("x-value", value),
        ("host", host),
        ("cookie", cookie),
        ("user-agent", agent),
        ("authorization", token),
        ("proxy-authorization", token),
        ("sec-websocket-origin", origin),
    ] {
        request = request.clone().header(name, value.as_str()).unwrap_or(request);
    }
    request = request.clone().subprotocols([protocol, protocol_too]).unwrap_or(request);
    request = request.clone().subprotocols([protocol]).unwrap_or(request);
    request = request.clone().origin(origin).unwrap_or(request);
    request = request.clone().basic_auth(user, password).unwrap_or(request);
    let answer = Response::builder().status(302).header("location", location.as_str()).body(());
    let redirected = answer.ok().and_then(|answer| request.redirected(&answer).ok());
    redirected.map_or(request, |redirect| redirect.request)
}

fn set_all(headers: &mut HeaderMap, pairs: &[(&str, &str)]) {
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn of_what_a_client_s_caller_sets_no_line_break_is_sent(set in texts::<14>(), said in texts::<6>()) {
        let request = request(&set);
        let mut config = ClientConfig::default();
        config.extensions = Says::registry(said.each_ref().map(String::as_str));
        let key = Key::from_bytes([7; 16]);
        let handshake = ClientHandshake::with_key(request.clone(), &config, key).expect("a request");
        let behind = behind_clean_head(handshake.request_bytes(), handshake.request().headers().len());
        prop_assert!(behind.is_empty(), "a request has no body");
        // And a server takes it for what it was meant to be.
        let mut wire = BytesMut::from(&handshake.request_bytes()[..]);
        let read = ServerHandshake::new(Arc::default()).receive(&mut wire).expect("no refusal").expect("a request");
        prop_assert_eq!(read.request().headers().len(), handshake.request().headers().len());

        let mut endpoint = Endpoint::client_with(request, config, key);
        for (name, value) in [(&set[5], &set[6]), (&set[0], &set[7])] {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                let _refused = endpoint.set_header(name, value);
            }
        }
        let _refused = endpoint.add_extension(Says::new(said.each_ref().map(String::as_str)));
        endpoint.start(Instant::now());
        let mut wire = Vec::new();
        while endpoint.outgoing().has_remaining() {
            let mut outgoing = endpoint.outgoing();
            let len = outgoing.chunk().len();
            wire.extend_from_slice(outgoing.chunk());
            outgoing.advance(len);
        }
        let headers = endpoint.request().expect("it was sent").headers().len();
        prop_assert!(behind_clean_head(&wire, headers).is_empty());
    }

    #[test]
    fn of_what_a_server_s_caller_sets_no_line_break_is_sent(set in texts::<8>(), said in texts::<6>()) {
        let [name, value, cookie, server, protocol, chosen, path, reason] = &set;
        let mut config = ServerConfig::default();
        config.subprotocols = Subprotocols::Supported(vec![protocol.clone(), chosen.clone(), "chat".to_owned()]);
        config.extensions = Says::registry(said.each_ref().map(String::as_str));
        config.policy.path = Some(path.clone());
        let config = Arc::new(config);
        // A client that asks for all that a server can say.
        let asked = ClientRequest::new("ws://example.com/").expect("an address").subprotocols(["chat", "a"]).expect("tokens");
        let offer = "says, says; a, says; a=b";
        let asked = asked.start(Key::from_bytes([7; 16]), Some(offer.to_owned())).expect("a request");
        let asked = || -> Request<()> {
            let mut request = Request::new(());
            request.clone_from(asked.request());
            request
        };
        if let Err(refused) = UpgradeRequest::new(asked(), Arc::clone(&config)) {
            behind_clean_head(&write_response(refused.response()), refused.response().headers().len());
        }
        let mut config = ServerConfig::clone(&config);
        config.policy.path = None;
        let mut upgrade = UpgradeRequest::new(asked(), Arc::new(config)).expect("a good request");
        let _refused = upgrade.choose_subprotocol(Some(chosen));
        let mut headers = HeaderMap::new();
        let pairs = [(name.as_str(), value.as_str()), ("x-value", value), ("set-cookie", cookie), ("server", server)];
        set_all(&mut headers, &pairs);
        for (name, value) in &headers {
            let _refused = upgrade.add_header(name.clone(), value.clone());
        }
        let accepted = upgrade.accept().expect("it is accepted");
        let behind = behind_clean_head(&accepted.response_bytes(), accepted.response().headers().len());
        prop_assert!(behind.is_empty(), "an answer that opens has no body");

        // What is no connection: a refusal with its reason and headers, a redirect, a page.
        let mut refusal = Refusal::new(StatusCode::FOUND, reason);
        for (name, value) in [("location", value), ("www-authenticate", cookie), (name.as_str(), server)] {
            if let Ok(value) = HeaderValue::from_str(value)
                && let Ok(name) = HeaderName::from_bytes(name.as_bytes())
                && !refusal.response().headers().contains_key(&name)
            {
                let status = refusal.status();
                refusal = refusal.header(name, value).unwrap_or_else(|_| Refusal::new(status, reason));
            }
        }
        let body = behind_clean_head(&write_response(refusal.response()), refusal.response().headers().len());
        prop_assert_eq!(body, format!("{reason}\n").into_bytes(), "what is said in a body stays in it");
        let mut page = Response::new(reason.clone());
        set_all(page.headers_mut(), &pairs);
        page.headers_mut().remove("transfer-encoding");
        page.headers_mut().remove("content-length");
        let body = behind_clean_head(&write_response(&page), page.headers().len() + 1);
        prop_assert_eq!(body, reason.as_bytes());
    }

    /// SOCKS5 has no lines: every text in it stands behind its length.
    #[test]
    fn of_what_is_set_for_a_proxy_no_line_break_is_sent(set in texts::<6>(), port in any::<u16>()) {
        let [proxy, host, user, password, name, value] = &set;
        let addresses = [
            format!("http://{user}:{password}@{proxy}"), format!("http://{user}@proxy.example/{proxy}"),
            format!("https://{proxy}"), proxy.clone(), "proxy.example:3128".to_owned(),
        ];
        let credentials = ProxyCredentials::new(user.as_str(), password.as_str());
        for proxy in addresses.iter().filter_map(|address| ProxyAddress::parse(address).ok()) {
            for proxy in [proxy.clone(), proxy.with_credentials(credentials.clone())] {
                for host in [host.as_str(), "example.com"] {
                    if let Ok(mut exchange) = ProxyExchange::new(&proxy, host, port) {
                        // Host, and perhaps Proxy-Authorization.
                        let headers = 1 + usize::from(exchange.output().windows(6).any(|part| part == b"Basic "));
                        let is_connect = exchange.output().starts_with(b"CONNECT ");
                        prop_assert!(!is_connect || behind_clean_head(exchange.output(), headers).is_empty());
                    }
                }
            }
        }
        for host in [host.as_str(), "example.com"] {
            let Ok(mut request) = ConnectRequest::new(host, port) else { continue };
            let mut headers = 1;
            for (name, value) in [(name.as_str(), value), ("x-value", value), ("user-agent", user)] {
                if let Ok(with) = request.clone().header(name, value.as_str()) {
                    headers += 1;
                    request = with;
                }
            }
            if let Ok(with) = request.clone().credentials(&credentials) {
                headers += 1;
                request = with;
            }
            prop_assert!(behind_clean_head(request.start().output(), headers).is_empty());
        }
    }
}
