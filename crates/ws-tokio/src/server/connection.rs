//! What a server hands to the application.

use http::Request;

use super::{Address, ServerStream};
use crate::WebSocket;

/// An open connection of a [`Server`](crate::Server), and what is known of the client.
///
/// The fields may be taken apart; what is not wanted any more need not be kept: the request of an idle connection may
/// be larger than the connection.
#[derive(Debug)]
#[non_exhaustive]
pub struct ServerConnection<T = ()> {
    /// The connection.
    pub socket: WebSocket<ServerStream>,
    /// The client's request: path, query, headers, cookies.
    pub request: Box<Request<()>>,
    /// Where the client connects from. Behind a proxy that is the proxy: the client's own address is in a header then,
    /// which only a proxy of one's own can be trusted to set.
    pub peer_addr: Address,
    /// What [`authorize`](crate::ServerBuilder::authorize) has given: a user, a session.
    pub data: T,
}

impl<T> ServerConnection<T> {
    /// The connection alone; the rest is dropped.
    pub fn into_socket(self) -> WebSocket<ServerStream> {
        self.socket
    }
}
