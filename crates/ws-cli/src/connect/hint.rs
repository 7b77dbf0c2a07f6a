//! What to tell a user who has no connection: what happened, and what may help.

use std::io;

use ws_stack::{
    ConnectError,
    endpoint::ClientHandshakeError,
    handshake::{ClientError, ClientRequestError},
    http::{Response, StatusCode, header::LOCATION},
    rustls,
};

/// For a request that cannot be made.
pub(super) fn request(url: &str, error: &ClientRequestError) -> String {
    let help = match error {
        ClientRequestError::Scheme | ClientRequestError::Uri(_) | ClientRequestError::Host
            if !url.contains("://") =>
        {
            format!("try ws://{url}")
        }
        _ => return format!("{url}: {error}"),
    };
    format!("{url}: {error}; {help}")
}

/// For a connection that did not come about.
pub(super) fn connection(error: &ConnectError) -> String {
    let help = match error {
        ConnectError::Tcp { error, .. } => tcp(error),
        ConnectError::Refused { response, .. } => status(response),
        ConnectError::Tls { error, .. } => tls(error),
        ConnectError::Proxy { .. } => {
            Some("name another proxy with --proxy, or none with --no-proxy".to_owned())
        }
        ConnectError::Timeout { .. } => Some("is it a WebSocket server that listens there?".to_owned()),
        ConnectError::Left | ConnectError::Io(_) => {
            Some("a server that wants TLS does that: try wss://".to_owned())
        }
        ConnectError::Handshake(ClientHandshakeError::Response(error)) => answer(error),
        _ => None,
    };
    match help {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

fn tcp(error: &io::Error) -> Option<String> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("nothing listens there: is the server running?".to_owned()),
        _ => None,
    }
}

fn tls(error: &io::Error) -> Option<String> {
    let help = match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(_) => {
            "name the authority that signed the certificate with --ca FILE, or accept any with -n"
        }
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS, it seems: try ws://",
        _ => return None,
    };
    Some(help.to_owned())
}

fn answer(error: &ClientError) -> Option<String> {
    match error {
        ClientError::MissingSubprotocol => Some("ask for another one with -s, or for none".to_owned()),
        ClientError::Head(_) => Some("is it an HTTP server that listens there, and without TLS?".to_owned()),
        _ => None,
    }
}

fn status<T>(response: &Response<T>) -> Option<String> {
    let help = match response.status() {
        StatusCode::UNAUTHORIZED => "log in with --auth USER:PASSWORD",
        StatusCode::FORBIDDEN => "some servers want to be told an origin: -o ORIGIN",
        StatusCode::NOT_FOUND | StatusCode::OK => "no WebSocket is served at this path: try another one",
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => "a proxy stands in front of the server",
        status if status.is_redirection() => {
            let location = response.headers().get(LOCATION)?.to_str().ok()?;
            return Some(format!(
                "it has moved: connect to {location}, or follow it with --max-redirects 10"
            ));
        }
        status if status.is_server_error() => "the server has a trouble of its own: try again later",
        _ => return None,
    };
    Some(help.to_owned())
}

#[cfg(test)]
mod tests {
    use ws_stack::Connect;

    use super::*;

    fn refused(status: u16, location: Option<&str>) -> String {
        let mut response = Box::new(Response::default());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        if let Some(location) = location {
            response.headers_mut().insert(LOCATION, location.try_into().unwrap());
        }
        connection(&ConnectError::Refused { response, truncated: false })
    }

    #[test]
    fn an_address_without_a_scheme_is_completed() {
        for url in ["127.0.0.1:9001", "localhost:9001/chat", "example.com"] {
            let error = Connect::new(url).unwrap_err();
            assert!(request(url, &error).ends_with(&format!("; try ws://{url}")), "{url}: {error}");
        }
        let error = Connect::new("ftp://example.com/").unwrap_err();
        assert!(!request("ftp://example.com/", &error).contains("try"));
    }

    #[test]
    fn statuses_come_with_what_may_help() {
        for (status, help) in [
            (401, "--auth USER:PASSWORD"),
            (403, "-o ORIGIN"),
            (404, "at this path"),
            (200, "at this path"),
            (503, "try again later"),
        ] {
            let message = refused(status, None);
            assert!(message.contains(&format!("answered {status}")) && message.contains(help), "{message}");
        }
        assert!(refused(307, Some("wss://example.com/b")).contains("connect to wss://example.com/b,"));
        assert!(refused(418, None).ends_with("instead of 101"));
    }

    #[test]
    fn failures_of_tls_are_told_apart() {
        let tls = |error| {
            let error = io::Error::new(io::ErrorKind::InvalidData, error);
            connection(&ConnectError::Tls { host: "example.com".to_owned(), error })
        };
        let unknown = rustls::CertificateError::UnknownIssuer;
        assert!(tls(rustls::Error::InvalidCertificate(unknown)).contains("--ca FILE"));
        let message = rustls::InvalidMessage::InvalidContentType;
        assert!(tls(rustls::Error::InvalidMessage(message)).contains("try ws://"));
    }
}
