//! Work on all cores.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

use jaunt_digest::{Job, Parallelism};

/// The least number of items that are worth a thread.
const MIN_CHUNK: usize = 64;

/// Runs jobs on threads that end with the call.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    width: NonZeroUsize,
}

impl Threads {
    /// Takes as many threads as the machine, or the process's share of it, has cores.
    pub fn available() -> Self {
        Self { width: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN) }
    }
}

impl Parallelism for Threads {
    fn width(&self) -> NonZeroUsize {
        self.width
    }

    /// Runs the first job on the caller's thread, and the others on threads of their own.
    fn run(&self, jobs: Vec<Job<'_>>) {
        let mut jobs = jobs.into_iter();
        let Some(first) = jobs.next() else { return };
        thread::scope(|scope| {
            let workers: Vec<_> = jobs.map(|job| scope.spawn(job)).collect();
            first();
            for worker in workers {
                worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        });
    }
}

/// Applies a function to every item, in chunks on all cores; the results are in order.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = Threads::available();
    let chunk = items.len().div_ceil(threads.width.get()).max(MIN_CHUNK);
    if items.len() <= chunk {
        return items.iter().map(f).collect();
    }
    let mut results: Vec<Vec<R>> = Vec::new();
    results.resize_with(items.len().div_ceil(chunk), Vec::new);
    let jobs = items.chunks(chunk).zip(&mut results).map(|(chunk, results)| -> Job<'_> {
        let f = &f;
        Box::new(move || results.extend(chunk.iter().map(f)))
    });
    threads.run(jobs.collect());
    results.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use jaunt_digest::Registry;

    use super::*;

    fn threads(width: usize) -> Threads {
        Threads { width: NonZeroUsize::new(width).unwrap() }
    }

    #[test]
    fn jobs_run_at_once() {
        let barrier = Barrier::new(3);
        let wait = || -> Job<'_> {
            Box::new(|| {
                barrier.wait();
            })
        };
        threads(3).run(vec![wait(), wait(), wait()]);
        threads(3).run(Vec::new());
    }

    #[test]
    #[should_panic(expected = "the job panics")]
    fn a_panic_of_a_job_is_passed_on() {
        threads(2).run(vec![Box::new(|| {}), Box::new(|| panic!("the job panics"))]);
    }

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(in_parallel(&items, |idx| idx * 2), (0..2000).step_by(2).collect::<Vec<_>>());
        assert!(in_parallel(&items[..0], |idx| *idx).is_empty());
    }

    #[test]
    fn a_large_registry_is_the_same_on_any_number_of_threads() {
        let specs: Vec<String> = (0..20_000)
            .map(|idx| {
                format!(
                    r#"{{"kind": "magic", "spec_ref": "m:f{idx}", "module": "m", "qualname": "f{idx}",
                    "source_file": "m.py", "dependencies": ["m:f{}"]}}"#,
                    idx / 2,
                )
            })
            .collect();
        let text = format!(r#"{{"version": 1, "specs": [{}]}}"#, specs.join(","));
        let sequential = Registry::from_json(text.as_bytes()).unwrap();
        for width in [1, 2, 5] {
            let parallel = Registry::from_json_with(text.as_bytes(), &threads(width)).unwrap();
            assert_eq!(parallel, sequential);
        }
    }
}
