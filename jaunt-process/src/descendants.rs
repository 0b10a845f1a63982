//! Processes below this one, wherever they have gone.
//!
//! A process can leave its group and its session, and lose its parent. It keeps its environment,
//! unless it takes trouble; and once we are a *subreaper*, a process that lost its parent becomes
//! our child. So a child's processes are found among our descendants, by a mark in their
//! environment.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use crate::mark::{Mark, VARIABLE};

/// A process id. Unlike rustix's [`Pid`], it has an order.
type RawPid = i32;

/// The most processes that are looked at. A larger tree is out of control.
const MAX_PROCESSES: usize = 10_000;

/// Makes this process a subreaper (prctl(2), `PR_SET_CHILD_SUBREAPER`).
pub(crate) fn adopt_orphans() {
    // On a kernel that cannot, orphans are as lost as they were before.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
}

/// Kills every descendant with this mark, and returns them.
pub(crate) fn kill_marked(mark: &Mark) -> BTreeSet<RawPid> {
    let entry = format!("{VARIABLE}={}", mark.0);
    kill(|raw| {
        let environ = fs::read(format!("/proc/{raw}/environ"));
        environ.is_ok_and(|it| it.split(|byte| *byte == 0).any(|var| var == entry.as_bytes()))
    })
}

/// Kills every descendant.
pub(crate) fn kill_all() {
    kill(|_| true);
}

/// Waits for killed processes that have become our children, so that they do not stay zombies.
/// Gives up after about 100 ms: what is left then stays a zombie until we end.
pub(crate) async fn reap(mut killed: BTreeSet<RawPid>) {
    for _ in 0..100 {
        // A process that is not our child is waited for by its own parent.
        killed.retain(|raw| {
            let pid = Pid::from_raw(*raw);
            matches!(rustix::process::waitpid(pid, WaitOptions::NOHANG), Ok(None))
        });
        if killed.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Kills the chosen processes until there are no more: one may start another before it dies.
fn kill(is_chosen: impl Fn(RawPid) -> bool) -> BTreeSet<RawPid> {
    let mut killed = BTreeSet::new();
    loop {
        let mut chosen = descendants();
        chosen.retain(|raw| !killed.contains(raw) && is_chosen(*raw));
        if chosen.is_empty() || killed.len() > MAX_PROCESSES {
            return killed;
        }
        for raw in chosen {
            // Asked again once we hold the process: the id may be another's by now.
            if let Some(pid) = Pid::from_raw(raw)
                && let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty())
                && is_chosen(raw)
            {
                rustix::process::pidfd_send_signal(&process, Signal::KILL).ok();
            }
            killed.insert(raw);
        }
    }
}

/// Returns all processes below this one, each before its own children.
fn descendants() -> Vec<RawPid> {
    let mut found = children(rustix::process::getpid().as_raw_nonzero().get());
    let mut seen: BTreeSet<RawPid> = found.iter().copied().collect();
    let mut at = 0;
    while at < found.len() && found.len() < MAX_PROCESSES {
        found.extend(children(found[at]).into_iter().filter(|raw| seen.insert(*raw)));
        at += 1;
    }
    found
}

/// Returns the children of all threads of a process, from `/proc/PID/task/TID/children` (proc(5)).
fn children(parent: RawPid) -> Vec<RawPid> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
    let mut pids = Vec::new();
    for thread in threads.flatten() {
        if let Ok(list) = fs::read_to_string(thread.path().join("children")) {
            pids.extend(list.split_ascii_whitespace().filter_map(|it| it.parse::<RawPid>().ok()));
        }
    }
    pids
}
