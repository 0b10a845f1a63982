//! Why a run has no result.

use std::io;
use std::time::Duration;

use crate::output::OutputStream;

/// Why there is no [`Finished`](crate::Finished).
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum ProcessError {
    /// The program could not be started.
    #[error("cannot start `{program}`")]
    Start { program: String, source: io::Error },
    /// The operating system lost the child.
    #[error("cannot wait for `{program}`")]
    Wait { program: String, source: io::Error },
    /// The time limit ended it. `stderr` is what was captured of its standard error.
    #[error("`{program}` did not finish within {} s", .limit.as_secs_f64())]
    TimedOut { program: String, limit: Duration, stderr: Vec<u8> },
    /// The limit for one of its streams, in bytes, ended it. `stderr` is what was captured of its
    /// standard error.
    #[error("`{program}` wrote more than {limit} bytes to its {stream}")]
    Flooded { program: String, stream: OutputStream, limit: usize, stderr: Vec<u8> },
    /// The caller stopped it, or never let it start.
    #[error("stopped")]
    Stopped,
}
