//! The processes that belong to one child, as long as they run.

use rustix::process::{Pid, Signal};
use tokio::process::Child;

#[cfg(target_os = "linux")]
use crate::descendants;
use crate::mark::Mark;

/// A child's process group. If it is dropped before [`finish`](Self::finish) or
/// [`abandon`](Self::abandon), it is killed.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Option<Pid>,
    /// Finds what left the group. `None` if that is not looked for.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux looks for it"))]
    mark: Option<Mark>,
}

impl ProcessGroup {
    /// Takes charge of a child that was started as the leader of a group, with `mark` in its
    /// environment.
    pub(crate) fn new(child: &Child, mark: Option<Mark>) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Self { leader, mark }
    }

    /// Sends a signal to the group. SIGKILL also goes to what left the group, if it can be found.
    pub(crate) fn signal(&self, signal: Signal) {
        #[cfg(target_os = "linux")]
        if signal == Signal::KILL
            && let Some(mark) = &self.mark
        {
            descendants::kill_marked(mark);
        }
        self.signal_group(signal);
    }

    /// Kills what the leader has left running, once the leader has been waited for.
    pub(crate) async fn finish(&mut self) {
        // From now on the id of the group can be reused, and only if the group is empty. That it
        // becomes another group's within this instant takes as many new processes as there are ids.
        self.signal_group(Signal::KILL);
        self.leader = None;
        #[cfg(target_os = "linux")]
        if let Some(mark) = &self.mark {
            descendants::reap(descendants::kill_marked(mark)).await;
        }
    }

    /// Leaves alone what the leader has left running.
    pub(crate) fn abandon(&mut self) {
        self.leader = None;
    }

    fn signal_group(&self, signal: Signal) {
        if let Some(leader) = self.leader {
            // An error means that nobody is left, which is what the signal is for.
            rustix::process::kill_process_group(leader, signal).ok();
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if self.leader.is_some() {
            self.signal(Signal::KILL);
        }
    }
}
