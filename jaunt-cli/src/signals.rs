//! SIGINT and SIGTERM: the first one stops gently, the second one at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use jaunt_process::StopLevel;

/// The receiving ends know how urgent it is; see [`StopLevel`].
pub(crate) struct Signals {
    level: watch::Sender<StopLevel>,
    first: watch::Sender<Option<u8>>,
}

/// What was asked of the program so far. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    level: watch::Receiver<StopLevel>,
    first: watch::Receiver<Option<u8>>,
}

impl Signals {
    pub(crate) fn new() -> (Self, Stop) {
        let (level, level_rx) = watch::channel(StopLevel::Run);
        let (first, first_rx) = watch::channel(None);
        (Self { level, first }, Stop { level: level_rx, first: first_rx })
    }

    /// Listens, and never returns unless the handlers cannot be installed.
    pub(crate) async fn listen(self) -> io::Error {
        let installed = signal(SignalKind::interrupt())
            .and_then(|interrupt| Ok((interrupt, signal(SignalKind::terminate())?)));
        let (mut interrupt, mut terminate) = match installed {
            Ok(installed) => installed,
            Err(err) => return err,
        };
        loop {
            let number = tokio::select! {
                _ = interrupt.recv() => 2,
                _ = terminate.recv() => 15,
            };
            self.first.send_if_modified(|first| {
                let is_first = first.is_none();
                first.get_or_insert(number);
                is_first
            });
            self.level.send_modify(|level| {
                *level = match level {
                    StopLevel::Run => StopLevel::Terminate,
                    StopLevel::Terminate | StopLevel::Kill => StopLevel::Kill,
                };
            });
        }
    }
}

impl Stop {
    /// Returns the level of urgency, for processes that have to be told.
    pub(crate) fn level(&self) -> watch::Receiver<StopLevel> {
        self.level.clone()
    }

    /// Returns the number of the first signal, once there was one.
    pub(crate) fn signal(&self) -> Option<u8> {
        *self.first.borrow()
    }
}
