//! Several addresses, one connection: happy eyeballs (RFC 8305).

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use tokio::time::{self, Instant};

/// How long an attempt has the field for itself (RFC 8305 section 5).
pub(super) const STAGGER: Duration = Duration::from_millis(250);

/// How many addresses are tried, however many a resolver gives.
pub(super) const MAX_ADDRESSES: usize = 32;

/// Connects to the addresses, each a little later than the one before or as soon as one has failed. The first connection
/// wins, and the other attempts are dropped.
///
/// # Errors
/// That of the attempt which failed first, once all have.
pub(super) async fn race<T, A>(
    addresses: &[SocketAddr],
    mut connect: impl FnMut(SocketAddr) -> A,
) -> io::Result<T>
where
    A: Future<Output = io::Result<T>>,
{
    let mut waiting = interleaved(addresses).into_iter();
    let mut attempts: Vec<Pin<Box<A>>> = Vec::new();
    let mut failure = None;
    let mut timer = pin!(time::sleep(Duration::ZERO));
    poll_fn(|cx| {
        loop {
            let mut won = None;
            let before = attempts.len();
            attempts.retain_mut(|attempt| {
                if won.is_some() {
                    return true;
                }
                match attempt.as_mut().poll(cx) {
                    Poll::Pending => return true,
                    Poll::Ready(Ok(connection)) => won = Some(connection),
                    Poll::Ready(Err(error)) => _ = failure.get_or_insert(error),
                }
                false
            });
            if let Some(connection) = won {
                return Poll::Ready(Ok(connection));
            }
            let failed = attempts.len() < before;
            if !(attempts.is_empty() || failed || timer.as_mut().poll(cx).is_ready()) {
                return Poll::Pending;
            }
            match waiting.next() {
                Some(address) => {
                    attempts.push(Box::pin(connect(address)));
                    timer.as_mut().reset(Instant::now() + STAGGER);
                }
                None if attempts.is_empty() => {
                    let none = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
                    return Poll::Ready(Err(failure.take().unwrap_or_else(none)));
                }
                None => return Poll::Pending,
            }
        }
    })
    .await
}

/// The families in turn, beginning with that of the first address, each in the resolver's order (RFC 8305 section 4).
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else { return Vec::new() };
    let (mut these, mut others): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first.is_ipv6());
    let (mut these, mut others) = (these.drain(..), others.drain(..));
    let mut order = Vec::with_capacity(addresses.len().min(MAX_ADDRESSES));
    while order.len() < MAX_ADDRESSES {
        let before = order.len();
        order.extend(these.next());
        order.extend(others.next());
        if order.len() == before {
            break;
        }
    }
    order.truncate(MAX_ADDRESSES);
    order
}

#[cfg(test)]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        future::pending,
    };

    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 80)).collect()
    }

    /// What a fake connector does with one address.
    #[derive(Clone, Copy)]
    enum Does {
        Connects(u64),
        Fails(u64),
        Hangs,
    }

    /// Races as told: who won, after how many milliseconds, and when each attempt began.
    async fn raced(script: &[(&str, Does)]) -> (io::Result<usize>, u64, Vec<u64>) {
        let list: Vec<_> = script.iter().map(|(ip, _)| *ip).collect();
        let start = Instant::now();
        let begun = RefCell::new(Vec::new());
        let won = race(&addresses(&list), |address| {
            begun.borrow_mut().push(elapsed(start));
            let number = list.iter().position(|ip| *ip == address.ip().to_string()).unwrap();
            let does = script[number].1;
            async move {
                match does {
                    Does::Connects(after) => time::sleep(Duration::from_millis(after)).await,
                    Does::Hangs => pending().await,
                    Does::Fails(after) => {
                        time::sleep(Duration::from_millis(after)).await;
                        return Err(io::Error::other(format!("number {number}")));
                    }
                }
                Ok(number)
            }
        })
        .await;
        (won, elapsed(start), begun.into_inner())
    }

    fn elapsed(start: Instant) -> u64 {
        u64::try_from(start.elapsed().as_millis()).unwrap()
    }

    #[test]
    fn families_take_turns_and_the_first_begins() {
        for (given, order) in [
            (&["::1", "::2", "1.1.1.1", "1.1.1.2"][..], &["::1", "1.1.1.1", "::2", "1.1.1.2"][..]),
            (&["1.1.1.1", "1.1.1.2", "1.1.1.3", "::1"], &["1.1.1.1", "::1", "1.1.1.2", "1.1.1.3"]),
            (&["1.1.1.1", "1.1.1.2"], &["1.1.1.1", "1.1.1.2"]),
            (&[], &[]),
        ] {
            assert_eq!(interleaved(&addresses(given)), addresses(order));
        }
    }

    #[test]
    fn a_resolver_that_floods_is_cut_short() {
        let flood = vec![SocketAddr::from(([1, 1, 1, 1], 80)); 10_000];
        assert_eq!(interleaved(&flood).len(), MAX_ADDRESSES);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_address_delays_the_next_by_a_quarter_of_a_second() {
        use Does::{Connects, Hangs};
        let (won, after, begun) =
            raced(&[("::1", Hangs), ("1.1.1.1", Hangs), ("::2", Connects(30)), ("::3", Hangs)]).await;
        assert_eq!((won.unwrap(), after), (2, 530));
        assert_eq!(begun, [0, 250, 500]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_starts_the_next_at_once() {
        use Does::{Connects, Fails};
        let (won, after, begun) =
            raced(&[("::1", Fails(10)), ("::2", Fails(5)), ("1.1.1.1", Connects(7))]).await;
        assert_eq!((won.unwrap(), after), (1 + 1, 10 + 7));
        assert_eq!(begun, [0, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_early_attempt_may_still_win() {
        use Does::{Connects, Hangs};
        let (won, after, begun) = raced(&[("::1", Connects(400)), ("1.1.1.1", Hangs)]).await;
        assert_eq!((won.unwrap(), after, begun), (0, 400, vec![0, 250]));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_the_first_failure_is_told() {
        use Does::Fails;
        let (won, after, _) = raced(&[("::1", Fails(300)), ("1.1.1.1", Fails(100)), ("::2", Fails(1))]).await;
        assert_eq!((won.unwrap_err().to_string().as_str(), after), ("number 0", 350));
        let (won, ..) = raced(&[]).await;
        assert_eq!(won.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn who_loses_is_dropped() {
        struct Attempt<'a>(&'a Cell<usize>);
        impl Drop for Attempt<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }
        let open = Cell::new(0);
        let list = addresses(&["::1", "::2", "::3"]);
        race(&list, |address| {
            open.set(open.get() + 1);
            let attempt = Attempt(&open);
            let wins = address == list[2];
            async move {
                let _attempt = attempt;
                if wins { Ok(()) } else { pending().await }
            }
        })
        .await
        .unwrap();
        assert_eq!(open.get(), 0);
    }
}
