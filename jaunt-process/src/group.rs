//! The processes that belong to one child, as long as they run.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal};
use tokio::process::Child;

#[cfg(target_os = "linux")]
use crate::descendants;

/// The environment variable by which a child's own processes are known again after they have
/// left its process group.
pub(crate) const MARK: &str = "JAUNT_PROCESS";

/// A value of [`MARK`] that no other child has.
pub(crate) fn mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A child's process group. Dropped before [`finish`](Self::finish), it is killed.
pub(crate) struct Group {
    leader: Option<Pid>,
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux looks for it"))]
    mark: String,
}

impl Group {
    /// Takes charge of a child that was started as the leader of a group, with `mark` in its
    /// environment.
    pub(crate) fn new(child: &Child, mark: String) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Self { leader, mark }
    }

    /// Asks all of them to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Ends all of them, and those that left the group too, as far as they can be found.
    pub(crate) fn kill(&self) {
        #[cfg(target_os = "linux")]
        descendants::kill_marked(&self.mark);
        self.signal(Signal::KILL);
    }

    /// Ends what the leader has left behind, once it has been waited for.
    pub(crate) async fn finish(&mut self) {
        // The number of the group can be given away only now, and only if the group is empty:
        // that it comes round to somebody else's group within this instant takes as many new
        // processes as there are numbers.
        self.signal(Signal::KILL);
        self.leader = None;
        #[cfg(target_os = "linux")]
        descendants::bury(descendants::kill_marked(&self.mark)).await;
    }

    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // That nobody is left is what we want.
            rustix::process::kill_process_group(leader, signal).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.leader.is_some() {
            self.kill();
        }
    }
}
