//! Work that threads take a few positions at a time.

use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use crate::index::Idx;

/// The least number of items that are worth a thread.
const MIN_PER_THREAD: usize = 64;

/// Returns how many threads so many items are worth, at least one.
pub(crate) fn threads_for(n_items: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min(n_items.div_ceil(MIN_PER_THREAD)).max(1)
}

/// Waits for a thread, and returns its result or goes on with its panic.
pub(crate) fn join<T>(worker: ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// The rest of some work, of which each thread takes a few positions at a time.
pub(crate) struct WorkCursor<I> {
    len: usize,
    next: AtomicUsize,
    index: PhantomData<fn() -> I>,
}

/// Leaves no work to other threads when it is dropped.
pub(crate) struct CancelOnDrop<'a, I>(&'a WorkCursor<I>);

impl<I> Drop for CancelOnDrop<'_, I> {
    fn drop(&mut self) {
        self.0.next.store(self.0.len, Ordering::Relaxed);
    }
}

impl<I: Idx> WorkCursor<I> {
    /// How many positions a thread takes at a time.
    const BATCH: usize = 16;

    /// Makes a cursor over all positions below `len`.
    pub(crate) fn new(len: usize) -> Self {
        Self { len, next: AtomicUsize::new(0), index: PhantomData }
    }

    /// Returns what ends the work early when it is dropped.
    pub(crate) fn cancel_on_drop(&self) -> CancelOnDrop<'_, I> {
        CancelOnDrop(self)
    }

    /// Calls `work` with one position after another until none is left.
    pub(crate) fn each(&self, mut work: impl FnMut(I)) {
        loop {
            let from = self.next.fetch_add(Self::BATCH, Ordering::Relaxed);
            if from >= self.len {
                return;
            }
            (from..self.len.min(from + Self::BATCH)).map(I::new).for_each(&mut work);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::index::FileIdx;

    #[test]
    fn every_position_is_worked_on_once() {
        let cursor = WorkCursor::<FileIdx>::new(1000);
        let done = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| cursor.each(|idx| done.lock().unwrap().push(idx.number())));
            }
        });
        let mut done = done.into_inner().unwrap();
        done.sort_unstable();
        assert!(done.into_iter().eq(0..1000));
    }

    #[test]
    fn canceled_work_ends_with_the_batch_that_is_under_way() {
        let cursor = WorkCursor::<FileIdx>::new(1000);
        let mut cancel = Some(cursor.cancel_on_drop());
        let mut n_done = 0;
        cursor.each(|_| {
            drop(cancel.take());
            n_done += 1;
        });
        assert_eq!(n_done, WorkCursor::<FileIdx>::BATCH);
    }
}
