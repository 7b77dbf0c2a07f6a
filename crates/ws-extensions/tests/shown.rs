//! What a log may show of the pipeline: what kind of thing it is, and not the state of somebody's extension.

mod support;

use support::{Act::*, *};
use ws_extensions::{Codec, ExtensionError, Finished, MessageHead, Output, Plan, Session, Work};

struct Secret;

impl Codec for Secret {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        Plan::Pass
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Ok(())
    }
}

#[test]
fn work_and_jobs_are_shown_by_their_kind() {
    for (work, shown) in [
        (Work::exclusive(|codec| (codec, Err(ExtensionError::internal("unused")))), "Exclusive"),
        (Work::concurrent(|| Err(ExtensionError::internal("unused"))), "Concurrent"),
        (Work::future(async { Err(ExtensionError::internal("unused")) }), "Future"),
    ] {
        assert_eq!(format!("{work:?}"), shown);
    }
    for (act, shown) in [(Exclusive, "Blocking"), (Concurrent, "Blocking"), (Future, "Future")] {
        let mut chain = outgoing([Fake::new("a", &[act])]);
        let _queued = put(&mut chain, "1");
        let (_, job) = chain.next_job().unwrap();
        assert_eq!(format!("{job:?}"), shown, "{act:?}");
    }
}

#[test]
fn a_session_shows_nothing_and_what_is_finished_its_outcome() {
    assert_eq!(format!("{:?}", Session::new(Secret, Secret)), "Session { .. }");
    let failed = Finished::failed(ExtensionError::internal("the pool has gone"));
    let shown = format!("{failed:?}");
    assert!(shown.starts_with("Finished") && shown.contains("the pool has gone"), "{shown}");
}
