//! Processes below this one, wherever they have gone.
//!
//! A process can leave its group and its session, and lose its parent. What it keeps, unless it
//! takes trouble, is its environment; and once we are a *subreaper*, what lost its parent becomes
//! our child. So it is looked for among our descendants, by a mark in its environment.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

use crate::group::MARK;

/// The number of a process. Unlike rustix's [`Pid`], it has an order.
type Number = i32;

/// More processes than this are not looked at: something is wrong with such a tree.
const MANY: usize = 10_000;

/// Makes this process a subreaper (prctl(2), `PR_SET_CHILD_SUBREAPER`).
pub(crate) fn adopt_orphans() {
    // On a kernel that cannot, orphans are as lost as they were before.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).ok();
}

/// Kills every descendant with this mark, and returns them.
pub(crate) fn kill_marked(mark: &str) -> BTreeSet<Number> {
    let entry = format!("{MARK}={mark}");
    kill(|number| {
        let environ = fs::read(format!("/proc/{number}/environ"));
        environ.is_ok_and(|it| it.split(|byte| *byte == 0).any(|var| var == entry.as_bytes()))
    })
}

/// Kills every descendant.
pub(crate) fn kill_all() {
    kill(|_| true);
}

/// Waits for dead children that nobody else waits for. Gives up soon: then they stay zombies
/// until we end.
pub(crate) async fn bury(mut dead: BTreeSet<Number>) {
    for _ in 0..100 {
        // Whoever is not our child has somebody else who waits for it.
        dead.retain(|number| {
            let pid = Pid::from_raw(*number);
            matches!(rustix::process::waitpid(pid, WaitOptions::NOHANG), Ok(None))
        });
        if dead.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Kills the chosen ones, until there are no more: one may start another before it dies.
fn kill(is_chosen: impl Fn(Number) -> bool) -> BTreeSet<Number> {
    let mut killed = BTreeSet::new();
    loop {
        let mut chosen = descendants();
        chosen.retain(|number| !killed.contains(number) && is_chosen(*number));
        if chosen.is_empty() || killed.len() > MANY {
            return killed;
        }
        for number in chosen {
            // Asked again with the process in hand: the number may be another's by now.
            if let Some(pid) = Pid::from_raw(number)
                && let Ok(process) = rustix::process::pidfd_open(pid, PidfdFlags::empty())
                && is_chosen(number)
            {
                rustix::process::pidfd_send_signal(&process, Signal::KILL).ok();
            }
            killed.insert(number);
        }
    }
}

/// All processes below this one, each before its own children.
fn descendants() -> Vec<Number> {
    let mut found = children(rustix::process::getpid().as_raw_nonzero().get());
    let mut seen: BTreeSet<Number> = found.iter().copied().collect();
    let mut at = 0;
    while at < found.len() && found.len() < MANY {
        found.extend(children(found[at]).into_iter().filter(|number| seen.insert(*number)));
        at += 1;
    }
    found
}

/// The children of all threads of a process, from `/proc/PID/task/TID/children` (proc(5)).
fn children(parent: Number) -> Vec<Number> {
    let Ok(threads) = fs::read_dir(format!("/proc/{parent}/task")) else { return Vec::new() };
    let mut numbers = Vec::new();
    for thread in threads.flatten() {
        if let Ok(list) = fs::read_to_string(thread.path().join("children")) {
            numbers
                .extend(list.split_ascii_whitespace().filter_map(|it| it.parse::<Number>().ok()));
        }
    }
    numbers
}
