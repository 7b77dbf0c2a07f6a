//! A client that comes back.

mod backoff;
mod retry_after;
mod stop;

use std::{
    fmt,
    future::poll_fn,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use tokio::time::{self, Instant, Sleep};

pub use self::{backoff::Backoff, stop::StopHandle};
use crate::{ClientStream, Connect, ConnectError, Step, WebSocket};

type Attempt = Pin<Box<dyn Future<Output = Result<WebSocket<ClientStream>, ConnectError>> + Send>>;
type HookError = Box<dyn std::error::Error + Send + Sync>;
type OpenHook = Arc<
    dyn Fn(
            WebSocket<ClientStream>,
        ) -> Pin<Box<dyn Future<Output = Result<WebSocket<ClientStream>, HookError>> + Send>>
        + Send
        + Sync,
>;
type FailureHook = Box<dyn FnMut(&ConnectError, Duration) + Send>;
type Judge = Box<dyn FnMut(&ConnectError) -> bool + Send>;
type Random = Box<dyn FnMut() -> u64 + Send>;

/// A client that connects again whenever its connection is gone, with waits that grow while that fails.
///
/// [`next`](Self::next) yields live connections, one after the other: ask for the next one when you are done with the
/// last, however it ended. It gives `None` once it was [stopped](Self::stop_handle), and an error when there is no use
/// in trying again: a request that cannot be made, a status of 4xx other than 408, 425 and 429, a certificate that is not
/// trusted, an answer that breaks the protocol.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::{Connect, Reconnect};
///
/// let mut connections = Reconnect::new(Connect::new("wss://example.com/feed")?).on_open(async |mut ws| {
///     ws.send("subscribe: news").await?;
///     Ok(ws)
/// });
/// while let Some(ws) = connections.next().await {
///     let mut ws = ws?;
///     while let Some(Ok(message)) = ws.recv().await {
///         println!("{message:?}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// It is a [`Stream`], too.
pub struct Reconnect {
    connect: Connect,
    backoff: Backoff,
    max_failures: Option<u32>,
    on_open: Option<OpenHook>,
    on_failure: Option<FailureHook>,
    retry_if: Option<Judge>,
    random: Random,
    stop: StopHandle,
    state: State,
    /// In a row, without a connection that settled between them.
    failures: u32,
}

enum State {
    /// Nothing has happened yet.
    New,
    /// Under way. It is kept here, so that a dropped `next` does not begin again.
    Attempt(Attempt),
    /// Until the next attempt.
    Wait(Pin<Box<Sleep>>),
    /// A connection was handed out.
    Live {
        since: Instant,
    },
    /// A hook has panicked: a failure like others, once it is gone on with.
    Broken,
    Over,
}

impl Reconnect {
    /// A client that opens this connection, again and again. The first attempt is made at once.
    #[must_use]
    pub fn new(connect: Connect) -> Self {
        Self {
            connect,
            backoff: Backoff::default(),
            max_failures: None,
            on_open: None,
            on_failure: None,
            retry_if: None,
            // Without randomness the longest wait is the safe one.
            random: Box::new(|| getrandom::u64().unwrap_or(u64::MAX)),
            stop: StopHandle::default(),
            state: State::New,
            failures: 0,
        }
    }

    /// How long it waits between attempts.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Gives up with the last error after so many failures in a row; it never does by default. A connection that was lost
    /// before it [settled](Backoff::settled_after) counts as one, too, but it takes a failed attempt to give up.
    #[must_use]
    pub fn max_failures(mut self, failures: u32) -> Self {
        self.max_failures = Some(failures);
        self
    }

    /// Does this with each new connection before it is yielded: authenticate, subscribe again. It has as long as the
    /// opening handshake. When it fails because the connection did, by any error of this crate or of I/O, that is a failure
    /// like others; any other error of its own ends the client.
    #[must_use]
    pub fn on_open<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(WebSocket<ClientStream>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<WebSocket<ClientStream>, HookError>> + Send + 'static,
    {
        self.on_open = Some(Arc::new(move |ws| Box::pin(hook(ws))));
        self
    }

    /// Is told of each failure that is tried again, and of the wait until then: for a log, or a light that turns red.
    #[must_use]
    pub fn on_failure(mut self, hook: impl FnMut(&ConnectError, Duration) + Send + 'static) -> Self {
        self.on_failure = Some(Box::new(hook));
        self
    }

    /// Decides which failures are tried again, instead of [`ConnectError::is_transient`].
    #[must_use]
    pub fn retry_if(mut self, judge: impl FnMut(&ConnectError) -> bool + Send + 'static) -> Self {
        self.retry_if = Some(Box::new(judge));
        self
    }

    /// Draws the waits from this instead of the operating system's generator, each number as likely as any other: for
    /// tests that replay.
    #[must_use]
    pub fn random_source(mut self, random: impl FnMut() -> u64 + Send + 'static) -> Self {
        self.random = Box::new(random);
        self
    }

    /// What stops it, to be kept elsewhere.
    #[must_use]
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// The failures in a row, without a connection that settled between them.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// The next live connection: at once the first time, after a wait when there was one before. `None` when it was
    /// stopped, or has given up.
    ///
    /// # Errors
    /// Once, when there is no use in trying again; then `None`.
    ///
    /// # Cancel safety
    /// Safe: waits and attempts are kept, and a later call goes on with them. An attempt makes no progress while nobody
    /// waits for it. When a hook panics, whoever waits here does; to call again is to try again, after a wait.
    pub async fn next(&mut self) -> Option<Result<WebSocket<ClientStream>, ConnectError>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<WebSocket<ClientStream>, ConnectError>>> {
        loop {
            if self.stop.poll_stopped(cx) {
                self.state = State::Over;
            }
            // A hook may panic, and who catches that call again: what was under way is not polled a second time.
            self.state = match mem::replace(&mut self.state, State::Broken) {
                State::Over => {
                    self.state = State::Over;
                    return Poll::Ready(None);
                }
                State::New => State::Attempt(self.attempt()),
                State::Wait(mut sleep) => {
                    if sleep.as_mut().poll(cx).is_pending() {
                        self.state = State::Wait(sleep);
                        return Poll::Pending;
                    }
                    State::Attempt(self.attempt())
                }
                State::Broken => wait(self.delay(Duration::ZERO)),
                State::Live { since } => {
                    if since.elapsed() >= self.backoff.settled_after {
                        self.failures = 0;
                    }
                    wait(self.delay(Duration::ZERO))
                }
                State::Attempt(mut attempt) => match attempt.as_mut().poll(cx) {
                    Poll::Pending => {
                        self.state = State::Attempt(attempt);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok(ws)) => {
                        self.state = State::Live { since: Instant::now() };
                        return Poll::Ready(Some(Ok(ws)));
                    }
                    Poll::Ready(Err(error)) => match self.judge(&error) {
                        Some(state) => state,
                        None => {
                            self.state = State::Over;
                            return Poll::Ready(Some(Err(error)));
                        }
                    },
                },
            };
        }
    }

    fn attempt(&self) -> Attempt {
        let (connect, on_open) = (self.connect.clone(), self.on_open.clone());
        Box::pin(async move {
            let timeout = connect.config.handshake_timeout;
            let ws = connect.open().await?;
            let Some(on_open) = on_open else { return Ok(ws) };
            let opened = on_open(ws);
            let opened = match timeout {
                None => opened.await,
                Some(timeout) => {
                    let late = |_| ConnectError::Timeout { step: Step::Hook };
                    time::timeout(timeout, opened).await.map_err(late)?
                }
            };
            opened.map_err(ConnectError::Hook)
        })
    }

    /// What follows a failure: a wait, or nothing.
    fn judge(&mut self, error: &ConnectError) -> Option<State> {
        let again = match &mut self.retry_if {
            Some(judge) => judge(error),
            None => error.is_transient(),
        };
        // The failure that is being judged is not counted yet.
        if !again || self.max_failures.is_some_and(|most| self.failures.saturating_add(1) >= most) {
            return None;
        }
        let told = error.response().and_then(|response| retry_after::retry_after(response.headers()));
        let delay = self.delay(told.unwrap_or_default());
        if let Some(hook) = &mut self.on_failure {
            hook(error, delay);
        }
        Some(wait(delay))
    }

    /// The wait after one failure more, on top of what the server asked for.
    fn delay(&mut self, told: Duration) -> Duration {
        let random = (self.random)();
        let delay = self.backoff.delay(self.failures, random);
        self.failures = self.failures.saturating_add(1);
        delay.saturating_add(told.min(self.backoff.max_retry_after))
    }
}

fn wait(delay: Duration) -> State {
    State::Wait(Box::pin(time::sleep(delay)))
}

impl Stream for Reconnect {
    type Item = Result<WebSocket<ClientStream>, ConnectError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(cx)
    }
}

impl fmt::Debug for Reconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::New => "new",
            State::Attempt(_) => "attempt",
            State::Wait(_) => "wait",
            State::Live { .. } => "live",
            State::Broken => "broken",
            State::Over => "over",
        };
        f.debug_struct("Reconnect")
            .field("connect", &self.connect)
            .field("backoff", &self.backoff)
            .field("state", &state)
            .field("failures", &self.failures)
            .finish_non_exhaustive()
    }
}
