//! Why there is no result at all.

use std::io;
use std::path::PathBuf;

use camino::Utf8PathBuf;

/// Why pytest could not be run.
///
/// That tests fail, that pytest refuses to start, dies, or takes too long is no error but a
/// [`PytestResult`](crate::PytestResult).
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum PytestError {
    /// The interpreter could not be started: it is not there, or cannot be executed.
    #[error("cannot start the Python interpreter `{python}` in `{root}`")]
    Start { python: Utf8PathBuf, root: Utf8PathBuf, source: io::Error },

    /// The interpreter works, but has no pytest.
    #[error("the Python interpreter `{python}` has no pytest")]
    NoPytest { python: Utf8PathBuf },

    /// A directory contains the character that separates the entries of `PYTHONPATH`.
    #[error("cannot put a directory into `PYTHONPATH`")]
    PythonPath { source: std::env::JoinPathsError },

    /// The private directory of the run, or a file in it, could not be made or read.
    #[error("cannot {action} `{}`, which the results of pytest come through", path.display())]
    Channel { action: &'static str, path: PathBuf, source: io::Error },

    /// The operating system would not tell how the process ended.
    #[error("cannot wait for the Python interpreter `{python}`")]
    Wait { python: Utf8PathBuf, source: io::Error },
}
