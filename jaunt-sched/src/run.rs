use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use jaunt_dag::Dag;
use tokio::task::{JoinError, JoinSet};

use crate::ledger::{Ledger, text};

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
    let mut ledger = Ledger::new(dag, jobs, weight, on_event);
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

/// Why a job gave no result.
fn message(err: JoinError) -> String {
    match err.try_into_panic() {
        Ok(payload) => text(payload),
        // Nobody but a runtime that shuts down can abort a job: no handle to one is ever given away.
        Err(_) => "the job was aborted".to_owned(),
    }
}
