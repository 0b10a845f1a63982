//! The two sizes of a campaign.

/// How much of a campaign is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// All that `docs/reliability.md` says.
    Full,
    /// What fits into CI.
    Short,
}

impl Size {
    pub(super) fn pick<T>(self, full: T, short: T) -> T {
        match self {
            Self::Full => full,
            Self::Short => short,
        }
    }
}
