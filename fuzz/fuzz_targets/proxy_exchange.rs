//! A proxy that says anything, at any time: the exchange of either kind comes to the same end in every cutting, the one
//! that a naive reading finds; it sends what it should and no more, and leaves what came through the tunnel alone.
#![no_main]

use bytes::{Buf, BytesMut};
use libfuzzer_sys::fuzz_target;
use ws_fuzz::{Cuts, Input, Meter};
use ws_handshake::{
    ConnectError, MAX_INTERIM_RESPONSES, ProxyAddress, ProxyCredentials, ProxyError, ProxyExchange,
    ProxyKind, ProxyStep, Socks5Error, Socks5Refusal,
};

/// What an exchange holds: its messages, a head and what is read of it.
const BESIDE: usize = 32 * 1024;

/// What came of an exchange.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// The end in words, without the headers of an answer.
    end: String,
    sent: Vec<u8>,
    left: Vec<u8>,
}

/// Whom to reach, and through whom. The same exchange can be begun again and again.
#[derive(Debug)]
struct Tunnel {
    proxy: ProxyAddress,
    host: String,
    port: u16,
    /// As the proxy is to be told them.
    credentials: Option<(Vec<u8>, Vec<u8>)>,
    /// How many bytes are sent at once.
    sends: usize,
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let Some(tunnel) = Tunnel::read(&mut input) else { return };
    let cuts = Cuts::read(&mut input);
    let stream = input.rest();

    let whole = tunnel.run([stream]);
    let pieces = cuts.pieces(stream);
    assert_eq!(tunnel.run(pieces.iter().copied()), whole, "cut into {pieces:?}");
    assert_eq!(tunnel.run(stream.chunks(1).chain([&[][..]])), whole, "byte by byte");
    match tunnel.proxy.kind() {
        ProxyKind::Socks5 => assert_eq!(whole, tunnel.naive_socks5(stream)),
        _ => tunnel.judge_connect(stream, &whole),
    }
});

impl Tunnel {
    /// Nothing when the exchange cannot begin. Then the address is none, or something of it cannot be sent.
    fn read(input: &mut Input<'_>) -> Option<Self> {
        let bits = input.byte();
        let kind = ["http://p", "socks5://p", "https://[::1]:1", ""][usize::from(bits & 3)];
        let address = if kind.is_empty() { input.text() } else { kind.to_owned() };
        let host = match bits >> 2 & 3 {
            0 => "example.com".to_owned(),
            1 => "2001:db8::1".to_owned(),
            2 => "192.0.2.1".to_owned(),
            _ => input.text(),
        };
        let mut proxy = ProxyAddress::parse(&address).ok()?;
        let again = ProxyAddress::parse(&proxy.to_string()).expect("an address that was shown is one");
        let parts = |proxy: &ProxyAddress| (proxy.kind(), proxy.host().to_owned(), proxy.port());
        assert_eq!(parts(&again), parts(&proxy));

        let mut credentials = None;
        proxy = again;
        if bits & 16 != 0 {
            let (user, password) = (input.data().to_vec(), input.data().to_vec());
            proxy = proxy.with_credentials(ProxyCredentials::new(user.clone(), password.clone()));
            credentials = Some((user, password));
        }
        let port = 100 * u16::from(input.byte()) + 9;
        let sends = usize::from(bits >> 5) * 3 + 1;
        let tunnel = Self { proxy, host, port, credentials, sends };
        tunnel.begin().map(|_| tunnel)
    }

    fn begin(&self) -> Option<ProxyExchange> {
        ProxyExchange::new(&self.proxy, &self.host, self.port).ok()
    }

