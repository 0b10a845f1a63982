//! How a run is asked to end.

use std::pin::Pin;

use tokio::sync::watch;

/// How a run is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopLevel {
    /// Not at all.
    #[default]
    Run,
    /// No new work. Children get the first signal of their ladder, and the next ones after their
    /// grace period.
    Terminate,
    /// Children get SIGKILL.
    Kill,
}

/// Where a run reads how it is asked to end. If the sender is gone, it never is.
pub type Stop = watch::Receiver<StopLevel>;

/// Whoever may ask one child to end.
pub(crate) enum StopRequests<'a, F> {
    Levels(Stop),
    /// [`StopLevel::Terminate`] as soon as it resolves.
    Once(Pin<&'a mut F>),
    /// Nobody any more.
    Over,
}

impl<F: Future<Output = ()>> StopRequests<'_, F> {
    /// Waits for the next request. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> StopLevel {
        match self {
            Self::Levels(stop) => {
                if stop.changed().await.is_ok() {
                    return *stop.borrow_and_update();
                }
            }
            Self::Once(stop) => {
                stop.as_mut().await;
                *self = Self::Over;
                return StopLevel::Terminate;
            }
            Self::Over => {}
        }
        std::future::pending().await
    }
}
