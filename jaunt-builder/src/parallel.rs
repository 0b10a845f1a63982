//! Work that is shared among all cores.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use crate::index::Idx;

/// Fewer items than this are not worth a thread.
const MIN_PER_THREAD: usize = 64;

/// Applies a function to every item, in chunks on all cores; the results are in order.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let chunk = items.len().div_ceil(cores()).max(MIN_PER_THREAD);
    if items.len() <= chunk {
        return items.iter().map(f).collect();
    }
    let f = &f;
    thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(chunk)
            .map(|chunk| scope.spawn(move || chunk.iter().map(f).collect::<Vec<R>>()))
            .collect();
        workers.into_iter().flat_map(join).collect()
    })
}

/// Returns how many threads so many items are worth, at least one.
pub(crate) fn threads_for(n_items: usize) -> usize {
    cores().min(n_items.div_ceil(MIN_PER_THREAD)).max(1)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Waits for a thread, and returns its result or goes on with its panic.
pub(crate) fn join<T>(worker: ScopedJoinHandle<'_, T>) -> T {
    worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
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

    /// All positions up to `len`.
    pub(crate) fn new(len: usize) -> Self {
        Self { len, next: AtomicUsize::new(0), index: PhantomData }
    }

    /// Returns what ends the work early when it is dropped.
    pub(crate) fn cancel_on_drop(&self) -> CancelOnDrop<'_, I> {
        CancelOnDrop(self)
    }

    /// Works until nothing is left.
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
    fn results_are_in_order() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|it| 2 * it).collect();
        assert_eq!(in_parallel(&items, |it| 2 * it), doubled);
    }

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
