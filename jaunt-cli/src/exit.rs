//! How the program ends.

/// How the program ends. The numbers are a promise to users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Success,
    /// A bug, or the machine.
    Machine,
    /// Configuration, registry, cycle, unknown target, wrong flags.
    Usage,
    /// Generation or validation failed.
    Generation,
    /// pytest failed, or `check` found something stale.
    Tests,
    /// A time limit ended the run.
    TimeLimit,
    /// Stopped by a signal, of this number.
    Signal(u8),
}

impl Exit {
    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Machine => 1,
            Self::Usage => 2,
            Self::Generation => 3,
            Self::Tests => 4,
            Self::TimeLimit => 5,
            Self::Signal(number) => 128 + number,
        }
    }
}
