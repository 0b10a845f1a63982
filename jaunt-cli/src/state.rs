//! The engine's own folder, `.jaunt/engine/`, and the lock on a project's writes.

use std::collections::BTreeSet;
use std::io;

use camino::Utf8Path;
use jaunt_builder::Project;
use jaunt_write::{Lock, LockAttempt, Tree, WriteError};

use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::project::Session;
use crate::ui::Tone;

/// Where the engine's own files are, below the project root.
pub(crate) const ENGINE_DIR: &str = ".jaunt/engine";

/// The file that stands for the lock, in there.
pub(crate) const LOCK: &str = "lock";

/// How often a waiting process looks whether it may go on.
const POLL: std::time::Duration = std::time::Duration::from_millis(50);

/// Opens the engine's folder, which is made with a `.gitignore` of its own.
pub(crate) fn engine_dir(root: &Utf8Path) -> Result<Tree, WriteError> {
    Tree::create(root, Utf8Path::new(".jaunt"))?;
    let tree = Tree::create(root, Utf8Path::new(ENGINE_DIR))?;
    tree.create_new(Utf8Path::new(".gitignore"), b"*\n")?;
    Ok(tree)
}

/// Opens the engine's folder where there is one, for those who only read.
pub(crate) fn existing_engine_dir(root: &Utf8Path) -> Option<Tree> {
    // Whatever is wrong with it concerns those who write.
    Tree::open(root, Utf8Path::new(ENGINE_DIR)).ok().flatten()
}

/// The tests that failed last time, one node id a line.
const FAILED_TESTS: &str = "failed-tests.txt";

/// The tests that failed in the last run of pytest.
pub(crate) fn failed_tests(root: &Utf8Path) -> Vec<String> {
    let text = existing_engine_dir(root)
        .and_then(|tree| tree.read(Utf8Path::new(FAILED_TESTS)).ok()?)
        .and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Keeps the tests that failed. A node id with a line feed in it is left out: the file could not say
/// where it ends.
pub(crate) fn keep_failed_tests(root: &Utf8Path, tests: &[String]) -> Result<(), WriteError> {
    let tests = tests.iter().filter(|test| !test.contains(['\n', '\r']));
    let text: String = tests.map(|test| format!("{test}\n")).collect();
    let tree = engine_dir(root)?;
    if text.is_empty() {
        tree.remove(Utf8Path::new(FAILED_TESTS)).map(drop)
    } else {
        tree.write(Utf8Path::new(FAILED_TESTS), text.as_bytes())
    }
}

/// The right to write into a project, held by one process at a time.
pub(crate) enum ProjectLock {
    /// Nobody else writes until this is dropped.
    Held(#[expect(dead_code, reason = "it is released when it is dropped")] Lock),
    /// Nothing is to be written.
    NotNeeded,
    /// The engine's folder cannot be written. Whoever has nothing to write goes on all the same.
    Unavailable(WriteError),
}

/// Takes the lock on a project's writes, and waits for whoever has it.
///
/// Signals end the waiting.
pub(crate) async fn lock(
    session: &Session,
    root: &Utf8Path,
    holder: &str,
    no_wait: bool,
) -> CommandResult<ProjectLock> {
    let file = Utf8Path::new(LOCK);
    let tree = match engine_dir(root) {
        Ok(tree) => tree,
        Err(err) if is_read_only(&err) => return Ok(ProjectLock::Unavailable(err)),
        Err(err) => return Err(err.into()),
    };
    let mut has_said = false;
    loop {
        let by = match tree.try_lock(file, holder) {
            Ok(LockAttempt::Acquired(lock)) => return Ok(ProjectLock::Held(lock)),
            Ok(LockAttempt::Held { by }) => by,
            Err(err) if is_read_only(&err) => return Ok(ProjectLock::Unavailable(err)),
            Err(err) => return Err(err.into()),
        };
        if no_wait {
            return Err(CommandError::new(
                ErrorKind::Locked,
                format!("{by} is writing to this project"),
            )
            .hint("without `--no-wait`, jaunt waits until it is done"));
        }
        if !has_said {
            has_said = true;
            session.ui.labelled(Tone::Note, "waiting", format!("for {by} to finish"));
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            () = session.stop.requested() => {
                return Err(CommandError::new(
                    ErrorKind::Interrupted(session.stop.signal().unwrap_or(2)),
                    "stopped while waiting for another jaunt",
                ));
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
    /// Fails where writing is about to begin without the lock.
    pub(crate) fn require(self) -> CommandResult<Self> {
        match self {
            Self::Unavailable(err) => Err(err.into()),
            lock => Ok(lock),
        }
    }

    /// Removes the temporary files of killed runs. Only the holder of the lock may: they may belong
    /// to a run that goes on.
    pub(crate) fn sweep(&self, project: &Project) -> CommandResult<()> {
        let trees = project.modules().values().map(|module| module.destination.tree());
        self.sweep_trees(project.root(), trees.collect())
    }

    /// The same in these directories and the engine's own.
    pub(crate) fn sweep_trees(
        &self,
        root: &Utf8Path,
        mut trees: BTreeSet<&Utf8Path>,
    ) -> CommandResult<()> {
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

    /// Whether this process may write.
    pub(crate) fn is_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }
}
