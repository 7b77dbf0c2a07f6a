//! Where a client connects from, also behind a proxy: `cargo run -p ws-stack --example peer_address`.
//!
//! A proxy writes its client's address into a header, and so can anybody. It is believed only if it comes from a proxy of
//! one's own, and of its list only what such proxies have added: from the right up to the first stranger.

use std::net::IpAddr;

use ws_stack::{
    Address, BoxError, CloseCode, Connect, Error, Server, ServerConnection,
    http::{Request, StatusCode},
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let this_machine = IpAddr::from([127, 0, 0, 1]);
    let cases = [("nobody is trusted", vec![]), ("this machine is a proxy", vec![this_machine])];
    for (what, proxies) in cases {
        let server = Server::builder()
            .authorize(move |request, peer| {
                let address = client_address(&request, &peer, &proxies);
                async move { address.ok_or(StatusCode::BAD_REQUEST) }
            })
            .bind("127.0.0.1:0")
            .await?;
        let address = server.url("/").ok_or("the server listens nowhere")?;
        tokio::spawn(async move { server.serve(tell).await });

        // The first is what the client claims, the second what the proxy has seen.
        let request = Connect::new(&address)?.header("x-forwarded-for", "192.0.2.66, 203.0.113.7")?;
        let mut ws = request.await?;
        println!("{what}: {:?}", ws.recv().await.transpose()?);
        ws.close(CloseCode::NORMAL, "").await?;
    }
    Ok(())
}

/// The address of the client itself; `None` when a proxy has sent nonsense.
fn client_address(request: &Request<()>, peer: &Address, proxies: &[IpAddr]) -> Option<IpAddr> {
    let mut client = peer.ip()?;
    for header in request.headers().get_all("x-forwarded-for").iter().rev() {
        for entry in header.to_str().ok()?.rsplit(',') {
            if !proxies.contains(&client) {
                return Some(client);
            }
            client = entry.trim().parse().ok()?;
        }
    }
    Some(client)
}

async fn tell(mut conn: ServerConnection<IpAddr>) -> Result<(), Error> {
    conn.socket.send(format!("you are {}", conn.data)).await?;
    while conn.socket.recv().await.transpose()?.is_some() {}
    Ok(())
}
