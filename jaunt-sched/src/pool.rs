use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jaunt_dag::Dag;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::ledger::RunLedger;
use crate::outcome::panic_message;

/// What a node answers when it is asked, before it takes a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<T, E> {
    /// The job is done, with this result. It takes no slot.
    Now(Result<T, E>),
    /// The job is a future, which needs a slot.
    Later,
}

/// Asks a node. It may block, and is called on several threads at once.
pub type Ask<N, T, E> = Arc<dyn Fn(&N) -> Answer<T, E> + Send + Sync>;

/// More threads than this only wait for the disk, each with a stack of its own.
const MAX_WORKERS: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// The ledger of a run, shared with the threads that ask its nodes.
///
/// A worker takes one node after the other from the queue and settles it itself, so nothing is handed
/// over, and nobody is woken for a node that is answered now. It is a task on the blocking pool of
/// tokio; it ends when there is nothing to ask, and whoever finds more to ask than it can do adds one.
pub(crate) struct Pool<N, T, E> {
    dag: Arc<Dag<N>>,
    ask: Option<Ask<N, T, E>>,
    max_workers: NonZeroUsize,
    /// Poisoned by a panic in `on_event`: then all workers leave.
    ledger: Mutex<RunLedger<N, T, E>>,
    /// What `on_event` panicked with on a worker.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Tells the loop of the run that a node needs a slot, or that the last worker has left.
    wakeup: Notify,
}

impl<N, T, E> Pool<N, T, E>
where
    N: Ord + Clone,
{
    pub(crate) fn new(
        dag: Arc<Dag<N>>,
        ask: Option<Ask<N, T, E>>,
        jobs: NonZeroUsize,
        ledger: RunLedger<N, T, E>,
    ) -> Self {
        Self {
            dag,
            ask,
            max_workers: jobs.min(MAX_WORKERS),
            ledger: Mutex::new(ledger),
            panic: Mutex::new(None),
            wakeup: Notify::new(),
        }
    }

    /// Completes when a worker has something for the loop of the run.
    pub(crate) async fn woken(&self) {
        self.wakeup.notified().await;
    }

    /// Locks the ledger. Poisoning is left to [`take_panic`](Self::take_panic).
    pub(crate) fn lock(&self) -> MutexGuard<'_, RunLedger<N, T, E>> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether `on_event` has panicked on a worker, or is about to be seen to have.
    pub(crate) fn is_poisoned(&self) -> bool {
        self.ledger.is_poisoned()
    }

    /// Takes what `on_event` panicked with on a worker, once all workers have left.
    pub(crate) fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        if self.lock().n_workers > 0 {
            return None;
        }
        self.panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<N, T, E> Pool<N, T, E>
where
    N: Ord + Clone + Send + Sync + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// Adds a worker if there is something to ask, and room for one.
    pub(crate) fn add_worker(self: &Arc<Self>, ledger: &mut RunLedger<N, T, E>) {
        if self.wants_worker(ledger) {
            ledger.n_workers += 1;
            self.spawn();
        }
    }

    fn wants_worker(&self, ledger: &RunLedger<N, T, E>) -> bool {
        ledger.queue.has_unasked() && ledger.n_workers < self.max_workers.get()
    }

    /// Starts a worker that was counted already.
    fn spawn(self: &Arc<Self>) {
        let pool = Arc::clone(self);
        Handle::current().spawn_blocking(move || pool.work());
    }

    fn work(self: &Arc<Self>) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.ask_all())) {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(payload);
            self.leave(&mut self.lock());
        }
    }

    fn leave(&self, ledger: &mut RunLedger<N, T, E>) {
        ledger.n_workers -= 1;
        if ledger.n_workers == 0 {
            self.wakeup.notify_one();
        }
    }

    /// Asks one node after the other until there is nothing to ask, or `on_event` has panicked.
    fn ask_all(self: &Arc<Self>) {
        let ask = self.ask.as_ref().expect("only a run that asks has workers");
        let mut ledger = self.lock();
        loop {
            let next = if self.is_poisoned() { None } else { ledger.queue.ask() };
            let Some(idx) = next else {
                // Under the same lock as the look at the queue, so that nobody counts on this worker.
                self.leave(&mut ledger);
                return;
            };
            let wants_worker = self.wants_worker(&ledger);
            ledger.n_workers += usize::from(wants_worker);
            drop(ledger);
            if wants_worker {
                self.spawn();
            }
            let answer = catch_unwind(AssertUnwindSafe(|| ask(self.dag.node_at(idx))));
            ledger = self.lock();
            if self.is_poisoned() {
                continue;
            }
            match answer {
                Ok(Answer::Now(result)) => ledger.settle(idx, result),
                Ok(Answer::Later) => {
                    ledger.queue.defer(idx);
                    if ledger.queue.has_startable() {
                        self.wakeup.notify_one();
                    }
                }
                Err(payload) => ledger.panicked(idx, panic_message(payload)),
            }
        }
    }
}
