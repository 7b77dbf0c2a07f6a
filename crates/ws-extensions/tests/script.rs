//! Random scripts against an oracle that knows nothing of cells: whatever is pushed, fetched, completed and popped
//! in whatever order, the messages come out whole and in order, up to the first that fails.

mod support;

use proptest::prelude::*;
use support::{Act::*, *};
use ws_extensions::{Chain, Direction, Finished, Job, JobId, MessageHead, Route};
use ws_frame::DataKind;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A message of so many fragments enters.
    Put(usize),
    Fetch,
    /// One of the fetched jobs is run.
    Run(prop::sample::Index),
    /// One of the jobs that were run comes back, maybe once more.
    Complete(prop::sample::Index, bool),
    Pop,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_usize).prop_map(Step::Put),
        Just(Step::Fetch),
        any::<prop::sample::Index>().prop_map(Step::Run),
        any::<(prop::sample::Index, bool)>().prop_map(|(which, twice)| Step::Complete(which, twice)),
        Just(Step::Pop),
    ]
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => prop::sample::select(vec![Pass, Stream, Exclusive, Concurrent, Future]),
        1 => prop::sample::select(vec![FailStream, FailJob, FailFuture, PanicExclusive, PanicConcurrent]),
    ]
}

fn fails(act: Act) -> bool {
    !matches!(act, Pass | Stream | Exclusive | Concurrent | Future)
}

/// What comes out when everything runs to its end: the names of the cells behind each message, until one fails.
fn expected(cells: &[(&'static str, Vec<Act>)], messages: &[String]) -> (Vec<String>, Option<&'static str>) {
    // How many messages have reached each cell.
    let mut whole = Vec::new();
    for (number, message) in messages.iter().enumerate() {
        let mut text = message.clone();
        for (name, acts) in cells {
            let act = acts[number % acts.len()];
            if fails(act) {
                return (whole, Some(name));
            }
            if act != Pass {
                text.push_str(name);
            }
        }
        whole.push(text);
    }
    (whole, None)
}

struct Run {
    chain: Chain,
    fetched: Vec<(JobId, Job)>,
    done: Vec<(JobId, Finished)>,
    seen: Vec<String>,
}

impl Run {
    fn pop(&mut self) {
        if let Some(front) = self.chain.front().filter(|front| front.finished) {
            self.seen.push(String::from_utf8(front.data.to_vec()).unwrap());
            self.chain.pop();
        }
    }

    fn put(&mut self, text: &str, fragments: usize) {
        match self.chain.begin(MessageHead::new(DataKind::Text), Some(text.len())) {
            Route::Direct => self.seen.push(text.to_owned()),
            Route::Queued => {
                let size = (text.len() / (fragments + 1)).max(1);
                text.as_bytes().chunks(size).for_each(|fragment| self.chain.push(fragment, false));
                self.chain.push(b"", true);
            }
        }
    }

    fn step(&mut self, step: Step, messages: &mut Vec<String>) {
        match step {
            Step::Put(fragments) => {
                let text = format!("<{:03}>", messages.len());
                self.put(&text, fragments);
                messages.push(text);
            }
            Step::Fetch => self.fetched.extend(self.chain.next_job()),
            Step::Run(which) if !self.fetched.is_empty() => {
                let (id, job) = self.fetched.swap_remove(which.index(self.fetched.len()));
                self.done.push((id, run(job)));
            }
            Step::Complete(which, twice) if !self.done.is_empty() => {
                let (id, finished) = self.done.swap_remove(which.index(self.done.len()));
                self.chain.complete_job(id, finished);
                if twice {
                    let stray = ws_extensions::ExtensionError::internal("a second completion");
                    self.chain.complete_job(id, Finished::failed(stray));
                }
            }
            Step::Pop => self.pop(),
            Step::Run(_) | Step::Complete(..) => {}
        }
    }

    fn settle(&mut self) {
        loop {
            self.fetched.extend(std::iter::from_fn(|| self.chain.next_job()));
            self.done.extend(self.fetched.drain(..).map(|(id, job)| (id, run(job))));
            // The latest first.
            let Some((id, finished)) = self.done.pop() else { break };
            self.chain.complete_job(id, finished);
            self.pop();
        }
        while self.chain.front().is_some() {
            self.pop();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn order_survives_everything(
        acts in prop::collection::vec(prop::collection::vec(any_act(), 1..6), 1..4),
        steps in prop::collection::vec(any_step(), 0..120),
        close_at_the_end: bool,
        incoming: bool,
    ) {
        let log = Log::default();
        let names = ["a", "b", "c"];
        let mut cells: Vec<_> = names.into_iter().zip(acts).collect();
        let fakes: Vec<_> = cells.iter().map(|(name, acts)| Fake::new(name, acts).log(&log)).collect();
        let negotiated = negotiate(fakes, &options());
        let (chain, other) = match incoming {
            true => (negotiated.incoming, negotiated.outgoing),
            false => (negotiated.outgoing, negotiated.incoming),
        };
        if incoming {
            cells.reverse();
        }
        let mut run = Run { chain, fetched: Vec::new(), done: Vec::new(), seen: Vec::new() };
        let mut messages = Vec::new();
        for step in steps {
            run.step(step, &mut messages);
            if let Some((id, _)) = run.fetched.first() {
                prop_assert_eq!(id.direction() == Direction::Incoming, incoming);
            }
        }
        if close_at_the_end {
            run.chain.close();
        }
        run.settle();

        let (whole, failing) = expected(&cells, &messages);
        prop_assert_eq!(&run.seen, &whole);
        prop_assert_eq!(run.chain.failure().map(|error| error.extension()), failing);
        prop_assert!(run.chain.is_idle() && run.chain.has_room());
        run.chain.close();
        prop_assert!(run.chain.is_closed());

        log.take();
        drop((run, other));
        let mut closed = log.take();
        closed.sort();
        let ends: Vec<_> = cells.iter().map(|(name, _)| format!("close {name}")).collect();
        prop_assert_eq!(closed.len(), ends.len());
        prop_assert!(ends.iter().all(|end| closed.contains(end)));
    }
}
