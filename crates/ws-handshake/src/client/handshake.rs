use core::fmt;

use bytes::{Bytes, BytesMut};
use http::header::{
    CONNECTION, HeaderMap, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_PROTOCOL, UPGRADE,
};
use http::{Request, Response, StatusCode};

use super::ClientError;
use crate::head::{HeadLimits, HeadReader};
use crate::header::{is_token, joined, list_contains, single};
use crate::write::write_request;
use crate::{AcceptKey, Key, accept_key};

/// How many answers with a status from 100 to 199, 101 aside, may come before the one that counts.
pub const MAX_INTERIM_RESPONSES: usize = 8;

/// A client's handshake that has begun: the request's bytes go out, the answer's come in.
///
/// Made by [`ClientRequest::start`](crate::ClientRequest::start).
pub struct ClientHandshake {
    request: Request<()>,
    bytes: Bytes,
    accept: AcceptKey,
    subprotocols: Vec<String>,
    require_subprotocol: bool,
    offered_extensions: bool,
    reader: HeadReader,
    interim: usize,
    finished: bool,
}

impl fmt::Debug for ClientHandshake {
    /// Without the bytes: they hold the credentials, which the request's headers hide.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, interim, finished, .. } = self;
        f.debug_struct("ClientHandshake")
            .field("request", request)
            .field("interim", interim)
            .field("finished", finished)
            .finish_non_exhaustive()
    }
}

/// The answer that opened a connection.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientResponse {
    /// Status 101 and all headers.
    pub response: Response<()>,
    /// The subprotocol that the server chose, one of those requested.
    pub subprotocol: Option<String>,
    /// The value of `Sec-WebSocket-Extensions`, its lines joined, not yet parsed. `None` if none was offered.
    pub extensions: Option<String>,
}

impl ClientHandshake {
    pub(super) fn new(
        request: Request<()>,
        key: &Key,
        subprotocols: Vec<String>,
        require_subprotocol: bool,
        offered_extensions: bool,
        limits: HeadLimits,
    ) -> Self {
        Self {
            bytes: write_request(&request),
            request,
            accept: accept_key(key),
            subprotocols,
            require_subprotocol,
            offered_extensions,
            reader: HeadReader::new(limits),
            interim: 0,
            finished: false,
        }
    }

    /// What is to be sent.
    #[must_use]
    pub fn request_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The request as it is sent. Its URI is the whole address, without user information.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        &self.request
    }

    /// Looks for the answer in what has been received. `None` means that more bytes are needed; append them to the same
    /// buffer. Bytes behind the answer, the first frames, stay in the buffer.
    ///
    /// Interim answers (RFC 9110 section 15.2) are passed over, up to [`MAX_INTERIM_RESPONSES`].
    ///
    /// # Errors
    ///
    /// [`ClientError`] when the answer does not open the connection; the handshake is over then.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Result<Option<ClientResponse>, ClientError> {
        if self.finished {
            return Err(ClientError::Finished);
        }
        let result = self.next_response(buf);
        self.finished = !matches!(result, Ok(None));
        result
    }

    fn next_response(&mut self, buf: &mut BytesMut) -> Result<Option<ClientResponse>, ClientError> {
        while let Some(response) = self.reader.read_response(buf)? {
            if response.status().is_informational() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                self.interim += 1;
                if self.interim > MAX_INTERIM_RESPONSES {
                    return Err(ClientError::TooManyInterimResponses);
                }
                continue;
            }
            return self.check(response).map(Some);
        }
        Ok(None)
    }

    /// RFC 6455 section 4.1, the six steps of validating the server's response.
    fn check(&self, response: Response<()>) -> Result<ClientResponse, ClientError> {
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(ClientError::UnexpectedStatus(Box::new(response)));
        }
        // RFC 9110 section 7.8: HTTP/1.0 has no upgrade.
        if response.version() != http::Version::HTTP_11 {
            return Err(ClientError::HttpVersion);
        }
        let headers = response.headers();
        match single(headers, &UPGRADE) {
            Ok(Some(value)) if value.eq_ignore_ascii_case("websocket") => {}
            _ => return Err(ClientError::BadUpgrade),
        }
        if !list_contains(headers, &CONNECTION, b"upgrade") {
            return Err(ClientError::BadConnection);
        }
        match single(headers, &SEC_WEBSOCKET_ACCEPT) {
            Ok(Some(value)) if value == self.accept.as_str() => {}
            _ => return Err(ClientError::BadAccept),
        }
        let subprotocol = self.check_subprotocol(headers)?;
        let extensions =
            joined(headers, &SEC_WEBSOCKET_EXTENSIONS).map_err(|_| ClientError::InvalidExtensions)?;
        if extensions.is_some() && !self.offered_extensions {
            return Err(ClientError::UnrequestedExtensions);
        }
        Ok(ClientResponse { subprotocol, extensions, response })
    }

    fn check_subprotocol(&self, headers: &HeaderMap) -> Result<Option<String>, ClientError> {
        // RFC 6455 section 11.3.4: it must not appear more than once in a response.
        let chosen = single(headers, &SEC_WEBSOCKET_PROTOCOL).map_err(|_| ClientError::InvalidSubprotocol)?;
        match chosen {
            None if self.require_subprotocol && !self.subprotocols.is_empty() => {
                Err(ClientError::MissingSubprotocol)
            }
            None => Ok(None),
            Some(chosen) if !is_token(chosen.as_bytes()) => Err(ClientError::InvalidSubprotocol),
            // Subprotocols are compared with their case (RFC 6455 section 11.5).
            Some(chosen) if self.subprotocols.iter().any(|requested| requested == chosen) => {
                Ok(Some(chosen.to_owned()))
            }
            Some(chosen) => Err(ClientError::UnrequestedSubprotocol(chosen.to_owned())),
        }
    }
}
