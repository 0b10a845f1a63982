//! Why there is no backend.

use crate::name::BackendName;
use crate::store::StoreError;

/// Why there is no backend.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
pub enum BackendConfigError {
    /// `command` was chosen without a command.
    #[error("the backend `command` has no command")]
    NoCommand,
    /// `ollama` was chosen without a model.
    #[error("the backend `ollama` has no model")]
    NoModel,
    /// `replay` was chosen without a store.
    #[error("the backend `replay` has no store")]
    NoStore,
    /// The program of a backend is missing. `install` says how to get one that we know, as an order.
    #[error(
        "the backend `{backend}` needs the program `{program}`, which is {}",
        if program.contains('/') { "no executable file" } else { "not in `PATH`" }
    )]
    NoProgram { backend: BackendName, program: String, install: Option<&'static str> },
    /// The store of `replay` cannot be opened.
    #[error("the backend `replay` cannot be used")]
    Store { source: StoreError },
    /// The store for recordings cannot be opened.
    #[error("generations cannot be recorded")]
    Record { source: StoreError },
}
