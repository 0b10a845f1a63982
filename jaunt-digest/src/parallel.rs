//! Independent jobs, run at once if the caller can.

use std::num::NonZeroUsize;

/// A job that [`Parallelism`] runs once.
pub type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// How independent jobs are run.
///
/// This crate starts no thread. A caller that has threads implements this trait with them;
/// [`Sequential`] is for everybody else. The results do not depend on it.
pub trait Parallelism {
    /// Returns how many jobs can run at once.
    fn width(&self) -> NonZeroUsize;

    /// Runs all jobs, in any order, and returns when the last one has ended.
    ///
    /// There are at most [`width`](Self::width) of them. A job that panics panics the caller.
    fn run(&self, jobs: Vec<Job<'_>>);
}

/// Runs one job after the other on the caller's thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequential;

impl Parallelism for Sequential {
    fn width(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn run(&self, jobs: Vec<Job<'_>>) {
        for job in jobs {
            job();
        }
    }
}

/// Runs jobs and returns their results, in the order of the jobs.
pub(crate) fn run_all<T: Send>(
    parallelism: &dyn Parallelism,
    jobs: Vec<impl FnOnce() -> T + Send>,
) -> Vec<T> {
    let mut results: Vec<Option<T>> = jobs.iter().map(|_| None).collect();
    let jobs = jobs
        .into_iter()
        .zip(&mut results)
        .map(|(job, result)| -> Job<'_> { Box::new(move || *result = Some(job())) });
    parallelism.run(jobs.collect());
    results.into_iter().map(|it| it.expect("`Parallelism::run` runs every job")).collect()
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Claims to run several jobs at once, and runs the last one first.
    pub(crate) struct Backwards(pub(crate) usize);

    impl Parallelism for Backwards {
        fn width(&self) -> NonZeroUsize {
            NonZeroUsize::new(self.0).unwrap()
        }

        fn run(&self, jobs: Vec<Job<'_>>) {
            assert!(jobs.len() <= self.0);
            for job in jobs.into_iter().rev() {
                job();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Backwards;
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs = || (0..3).map(|idx| move || idx).collect::<Vec<_>>();
        assert_eq!(run_all(&Sequential, jobs()), [0, 1, 2]);
        assert_eq!(run_all(&Backwards(3), jobs()), [0, 1, 2]);
    }
}
