//! What an endpoint is until its connection is open.

use std::{mem, sync::Arc, time::Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Request, StatusCode, header};
use ws_driver::{Shared, Timeouts, Wants};
use ws_extensions::Registry;
use ws_handshake::{AcceptBuilder, ClientRequest, InvalidHeader, Key, MAX_ADDED_HEADERS, Refusal};

use super::{Failure, SetHeaderError, State, queue::Queue};
use crate::{
    AnyRequest, ClientConfig, ClientHandshake, ConnectionOptions, Opened, ServerConfig, ServerHandshake,
    UpgradeRequest,
};

/// How much room is offered to a read: a request of the usual length.
const READ: usize = 1024;

/// The opening handshake, what is queued behind it, and what came behind the peer's part of it.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) stage: Stage,
    pub(super) buf: BytesMut,
    pub(super) queue: Queue,
    pub(super) timeouts: Shared<Timeouts>,
    pub(super) deadline: Option<Instant>,
    pub(super) end_of_stream: bool,
    /// Whether a server answers as soon as it can.
    started: bool,
    /// What a server adds to its answer, and the names that a client has added.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// How far it is.
#[derive(Debug)]
pub(super) enum Stage {
    /// A client's request that was not sent.
    Unsent(Box<(ClientRequest, ClientConfig, Key)>),
    /// A client waits for the answer.
    Asked(Box<ClientHandshake>),
    /// A server waits for the request.
    Listening(ServerHandshake),
    /// A server has one that breaks no rule.
    Requested(Box<UpgradeRequest>),
    /// A server has one that breaks a rule, read by someone else.
    Refused(Box<Refusal>),
    /// A server has one that asks for something else.
    Plain(Box<Request<()>>, Arc<ServerConfig>),
    /// It is over.
    Spent,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Step {
    /// More bytes are needed.
    NeedBytes,
    /// The caller has to answer the request, or to start.
    Waits,
    /// The request has come.
    Request,
    /// The connection is open behind these bytes, if there are any.
    Opened(Bytes, Box<Opened>),
    /// It will not open.
    Failed(Failure),
}

impl Opening {
    pub(super) fn new(stage: Stage, options: &ConnectionOptions, deadline: Option<Instant>) -> Self {
        Self {
            stage,
            buf: BytesMut::new(),
            queue: Queue::new(options.limits.clone()),
            timeouts: options.timeouts.clone(),
            deadline,
            end_of_stream: false,
            started: false,
            headers: Vec::new(),
        }
    }

    pub(super) fn state(&self) -> State {
        if matches!(self.stage, Stage::Unsent(_)) { State::NotStarted } else { State::Connecting }
    }

    pub(super) fn buffer(&mut self) -> &mut BytesMut {
        self.buf.reserve(READ);
        &mut self.buf
    }

    /// The request, where there is one.
    pub(super) fn request(&self) -> Option<&Request<()>> {
        match &self.stage {
            Stage::Asked(handshake) => Some(handshake.request()),
            Stage::Requested(request) => Some(request.request()),
            Stage::Plain(request, _) => Some(request),
            _ => None,
        }
    }

    /// Whether a server has a request to answer.
    pub(super) fn is_asked(&self) -> bool {
        matches!(self.stage, Stage::Requested(_) | Stage::Refused(_) | Stage::Plain(..))
    }

    /// Sends a client's request, or lets a server answer. Whether it was not started before, and what is to be written.
    pub(super) fn start(&mut self, now: Instant) -> Result<(bool, Bytes), Failure> {
        if mem::replace(&mut self.started, true) {
            return Ok((false, Bytes::new()));
        }
        let (request, config, key) = match mem::replace(&mut self.stage, Stage::Spent) {
            Stage::Unsent(unsent) => *unsent,
            stage => {
                self.stage = stage;
                return Ok((true, Bytes::new()));
            }
        };
        let handshake = ClientHandshake::with_key(request, &config, key).map_err(Failure::Handshake)?;
        self.deadline = config.handshake_timeout.and_then(|timeout| now.checked_add(timeout));
        let bytes = handshake.request_bytes().clone();
        self.stage = Stage::Asked(Box::new(handshake));
        Ok((true, bytes))
    }