    fn run<'a>(&self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
        let before = Meter::start();
        let mut exchange = self.begin().expect("it has begun before");
        let (mut buf, mut sent) = (BytesMut::new(), Vec::new());
        let (mut fed, mut end) = (0, None);
        for piece in pieces {
            buf.extend_from_slice(piece);
            fed += piece.len();
            while end.is_none() {
                let left = buf.len();
                match exchange.receive(&mut buf) {
                    Ok(ProxyStep::NeedBytes) => break,
                    Ok(ProxyStep::Send) => {
                        let output = exchange.output();
                        let len = output.len().min(self.sends);
                        assert!(len > 0, "there is nothing to send");
                        sent.extend_from_slice(&output[..len]);
                        output.advance(len);
                    }
                    Ok(ProxyStep::Open) => end = Some("open".to_owned()),
                    Err(error) => end = Some(words(&error)),
                }
                assert!(buf.len() <= left);
            }
            let held = Meter::peak().saturating_sub(before);
            assert!(held <= 4 * fed + sent.len() + BESIDE, "{held} bytes are held after {fed} have arrived");
        }
        if end.is_some() {
            let left = buf.clone();
            let once_more = exchange.receive(&mut buf).map_err(|error| words(&error));
            assert_eq!(once_more, Err("finished".to_owned()));
            assert_eq!(buf, left);
            assert_eq!(words(&exchange.end_of_stream()), "finished");
        }
        let end = end.unwrap_or_else(|| words(&exchange.end_of_stream()));
        Outcome { end, sent, left: buf.to_vec() }
    }

    /// RFC 1928 and RFC 1929, for a stream of which nothing more comes.
    fn naive_socks5(&self, stream: &[u8]) -> Outcome {
        let mut request = vec![5, 1, 0];
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse() {
            Ok(std::net::IpAddr::V4(address)) => request.extend([&[1], &address.octets()[..]].concat()),
            Ok(std::net::IpAddr::V6(address)) => request.extend([&[4], &address.octets()[..]].concat()),
            Err(_) => request.extend([&[3, self.host.len() as u8], self.host.as_bytes()].concat()),
        }
        request.extend(self.port.to_be_bytes());
        let authentication = self.credentials.as_ref().map(|(user, password)| {
            [&[1, user.len() as u8], &user[..], &[password.len() as u8], &password[..]].concat()
        });

        let mut sent = if authentication.is_some() { vec![5, 2, 0, 2] } else { vec![5, 1, 0] };
        let mut left = stream;
        let end = (|| {
            let byte = |left: &[u8], at: usize| left.get(at).copied().ok_or("the end".to_owned());
            let version = |left: &[u8], expected| match byte(left, 0)? {
                found if found == expected => Ok(()),
                found => Err(format!("version {found}")),
            };
            version(left, 5)?;
            match (byte(left, 1)?, &authentication) {
                (0, _) => left = &left[2..],
                (2, Some(authentication)) => {
                    left = &left[2..];
                    sent.extend(authentication);
                    version(left, 1)?;
                    match byte(left, 1)? {
                        0 => left = &left[2..],
                        status => return Err(format!("status {status}")),
                    }
                }
                (0xFF, _) => return Err("no method".to_owned()),
                (other, _) => return Err(format!("method {other}")),
            }
            sent.extend(&request);
            version(left, 5)?;
            match byte(left, 1)? {
                0 => {}
                code => return Err(format!("refused {code}")),
            }
            let address = match byte(left, 3)? {
                1 => 4,
                4 => 16,
                3 => 1 + usize::from(byte(left, 4)?),
                kind => return Err(format!("address {kind}")),
            };
            byte(left, 4 + address + 1)?;
            left = &left[4 + address + 2..];
            Ok(())
        })();
        let end = end.err().unwrap_or("open".to_owned());
        Outcome { end, sent, left: left.to_vec() }
    }

    /// RFC 9110 section 9.3.6, with a head as another parser reads it.
    fn judge_connect(&self, stream: &[u8], outcome: &Outcome) {
        let mut headers = [httparse::EMPTY_HEADER; 4];
        let mut request = httparse::Request::new(&mut headers);
        let complete = httparse::Status::Complete(outcome.sent.len());
        assert_eq!(request.parse(&outcome.sent), Ok(complete), "one head is sent, and nothing else");
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        let authority = match address.parse::<std::net::Ipv6Addr>() {
            Ok(address) => format!("[{address}]:{}", self.port),
            Err(_) => format!("{}:{}", self.host, self.port),
        };
        assert_eq!((request.method, request.path), (Some("CONNECT"), Some(&authority[..])));
        let mut names: Vec<_> = request.headers.iter().map(|header| header.name).collect();
        names.sort_unstable();
        assert_eq!(names, ["Host", "Proxy-Authorization"][..1 + usize::from(self.credentials.is_some())]);

        let read = stream.len() - outcome.left.len();
        let (mut at, mut interim, mut end) = (0, 0, "the end".to_owned());
        loop {
            let mut headers = [httparse::EMPTY_HEADER; 128];
            let mut response = httparse::Response::new(&mut headers);
            let Ok(httparse::Status::Complete(len)) = response.parse(&stream[at..]) else { break };
            at += len;
            match response.code.unwrap_or_default() {
                100 | 102..=199 if interim < MAX_INTERIM_RESPONSES => {
                    interim += 1;
                    continue;
                }
                100 | 102..=199 => end = "too many interim answers".to_owned(),
                200..=299 => end = "open".to_owned(),
                407 => end = "407".to_owned(),
                code => end = format!("refused {code}"),
            }
            break;
        }
        // Which heads are refused, another target asks.
        if !outcome.end.starts_with("head") {
            assert_eq!((&outcome.end, read), (&end, at));
        }
    }
}

/// The end in words that the naive readings use too.
fn words(error: &ProxyError) -> String {
    match error {
        ProxyError::Connect(error) => match error {
            ConnectError::AuthenticationRequired(response) => response.status().as_str().to_owned(),
            ConnectError::Refused(response) => format!("refused {}", response.status().as_str()),
            ConnectError::Head(error) => format!("head: {error}"),
            ConnectError::TooManyInterimResponses => "too many interim answers".to_owned(),
            ConnectError::EndOfStream => "the end".to_owned(),
            ConnectError::Finished => "finished".to_owned(),
            other => panic!("{other:?} is new"),
        },
        ProxyError::Socks5(error) => match error {
            Socks5Error::Refused(refusal) => format!("refused {}", code(*refusal)),
            Socks5Error::NoAcceptableMethod => "no method".to_owned(),
            Socks5Error::UnofferedMethod(method) => format!("method {method}"),
            Socks5Error::AuthenticationFailed(status) => format!("status {status}"),
            Socks5Error::Version { found, .. } => format!("version {found}"),
            Socks5Error::AddressType(kind) => format!("address {kind}"),
            Socks5Error::EndOfStream => "the end".to_owned(),
            Socks5Error::Finished => "finished".to_owned(),
            other => panic!("{other:?} is new"),
        },
        other => panic!("{other:?} is new"),
    }
}

/// RFC 1928 section 6.
fn code(refusal: Socks5Refusal) -> u8 {
    match refusal {
        Socks5Refusal::GeneralFailure => 1,
        Socks5Refusal::NotAllowed => 2,
        Socks5Refusal::NetworkUnreachable => 3,
        Socks5Refusal::HostUnreachable => 4,
        Socks5Refusal::ConnectionRefused => 5,
        Socks5Refusal::TtlExpired => 6,
        Socks5Refusal::CommandNotSupported => 7,
        Socks5Refusal::AddressTypeNotSupported => 8,
        Socks5Refusal::Other(code) => code,
        other => panic!("{other:?} is new"),
    }
}
