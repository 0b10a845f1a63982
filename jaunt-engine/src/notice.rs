//! What a person may want to know about a run.

use camino::Utf8Path;
use jaunt_backends::StoreError;
use jaunt_digest::ModuleName;
use jaunt_write::WriteError;

/// What a person may want to know, and no result depends on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// Another process is writing to the project; this one waits until it is done.
    WaitingForLock {
        /// What that process called itself.
        holder: &'a str,
    },
    /// The registry is that of an earlier export.
    RegistryCached,
    /// The installed Python package is asked for the registry.
    RegistryExporting {
        /// The project's interpreter.
        python: &'a Utf8Path,
    },
    /// Modules printed this while they were imported for the export.
    ExporterOutput {
        /// As it was printed, without trailing white space.
        text: &'a str,
    },
    /// The registry document carries this warning.
    RegistryWarning {
        /// In the words of the document.
        text: &'a str,
    },
    /// Code was generated and written, but could not be recorded.
    NotRecorded {
        /// The module.
        module: &'a ModuleName,
        /// Why it is not in the store.
        error: &'a StoreError,
    },
    /// The tests that failed could not be saved for a later run.
    FailedTestsNotSaved {
        /// Why they are not in `.jaunt/engine/`.
        error: &'a WriteError,
    },
}
