//! One sync for all who wait for the same directory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use cap_std::fs::Dir;

use crate::sys;

/// The directories that are being synced, and those that were.
///
/// Who has changed a directory needs a sync that begins after the change, whoever makes it. While one
/// is under way, those who come share the next.
#[derive(Debug, Default)]
pub(crate) struct Syncs {
    groups: Mutex<BTreeMap<(u64, u64), Arc<Group>>>,
}

impl Syncs {
    /// Makes sure that what was done in a [readable](sys::readable) directory survives a power cut.
    pub(crate) fn sync(&self, dir: &Dir) -> io::Result<()> {
        match sys::identity(dir) {
            Some(identity) => {
                let group = Arc::clone(lock(&self.groups).entry(identity).or_default());
                group.sync(|| sys::sync_dir(dir))
            }
            None => sys::sync_dir(dir),
        }
    }
}

/// Those who sync one directory.
#[derive(Debug, Default)]
struct Group {
    rounds: Mutex<Rounds>,
    /// One for those who share a round, and one for those who come during that round and share the
    /// next: by the last bit of the number of the round.
    bells: [Condvar; 2],
}

/// Syncs are counted from 1.
#[derive(Debug, Default)]
struct Rounds {
    begun: u64,
    ended: u64,
    /// The last one that failed, and why.
    failed: Option<(u64, Fault)>,
    /// How many wait at each bell.
    waiting: [usize; 2],
}

/// An error that can be given to several.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Os(i32),
    Other(io::ErrorKind),
}

impl Group {
    /// Returns when a sync has ended that began after this was called.
    fn sync(&self, call: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut rounds = lock(&self.rounds);
        let wanted = rounds.begun + 1;
        let (own, next) = if wanted.is_multiple_of(2) { (0, 1) } else { (1, 0) };
        while rounds.begun > rounds.ended && rounds.ended < wanted {
            rounds.waiting[own] += 1;
            rounds = self.bells[own].wait(rounds).unwrap_or_else(PoisonError::into_inner);
            rounds.waiting[own] -= 1;
        }
        if rounds.ended >= wanted {
            return rounds.result_since(wanted);
        }
        rounds.begun = wanted;
        drop(rounds);
        let result = call();
        let mut rounds = lock(&self.rounds);
        rounds.ended = wanted;
        if let Err(err) = &result {
            rounds.failed = Some((wanted, Fault::of(err)));
        }
        // To wake nobody is a system call, too.
        let waiting = rounds.waiting;
        drop(rounds);
        if waiting[own] > 0 {
            self.bells[own].notify_all();
        }
        // One of them makes the next sync, and the others sleep on.
        if waiting[next] > 0 {
            self.bells[next].notify_one();
        }
        result
    }
}

impl Rounds {
    /// The failure of this round or a later one: the kernel tells of a failure only once.
    fn result_since(&self, round: u64) -> io::Result<()> {
        match self.failed {
            Some((failed, fault)) if failed >= round => Err(fault.into()),
            _ => Ok(()),
        }
    }
}

impl Fault {
    fn of(err: &io::Error) -> Self {
        err.raw_os_error().map_or(Self::Other(err.kind()), Self::Os)
    }
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Os(number) => Self::from_raw_os_error(number),
            Fault::Other(kind) => kind.into(),
        }
    }
}

/// Nothing that is done under these locks can be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::thread;

    use super::*;

    /// Five come while a sync is under way, which is let go when all of them wait. Returns how many
    /// syncs were made, and who failed, where those after the first end so.
    fn five_behind_one(result: fn() -> io::Result<()>) -> (u64, usize) {
        let group = Group::default();
        let n_syncs = AtomicU64::new(0);
        let has_begun = Barrier::new(2);
        let may_end = Barrier::new(2);
        let n_failed = thread::scope(|scope| {
            let first = scope.spawn(|| {
                group.sync(|| {
                    n_syncs.fetch_add(1, Ordering::Relaxed);
                    has_begun.wait();
                    may_end.wait();
                    Ok(())
                })
            });
            has_begun.wait();
            let others = [(); 5].map(|()| {
                scope.spawn(|| {
                    group.sync(|| {
                        n_syncs.fetch_add(1, Ordering::Relaxed);
                        result()
                    })
                })
            });
            while lock(&group.rounds).waiting.iter().sum::<usize>() < 5 {
                thread::yield_now();
            }
            may_end.wait();
            assert!(first.join().unwrap().is_ok());
            others.into_iter().filter_map(|it| it.join().unwrap().err()).count()
        });
        (n_syncs.into_inner(), n_failed)
    }

    #[test]
    fn those_who_come_during_a_sync_share_the_next_one() {
        assert_eq!(five_behind_one(|| Ok(())), (2, 0));
    }

    #[test]
    fn those_who_share_a_sync_share_its_failure() {
        assert_eq!(five_behind_one(|| Err(io::Error::from_raw_os_error(5))), (2, 5));
    }

    #[test]
    fn a_failure_is_over_when_the_next_sync_begins() {
        let group = Group::default();
        assert!(group.sync(|| Err(io::ErrorKind::StorageFull.into())).is_err());
        assert!(group.sync(|| Ok(())).is_ok());
    }

    #[test]
    fn nobody_relies_on_a_sync_that_began_before() {
        let group = Group::default();
        // What was changed, and how much of that some sync has seen in its beginning.
        let changed = AtomicU64::new(0);
        let synced = AtomicU64::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..2000 {
                        let own = changed.fetch_add(1, Ordering::SeqCst) + 1;
                        let sync = || {
                            let seen = changed.load(Ordering::SeqCst);
                            thread::yield_now();
                            synced.fetch_max(seen, Ordering::SeqCst);
                            Ok(())
                        };
                        group.sync(sync).unwrap();
                        assert!(synced.load(Ordering::SeqCst) >= own);
                    }
                });
            }
        });
    }
}
