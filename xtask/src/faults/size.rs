//! How much of a campaign is run.

/// The size of a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// The figures in `docs/reliability.md` are from this size.
    Full,
    /// Short enough for CI.
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
