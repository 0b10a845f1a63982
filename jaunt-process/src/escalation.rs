//! When a child gets which signal.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::invocation::Limits;
use crate::output::OutputStream;

/// Why a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// It exited, or was killed by somebody else.
    Itself,
    /// It reached its time limit.
    TimeLimit,
    /// It wrote more to this stream than [`CaptureAll`](crate::Redirect::CaptureAll) allows.
    OutputLimit(OutputStream),
    /// The caller stopped it.
    Stop,
}

/// How long a killed child may take to disappear: it cannot while it waits for a dead disk.
const DEATH: Duration = Duration::from_secs(5);

/// How far we are in ending a child.
#[derive(Debug)]
pub(crate) struct Escalation {
    signals: &'static [Signal],
    grace: Duration,
    n_sent: usize,
    /// The first reason to end it.
    pub(crate) ended_by: EndedBy,
    /// When the next signal is due. `None` if it never is.
    pub(crate) due: Option<Instant>,
}

impl Escalation {
    /// Starts the clock.
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            signals: limits.ladder.signals(),
            grace: limits.grace,
            n_sent: 0,
            ended_by: EndedBy::Itself,
            due: limits.time.and_then(|time| Instant::now().checked_add(time)),
        }
    }

    /// Returns whether even SIGKILL has been sent.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.n_sent == self.signals.len()
    }

    /// Returns the first signal, unless one has been sent.
    pub(crate) fn begin(&mut self, reason: EndedBy) -> Option<Signal> {
        self.climb_to(1, reason)
    }

    /// Returns the signal that follows the last one.
    pub(crate) fn climb(&mut self, reason: EndedBy) -> Option<Signal> {
        self.climb_to(self.n_sent + 1, reason)
    }

    /// Returns SIGKILL, unless it has been sent.
    pub(crate) fn kill(&mut self, reason: EndedBy) -> Option<Signal> {
        self.climb_to(self.signals.len(), reason)
    }

    fn climb_to(&mut self, rung: usize, reason: EndedBy) -> Option<Signal> {
        if self.ended_by == EndedBy::Itself {
            self.ended_by = reason;
        }
        if rung <= self.n_sent {
            return None;
        }
        let signal = *self.signals.get(rung - 1)?;
        self.n_sent = rung;
        let patience = if self.is_exhausted() { DEATH } else { self.grace };
        self.due = Instant::now().checked_add(patience);
        Some(signal)
    }
}