    /// Goes on as far as the bytes allow.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        let step = match &mut self.stage {
            Stage::Asked(handshake) => match handshake.receive(&mut self.buf, now) {
                Ok(None) => Step::NeedBytes,
                Ok(Some(opened)) => Step::Opened(Bytes::new(), Box::new(opened)),
                Err(error) => Step::Failed(Failure::Handshake(error)),
            },
            Stage::Listening(handshake) => match handshake.receive_any(&mut self.buf) {
                Ok(None) => Step::NeedBytes,
                Ok(Some(AnyRequest::Upgrade(request))) => {
                    self.stage = Stage::Requested(Box::new(request));
                    Step::Request
                }
                Ok(Some(AnyRequest::Plain(request))) => {
                    self.stage = Stage::Plain(request, Arc::clone(handshake.config()));
                    Step::Request
                }
                Err(refusal) => Step::Failed(Failure::Refused(refusal)),
            },
            Stage::Requested(_) | Stage::Refused(_) | Stage::Plain(..) if self.started => self.answer(now),
            _ => Step::Waits,
        };
        match step {
            Step::NeedBytes if self.end_of_stream => Step::Failed(Failure::Left),
            step => step,
        }
    }

    fn answer(&mut self, now: Instant) -> Step {
        if self.end_of_stream {
            return Step::Failed(Failure::Left); // there is nobody to answer
        }
        let request = match mem::replace(&mut self.stage, Stage::Spent) {
            Stage::Requested(request) => Ok(*request),
            Stage::Refused(refusal) => Err(*refusal),
            Stage::Plain(request, config) => UpgradeRequest::new(*request, config),
            _ => return Step::Waits,
        };
        let accepted = request.and_then(|mut request| {
            for (name, value) in self.headers.drain(..) {
                request
                    .add_header(name, value)
                    .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
            }
            request.accept()
        });
        match accepted {
            Ok(accepted) => Step::Opened(accepted.response_bytes(), Box::new(accepted.open(now))),
            Err(refusal) => Step::Failed(Failure::Refused(refusal)),
        }
    }

    /// Adds a header to what this side will send. Whether it was taken: not once it was sent, and not behind another
    /// value of a name that occurs once.
    pub(super) fn set_header(
        &mut self,
        name: HeaderName,
        value: HeaderValue,
    ) -> Result<bool, SetHeaderError> {
        let repeats = [header::SET_COOKIE, header::WARNING, header::WWW_AUTHENTICATE].contains(&name);
        let stands = !repeats && self.headers.iter().any(|(known, _)| *known == name);
        if self.started || stands {
            return Ok(false);
        }
        if self.headers.len() >= MAX_ADDED_HEADERS {
            return Err(InvalidHeader::TooMany.into());
        }
        match &mut self.stage {
            Stage::Unsent(unsent) => {
                unsent.0 = unsent.0.clone().header(name.clone(), value)?;
                self.headers.push((name, HeaderValue::from_static("")));
            }
            _ => {
                AcceptBuilder::check_name(&name)?;
                self.headers.push((name, value));
            }
        }
        Ok(true)
    }

    /// The extensions that will be negotiated, until they are.
    pub(super) fn extensions(&mut self) -> Option<&mut Registry> {
        match &mut self.stage {
            _ if self.started => None,
            Stage::Unsent(unsent) => Some(&mut unsent.1.extensions),
            Stage::Listening(handshake) => Some(&mut Arc::make_mut(handshake.config()).extensions),
            Stage::Requested(request) => Some(&mut Arc::make_mut(request.config()).extensions),
            _ => None,
        }
    }

    /// What is wanted of the transport, beside writing.
    pub(super) fn wants(&self, dry: bool) -> Wants {
        let reads = matches!(self.stage, Stage::Asked(_) | Stage::Listening(_));
        Wants { read: reads && dry && !self.end_of_stream, jobs: !reads, ..Wants::NOTHING }
    }
}
