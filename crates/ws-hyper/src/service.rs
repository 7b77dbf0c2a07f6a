//! The service that a layer makes.

use std::{
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use pin_project_lite::pin_project;

use crate::layer::Endpoint;

/// A WebSocket endpoint in front of another service, made by a [`WebSocketLayer`](crate::WebSocketLayer). It is a service
/// of tower where the inner one is, and one of hyper where that is.
#[derive(Clone, Debug)]
pub struct WebSocketService<S> {
    inner: S,
    endpoint: Arc<Endpoint>,
}

impl<S> WebSocketService<S> {
    pub(crate) fn new(inner: S, endpoint: Arc<Endpoint>) -> Self {
        Self { inner, endpoint }
    }
}

impl<S, B, R> tower_service::Service<Request<B>> for WebSocketService<S>
where
    S: tower_service::Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.endpoint.answer(request) {
            ControlFlow::Break(response) => ResponseFuture::Answer { response: Some(response) },
            ControlFlow::Continue(request) => ResponseFuture::Inner { future: self.inner.call(request) },
        }
    }
}

impl<S, B, R> hyper::service::Service<Request<B>> for WebSocketService<S>
where
    S: hyper::service::Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn call(&self, request: Request<B>) -> Self::Future {
        match self.endpoint.answer(request) {
            ControlFlow::Break(response) => ResponseFuture::Answer { response: Some(response) },
            ControlFlow::Continue(request) => ResponseFuture::Inner { future: self.inner.call(request) },
        }
    }
}

pin_project! {
    /// The answer of a [`WebSocketService`].
    #[project = Answering]
    #[derive(Debug)]
    pub enum ResponseFuture<F> {
        /// The endpoint has answered.
        #[doc(hidden)]
        Answer { response: Option<Response<String>> },
        /// The inner service answers.
        #[doc(hidden)]
        Inner { #[pin] future: F },
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: From<String>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Answering::Answer { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response.map(R::from))),
                None => Poll::Pending, // It has answered already.
            },
            Answering::Inner { future } => future.poll(cx),
        }
    }
}
