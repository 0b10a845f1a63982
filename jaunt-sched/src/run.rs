use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::{Arc, MutexGuard};

use jaunt_dag::Dag;
use tokio::task::{Id, JoinError, JoinSet};

use crate::event::Event;
use crate::ledger::RunLedger;
use crate::outcome::{Outcome, panic_message};
use crate::pool::{Ask, Pool};
use crate::queue::by_index::IndexQueue;

#[cfg(test)]
mod tests;

/// Runs one job for each node, dependencies first, at most `jobs` at a time.
///
/// A node may start once everything it depends on has succeeded. If more may start than there are
/// free slots, those with the longest remaining path go first, where `weight` says how long each node
/// will take, in any unit; of those with equal paths, the smallest. Everything that has ended is
/// settled before anything starts.
///
/// `later` makes the future of a node at the moment it gets a slot. It is called by the returned future
/// itself, and should not block. `on_event` is called with every event, in order, and should not block
/// either: a lock is held meanwhile.
///
/// # Asking first
///
/// With `now`, every node is asked before it waits for a slot, in the same order. An
/// [`Answer::Now`](crate::Answer::Now) is the result of the job, which takes no slot. A node that answers
/// [`Answer::Later`](crate::Answer::Later) waits for one. Nothing is kept of it but its index.
///
/// `now` may block. It is called on the blocking pool of tokio, on at most `jobs` threads, and 64, at once,
/// which call `on_event` too. Without `now` there are no threads.
///
/// # Failures
///
/// A node has failed if its job gives `Err` or panics, or if `now` or `later` panics. That blocks
/// everything that depends on it, directly or not, and nothing else.
///
/// # Stopping
///
/// When `stop` resolves, or `on_event` breaks, nothing is asked or started any more. Running jobs are
/// waited for, their failures still block, their events come as ever, and what is left in the end is
/// cancelled. If `stop` resolves at once, that is everything. To fail fast is to break at the first
/// [`Event::Failed`] or [`Event::Panicked`].
///
/// Dropping the returned future aborts the jobs at their next `await`, and `on_event` is not called any
/// more. What they have handed to other threads, and calls of `now` that are running, go on to their end.
///
/// # Panics
///
/// If there is no tokio runtime. Panics in `weight` and `on_event` are passed on, and abort the jobs
/// as well.
pub async fn run<N, T, E, F>(
    dag: Arc<Dag<N>>,
    jobs: NonZeroUsize,
    weight: impl FnMut(&N) -> u64,
    now: Option<Ask<N, T, E>>,
    mut later: impl FnMut(&N) -> F,
    on_event: impl FnMut(Event<'_, N>) -> ControlFlow<()> + Send + 'static,
    stop: impl Future<Output = ()>,
) -> BTreeMap<N, Outcome<N, T, E>>
where
    N: Ord + Clone + Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let has_asking = now.is_some();
    let queue = IndexQueue::new(&dag, jobs, weight, has_asking);
    let ledger = RunLedger::new(Arc::clone(&dag), queue, Box::new(on_event));
    let pool = Arc::new(Pool::new(Arc::clone(&dag), now, jobs, ledger));
    let _abandon = AbandonOnDrop(&pool);
    let mut running = Running::default();
    let mut stop = pin!(stop);
    let mut is_stopped = false;
    let mut has_begun = false;

    loop {
        let mut joined = tokio::select! {
            biased;
            () = &mut stop, if !is_stopped => {
                is_stopped = true;
                pool.lock().queue.stop();
                None
            }
            // Nothing runs at first: then this only lets the run begin.
            joined = running.futures.join_next_with_id(),
                if !has_begun || !running.futures.is_empty() => joined,
            () = pool.woken(), if has_asking && has_begun => None,
        };
        has_begun = true;
        if pool.is_poisoned() {
            if let Some(payload) = pool.take_panic() {
                resume_unwind(payload);
            }
            continue;
        }
        let mut ledger = pool.lock();
        // Everything that has ended by now counts for what starts next.
        while let Some(ended) = joined {
            running.settle(ended, &mut ledger);
            joined = running.futures.try_join_next_with_id();
        }
        let mut ledger = running.fill_slots(&pool, ledger, &dag, &mut later);
        pool.add_worker(&mut ledger);
        // A worker that leaves a node that needs a slot notifies this loop.
        let is_idle = ledger.n_workers == 0 && !ledger.queue.has_startable();
        if running.futures.is_empty() && is_idle && !pool.is_poisoned() {
            return ledger.close();
        }
    }
}

/// The futures that have a slot.
struct Running<T, E> {
    futures: JoinSet<Result<T, E>>,
    /// The index of the node that each is of.
    node_of: BTreeMap<Id, usize>,
}

impl<T, E> Default for Running<T, E> {
    fn default() -> Self {
        Self { futures: JoinSet::new(), node_of: BTreeMap::new() }
    }
}

impl<T: Send + 'static, E: Send + 'static> Running<T, E> {
    /// Makes the futures of the nodes that get a slot. The ledger is not locked meanwhile.
    fn fill_slots<'a, N: Ord + Clone, F>(
        &mut self,
        pool: &'a Pool<N, T, E>,
        mut ledger: MutexGuard<'a, RunLedger<N, T, E>>,
        dag: &Dag<N>,
        later: &mut impl FnMut(&N) -> F,
    ) -> MutexGuard<'a, RunLedger<N, T, E>>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        while let Some(idx) = ledger.start() {
            drop(ledger);
            let job = catch_unwind(AssertUnwindSafe(|| later(dag.node_at(idx))));
            ledger = pool.lock();
            match job {
                Ok(job) => {
                    self.node_of.insert(self.futures.spawn(job).id(), idx);
                }
                Err(payload) => ledger.panicked(idx, panic_message(payload)),
            }
        }
        ledger
    }

    /// Settles the node of a future that has ended.
    fn settle<N: Ord + Clone>(
        &mut self,
        ended: Result<(Id, Result<T, E>), JoinError>,
        ledger: &mut RunLedger<N, T, E>,
    ) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let idx = self.node_of.remove(&id).expect("every job was noted when it was spawned");
        match ended {
            Ok((_, result)) => ledger.settle(idx, result),
            Err(err) => ledger.panicked(idx, join_message(err)),
        }
    }
}

/// Lets a pool do nothing more when the run is dropped.
struct AbandonOnDrop<'a, N: Ord + Clone, T, E>(&'a Pool<N, T, E>);

impl<N: Ord + Clone, T, E> Drop for AbandonOnDrop<'_, N, T, E> {
    fn drop(&mut self) {
        self.0.lock().abandon();
    }
}

/// Returns the reason why a job gave no result.
fn join_message(err: JoinError) -> String {
    match err.try_into_panic() {
        Ok(payload) => panic_message(payload),
        // Only a runtime that shuts down can abort a job: no handle to one is ever given away.
        Err(_) => "the job was aborted".to_owned(),
    }
}
