//! The lock on a project's writes.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use camino::Utf8Path;
use jaunt_builder::Survey;
use jaunt_write::{Lock, LockAttempt, Tree, WriteError};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::notice::Notice;
use crate::state::{self, ENGINE_DIR, LOCK};

/// How often a waiting process looks whether it may go on.
const POLL: Duration = Duration::from_millis(50);

/// The right to write into a project, held by one process at a time.
pub(crate) enum ProjectLock {
    /// Nobody else writes until this is dropped.
    Held(#[expect(dead_code, reason = "it is released when it is dropped")] Lock),
    /// Nothing is to be written.
    NotNeeded,
    /// The engine's folder cannot be written. Commands that write nothing continue.
    Unavailable(WriteError),
}

impl Engine {
    /// Takes the lock on the project's writes, under the name `holder`, and waits for whoever has it.
    pub(crate) async fn lock(&self, holder: &str, wait: bool) -> Result<ProjectLock, EngineError> {
        let file = Utf8Path::new(LOCK);
        let tree = match state::engine_dir(self.root()) {
            Ok(tree) => tree,
            Err(err) if is_read_only(&err) => return Ok(ProjectLock::Unavailable(err)),
            Err(err) => return Err(err.into()),
        };
        let mut was_told = false;
        loop {
            let holder = match tree.try_lock(file, holder) {
                Ok(LockAttempt::Acquired(lock)) => return Ok(ProjectLock::Held(lock)),
                Ok(LockAttempt::Held { by }) => by,
                Err(err) if is_read_only(&err) => return Ok(ProjectLock::Unavailable(err)),
                Err(err) => return Err(err.into()),
            };
            if !wait {
                return Err(EngineError::Locked { holder });
            }
            if !was_told {
                was_told = true;
                self.notice(Notice::WaitingForLock { holder: &holder });
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = self.stopped() => return Err(EngineError::StoppedWaiting),
            }
        }
    }
}

fn is_read_only(err: &WriteError) -> bool {
    matches!(err, WriteError::Io { source, .. } if matches!(
        source.kind(),
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied
    ))
}

impl ProjectLock {
    /// Fails if writing is about to begin without the lock.
    pub(crate) fn ensure(self) -> Result<Self, WriteError> {
        match self {
            Self::Unavailable(err) => Err(err),
            lock => Ok(lock),
        }
    }

    /// Removes the temporary files of killed runs. Only the holder of the lock may: they may belong
    /// to a run that goes on.
    pub(crate) fn sweep(&self, project: &Survey) -> Result<(), WriteError> {
        let trees = project.modules().values().map(|module| module.destination.tree());
        self.sweep_trees(project.root(), trees.collect())
    }

    /// Does the same in these directories and the engine's own.
    pub(crate) fn sweep_trees(
        &self,
        root: &Utf8Path,
        mut trees: BTreeSet<&Utf8Path>,
    ) -> Result<(), WriteError> {
        let Self::Held(_) = self else { return Ok(()) };
        trees.insert(Utf8Path::new(ENGINE_DIR));
        for path in trees {
            // A tree that cannot be opened fails its own modules, by name.
            if let Ok(Some(tree)) = Tree::open(root, path) {
                tree.sweep()?;
            }
        }
        Ok(())
    }

    /// Returns whether this process may write.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}
