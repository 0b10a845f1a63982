use std::any::Any;
use std::collections::BTreeMap;
use std::mem;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;

use jaunt_dag::Dag;

use crate::queue::Queue;
use crate::run::{Event, Outcome};

/// What is known about the nodes, and who is told.
pub(crate) struct Ledger<'dag, N, T, E, S> {
    dag: &'dag Dag<N>,
    pub(crate) queue: Queue<'dag, N>,
    outcomes: Vec<Option<Outcome<N, T, E>>>,
    on_event: S,
}

impl<'dag, N, T, E, S> Ledger<'dag, N, T, E, S>
where
    N: Ord + Clone,
    S: FnMut(Event<'_, N>) -> ControlFlow<()>,
{
    pub(crate) fn new(
        dag: &'dag Dag<N>,
        jobs: NonZeroUsize,
        weight: impl FnMut(&N) -> u64,
        on_event: S,
    ) -> Self {
        let outcomes = dag.nodes().map(|_| None).collect();
        Self { dag, queue: Queue::new(dag, jobs, weight), outcomes, on_event }
    }

    pub(crate) fn tell(&mut self, event: Event<'_, N>) {
        if (self.on_event)(event).is_break() {
            self.queue.stop();
        }
    }

    pub(crate) fn succeeded(&mut self, idx: usize, value: T) {
        self.tell(Event::Succeeded { node: self.dag.node_at(idx) });
        self.queue.succeed_at(idx);
        self.outcomes[idx] = Some(Outcome::Succeeded(value));
    }

    pub(crate) fn failed(&mut self, idx: usize, err: E) {
        self.tell(Event::Failed { node: self.dag.node_at(idx) });
        self.block_dependents(idx);
        self.outcomes[idx] = Some(Outcome::Failed(err));
    }

    pub(crate) fn panicked(&mut self, idx: usize, message: String) {
        self.tell(Event::Panicked { node: self.dag.node_at(idx) });
        self.block_dependents(idx);
        self.outcomes[idx] = Some(Outcome::Panicked(message));
    }

    fn block_dependents(&mut self, cause: usize) {
        let blocked = self.queue.fail_at(cause);
        let cause = self.dag.node_at(cause);
        for idx in blocked {
            self.tell(Event::Blocked { node: self.dag.node_at(idx), cause });
            self.outcomes[idx] = Some(Outcome::Blocked { cause: cause.clone() });
        }
    }

    pub(crate) fn close(mut self) -> BTreeMap<N, Outcome<N, T, E>> {
        for idx in self.queue.cancel_at() {
            self.tell(Event::Cancelled { node: self.dag.node_at(idx) });
            self.outcomes[idx] = Some(Outcome::Cancelled);
        }
        let outcomes = self.outcomes.into_iter();
        let outcomes = outcomes.map(|outcome| outcome.expect("whatever did not run was settled"));
        self.dag.nodes().cloned().zip(outcomes).collect()
    }
}

/// The text that a panic came with.
pub(crate) fn text(payload: Box<dyn Any + Send>) -> String {
    payload
        .downcast::<String>()
        .map(|text| *text)
        .or_else(|payload| payload.downcast::<&'static str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|payload| {
            // To drop a value of any type may be the next panic, and this one nobody would catch.
            mem::forget(payload);
            "a panic without a message".to_owned()
        })
}
