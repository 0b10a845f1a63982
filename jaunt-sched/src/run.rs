use std::any::Any;
use std::collections::BTreeMap;
use std::mem;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use jaunt_dag::Dag;
use tokio::task::{JoinError, JoinSet};

use crate::queue::Queue;

#[cfg(test)]
mod tests;

/// Something that happened to a node, told at the moment it happened.
///
/// Each node is told of once when it starts and once when it ends, or only once, as blocked or
/// cancelled. Events carry no time: who wants durations looks at a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants explain the fields")]
pub enum Event<'a, N> {
    /// The job of this node is about to run.
    Started { node: &'a N },
    /// The job gave `Ok`.
    Succeeded { node: &'a N },
    /// The job gave `Err`. What this blocks is told next.
    Failed { node: &'a N },
    /// The job panicked. What this blocks is told next.
    Panicked { node: &'a N },
    /// This node will never start, since `cause`, which it depends on directly or not, has failed
    /// or panicked.
    Blocked { node: &'a N, cause: &'a N },
    /// This node was left over when the run was stopped. Told after the last job has ended.
    Cancelled { node: &'a N },
}

/// How a node ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<N, T, E> {
    /// The job gave this.
    Succeeded(T),
    /// The job gave this error.
    Failed(E),
    /// The job panicked with this message, or was aborted from outside, which the message says.
    Panicked(String),
    /// The job was never started, since something below has failed.
    Blocked {
        /// The node that failed or panicked. If there are several, the one that was first to.
        cause: N,
    },
    /// The job was never started, since the run was stopped.
    Cancelled,
}

/// Runs one job for each node, dependencies first, at most `jobs` at a time.
///
/// A node may start once everything it depends on has succeeded. If more may start than there is
/// room for, those with the longest remaining path go first, where `weight` says how long each node
/// will take, in any unit; of those with equal paths, the smallest. Whatever has ended by now is
/// taken into account before anything starts.
///
/// `start` makes the job of a node at the moment it is to run, and `on_event` is told of
/// everything, in order. Both are called by the returned future itself, so they need no locks, and
/// should not block.
///
/// # Failures
///
/// A node has failed if its job gives `Err` or panics, or if `start` panics. That blocks everything
/// that depends on it, directly or not, and nothing else.
///
/// # Stopping
///
/// When `stop` resolves, or `on_event` breaks, nothing starts any more. Running jobs are waited for,
/// their failures still block, all that is told of as ever, and what is left in the end is
/// cancelled. If `stop` resolves at once, that is everything. To fail fast is to break at the first
/// [`Event::Failed`] or [`Event::Panicked`].
///
/// To drop the returned future aborts the jobs: they go no further than to their next `await`. What
/// they have handed to other threads is not theirs any more, and goes on.
///
/// # Panics
///
/// If there is no tokio runtime. Panics in `weight` and `on_event` are passed on, and abort the jobs
/// as well.
pub async fn run<N, T, E, F>(
    dag: &Dag<N>,
    jobs: NonZeroUsize,
    weight: impl FnMut(&N) -> u64,
    mut start: impl FnMut(&N) -> F,
    on_event: impl FnMut(Event<'_, N>) -> ControlFlow<()>,
    stop: impl Future<Output = ()>,
) -> BTreeMap<N, Outcome<N, T, E>>
where
    N: Ord + Clone,
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let mut ledger = Ledger {
        dag,
        queue: Queue::new(dag, jobs, weight),
        outcomes: dag.nodes().map(|_| None).collect(),
        on_event,
    };
    let mut running = JoinSet::new();
    let mut node_of = BTreeMap::new();
    let mut stop = pin!(stop);
    let mut is_stopped = false;

    loop {
        // In the beginning nothing runs, so this only looks whether it may begin at all.
        let mut joined = tokio::select! {
            biased;
            () = &mut stop, if !is_stopped => {
                is_stopped = true;
                ledger.queue.stop();
                None
            }
            joined = running.join_next_with_id() => joined,
        };
        // Whatever has ended by now counts for what starts next.
        while let Some(ended) = joined {
            let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
            let idx = node_of.remove(&id).expect("every job was noted when it was spawned");
            match ended {
                Ok((_, Ok(value))) => ledger.succeeded(idx, value),
                Ok((_, Err(err))) => ledger.failed(idx, err),
                Err(err) => ledger.panicked(idx, message(err)),
            }
            joined = running.try_join_next_with_id();
        }

        while let Some(idx) = ledger.queue.pop_at() {
            let node = dag.node_at(idx);
            ledger.tell(Event::Started { node });
            match catch_unwind(AssertUnwindSafe(|| start(node))) {
                Ok(job) => {
                    node_of.insert(running.spawn(job).id(), idx);
                }
                Err(payload) => ledger.panicked(idx, text(payload)),
            }
        }
        if running.is_empty() {
            return ledger.close();
        }
    }
}

/// What is known about the nodes, and who is told.
struct Ledger<'dag, N, T, E, S> {
    dag: &'dag Dag<N>,
    queue: Queue<'dag, N>,
    outcomes: Vec<Option<Outcome<N, T, E>>>,
    on_event: S,
}

impl<N, T, E, S> Ledger<'_, N, T, E, S>
where
    N: Ord + Clone,
    S: FnMut(Event<'_, N>) -> ControlFlow<()>,
{
    fn tell(&mut self, event: Event<'_, N>) {
        if (self.on_event)(event).is_break() {
            self.queue.stop();
        }
    }

    fn succeeded(&mut self, idx: usize, value: T) {
        self.tell(Event::Succeeded { node: self.dag.node_at(idx) });
        self.queue.succeed_at(idx);
        self.outcomes[idx] = Some(Outcome::Succeeded(value));
    }

    fn failed(&mut self, idx: usize, err: E) {
        self.tell(Event::Failed { node: self.dag.node_at(idx) });
        self.block_dependents(idx);
        self.outcomes[idx] = Some(Outcome::Failed(err));
    }

    fn panicked(&mut self, idx: usize, message: String) {
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

    fn close(mut self) -> BTreeMap<N, Outcome<N, T, E>> {
        for idx in self.queue.cancel_at() {
            self.tell(Event::Cancelled { node: self.dag.node_at(idx) });
            self.outcomes[idx] = Some(Outcome::Cancelled);
        }
        let outcomes = self.outcomes.into_iter();
        let outcomes = outcomes.map(|outcome| outcome.expect("whatever did not run was settled"));
        self.dag.nodes().cloned().zip(outcomes).collect()
    }
}

/// Why a job gave no result.
fn message(err: JoinError) -> String {
    match err.try_into_panic() {
        Ok(payload) => text(payload),
        // Nobody but a runtime that shuts down can abort a job: no handle to one is ever given away.
        Err(_) => "the job was aborted".to_owned(),
    }
}

/// The text that a panic came with.
fn text(payload: Box<dyn Any + Send>) -> String {
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
