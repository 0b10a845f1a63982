use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jaunt_dag::Dag;

use crate::event::Event;
use crate::outcome::Outcome;
use crate::queue::by_index::IndexQueue;

/// Called with every event.
pub(crate) type OnEvent<N> = Box<dyn FnMut(Event<'_, N>) -> ControlFlow<()> + Send>;

/// How the nodes of one run have ended so far, and who is told.
pub(crate) struct RunLedger<N, T, E> {
    dag: Arc<Dag<N>>,
    pub(crate) queue: IndexQueue,
    outcomes: Vec<Option<Outcome<N, T, E>>>,
    /// `None` once the run is over for the caller: it was dropped, or this panicked.
    on_event: Option<OnEvent<N>>,
    /// How many threads are asking nodes, or are about to.
    pub(crate) n_workers: usize,
}

impl<N: Ord + Clone, T, E> RunLedger<N, T, E> {
    pub(crate) fn new(dag: Arc<Dag<N>>, queue: IndexQueue, on_event: OnEvent<N>) -> Self {
        let outcomes = dag.nodes().map(|_| None).collect();
        Self { dag, queue, outcomes, on_event: Some(on_event), n_workers: 0 }
    }

    /// Starts the next node that waits for a slot, if there is a free one.
    pub(crate) fn start(&mut self) -> Option<usize> {
        let idx = self.queue.pop()?;
        self.tell(|dag| Event::Started { node: dag.node_at(idx) });
        Some(idx)
    }

    pub(crate) fn settle(&mut self, idx: usize, result: Result<T, E>) {
        match result {
            Ok(value) => {
                self.tell(|dag| Event::Succeeded { node: dag.node_at(idx) });
                self.queue.succeed(&self.dag, idx);
                self.outcomes[idx] = Some(Outcome::Succeeded(value));
            }
            Err(err) => {
                self.tell(|dag| Event::Failed { node: dag.node_at(idx) });
                self.block_dependents(idx);
                self.outcomes[idx] = Some(Outcome::Failed(err));
            }
        }
    }

    pub(crate) fn panicked(&mut self, idx: usize, message: String) {
        self.tell(|dag| Event::Panicked { node: dag.node_at(idx) });
        self.block_dependents(idx);
        self.outcomes[idx] = Some(Outcome::Panicked(message));
    }

    /// Stops, and tells nobody anything any more.
    pub(crate) fn abandon(&mut self) {
        self.queue.stop();
        self.on_event = None;
    }

    /// Cancels what is left, and takes the outcomes of all nodes.
    pub(crate) fn close(&mut self) -> BTreeMap<N, Outcome<N, T, E>> {
        for idx in self.queue.cancel() {
            self.tell(|dag| Event::Cancelled { node: dag.node_at(idx) });
            self.outcomes[idx] = Some(Outcome::Cancelled);
        }
        let outcomes = std::mem::take(&mut self.outcomes).into_iter();
        let outcomes = outcomes.map(|outcome| outcome.expect("every node that ran was settled"));
        self.dag.nodes().cloned().zip(outcomes).collect()
    }

    fn block_dependents(&mut self, cause: usize) {
        for idx in self.queue.fail(&self.dag, cause) {
            self.tell(|dag| Event::Blocked { node: dag.node_at(idx), cause: dag.node_at(cause) });
            let cause = self.dag.node_at(cause).clone();
            self.outcomes[idx] = Some(Outcome::Blocked { cause });
        }
    }

    fn tell<'a>(&'a mut self, event: impl FnOnce(&'a Dag<N>) -> Event<'a, N>) {
        // Left out if it panics, so it is not called again.
        let Some(mut on_event) = self.on_event.take() else { return };
        if on_event(event(&self.dag)).is_break() {
            self.queue.stop();
        }
        self.on_event = Some(on_event);
    }
}
