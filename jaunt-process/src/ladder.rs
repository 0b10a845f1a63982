//! Which signals end a child.

use rustix::process::Signal;

/// The signals that end a child, weakest first. The last one of each ladder is SIGKILL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ladder {
    /// SIGTERM, then SIGKILL.
    Terminate,
    /// SIGINT, then SIGTERM, then SIGKILL: for programs that report what they have on Ctrl-C.
    Interrupt,
}

impl Ladder {
    /// Returns the signals, weakest first.
    pub(crate) fn signals(self) -> &'static [Signal] {
        match self {
            Self::Terminate => &[Signal::TERM, Signal::KILL],
            Self::Interrupt => &[Signal::INT, Signal::TERM, Signal::KILL],
        }
    }
}
