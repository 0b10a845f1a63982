use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use jaunt_dag::Dag;

use crate::ledger::{Ledger, text};
use crate::run::{Event, Outcome};

#[cfg(test)]
mod tests;

/// Runs one job for each node as [`run`](crate::run) does, for jobs that block: on as many threads as
/// may be busy at once.
///
/// A thread whose job has ended takes the next one itself, so nothing is handed over and nobody is
/// woken for it. That makes a difference for jobs that take less than a millisecond.
///
/// `on_event` is called by whichever thread has something to tell, one at a time and in order.
/// `is_stopped` is asked before a job starts; once it says so, nothing starts any more, as after
/// `stop`.
///
/// The calling thread is one of those that work. If the system gives fewer of them than wanted, so be
/// it; but it may give more than are good for it, and `jobs` is taken at its word.
///
/// # Panics
///
/// Panics in `weight`, `on_event` and `is_stopped` are passed on, when the jobs that were running have
/// ended.
pub fn run_on_threads<N, T, E>(
    dag: &Dag<N>,
    jobs: NonZeroUsize,
    weight: impl FnMut(&N) -> u64,
    job: impl Fn(&N) -> Result<T, E> + Sync,
    on_event: impl FnMut(Event<'_, N>) -> ControlFlow<()> + Send,
    is_stopped: impl Fn() -> bool + Sync,
) -> BTreeMap<N, Outcome<N, T, E>>
where
    N: Ord + Clone + Send + Sync,
    T: Send,
    E: Send,
{
    let ledger = Ledger::new(dag, jobs, weight, on_event);
    let crew = Crew {
        dag,
        job,
        is_stopped,
        state: Mutex::new(State { ledger, n_idle: 0 }),
        bell: Condvar::new(),
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..jobs.get().min(dag.len()))
            .map_while(|_| thread::Builder::new().spawn_scoped(scope, || crew.work()).ok())
            .collect();
        crew.work();
        for other in others {
            other.join().unwrap_or_else(|payload| resume_unwind(payload));
        }
    });
    crew.state.into_inner().unwrap_or_else(PoisonError::into_inner).ledger.close()
}

/// Threads that take one job after the other.
struct Crew<'dag, N, T, E, J, S, P> {
    dag: &'dag Dag<N>,
    job: J,
    is_stopped: P,
    /// Poisoned by a panic that is not a job's: then everybody leaves.
    state: Mutex<State<'dag, N, T, E, S>>,
    /// Rung when there may be something to do for who is idle, or nothing any more.
    bell: Condvar,
}

struct State<'dag, N, T, E, S> {
    ledger: Ledger<'dag, N, T, E, S>,
    n_idle: usize,
}

/// Lets everybody see, when it is dropped, that somebody has left.
struct Leaving<'a>(&'a Condvar);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.notify_all();
    }
}

impl<N, T, E, J, S, P> Crew<'_, N, T, E, J, S, P>
where
    N: Ord + Clone,
    J: Fn(&N) -> Result<T, E>,
    S: FnMut(Event<'_, N>) -> ControlFlow<()>,
    P: Fn() -> bool,
{
    /// Takes jobs until there are none, or somebody has panicked.
    fn work(&self) {
        let _leaving = Leaving(&self.bell);
        let Ok(mut state) = self.state.lock() else { return };
        loop {
            if (self.is_stopped)() {
                state.ledger.queue.stop();
            }
            let Some(idx) = state.ledger.queue.pop_at() else {
                if state.ledger.queue.n_running() == 0 {
                    return;
                }
                state.n_idle += 1;
                let Ok(woken) = self.bell.wait(state) else { return };
                state = woken;
                state.n_idle -= 1;
                continue;
            };
            let node = self.dag.node_at(idx);
            state.ledger.tell(Event::Started { node });
            let is_help_wanted = state.n_idle > 0 && state.ledger.queue.has_next();
            drop(state);
            if is_help_wanted {
                self.bell.notify_one();
            }
            let ended = catch_unwind(AssertUnwindSafe(|| (self.job)(node)));
            let Ok(locked) = self.state.lock() else { return };
            state = locked;
            match ended {
                Ok(Ok(value)) => state.ledger.succeeded(idx, value),
                Ok(Err(err)) => state.ledger.failed(idx, err),
                Err(payload) => state.ledger.panicked(idx, text(payload)),
            }
        }
    }
}
