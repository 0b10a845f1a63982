//! The interface to whatever makes code.

use std::pin::Pin;
use std::sync::Arc;

use crate::check::Problem;
use crate::context::ModuleSpecContext;

/// A future on the heap, which may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a backend answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Generation {
    /// Python source of the whole module.
    pub source: String,
    /// What it cost, in the backend's own terms.
    pub usage: Option<serde_json::Value>,
}

/// Why a backend gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BackendError {
    /// What decides whether the module gets another attempt.
    pub kind: BackendErrorKind,
    /// What happened, for a person.
    pub message: String,
}

/// What an error of a backend means for the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendErrorKind {
    /// Another attempt may succeed: the program failed, or its answer was not text.
    Transient,
    /// Another attempt would only repeat it: no such program, no such recording, a time limit.
    Fatal,
    /// The run was stopped: the module did not fail, it was not generated.
    Interrupted,
}

impl BackendError {
    /// Creates an error that another attempt would only repeat.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self { kind: BackendErrorKind::Fatal, message: message.into() }
    }

    /// Creates an error that may not happen again.
    pub fn transient(message: impl Into<String>) -> Self {
        Self { kind: BackendErrorKind::Transient, message: message.into() }
    }

    /// Creates the answer of a backend that was told to stop.
    pub fn interrupted() -> Self {
        Self { kind: BackendErrorKind::Interrupted, message: "stopped".to_owned() }
    }
}

/// One attempt at a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// Counted from 1.
    pub number: u32,
    /// One line for each fault of the last attempt; empty at the first.
    pub error_context: &'a [String],
}

impl Attempt<'_> {
    /// The first attempt.
    pub const FIRST: Self = Self { number: 1, error_context: &[] };
}

/// Makes Python source for one module at a time.
///
/// Several calls run at once. A backend need not check what it returns, need not retry, and may
/// panic: that is one failed module.
pub trait GeneratorBackend: Send + Sync {
    /// Makes one attempt at the source of a module.
    ///
    /// # Errors
    ///
    /// If there is no source to return. Source that does not parse is not an error here.
    fn generate<'a>(
        &'a self,
        ctx: &'a ModuleSpecContext,
        attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>>;
}

/// Knows answers that need no call, such as recordings.
///
/// It is asked before the [`GeneratorBackend`], on the threads that write the code, and takes no slot of
/// [`jobs`](crate::BuildOptions::jobs): handing a module over would cost more than the work. It may block.
pub trait Lookup: Send + Sync {
    /// Returns the answer for a module, or `None` to ask the backend.
    ///
    /// # Errors
    ///
    /// An error fails the module; the backend is not asked.
    fn look_up(&self, ctx: &ModuleSpecContext) -> Option<Result<Generation, BackendError>>;

    /// Returns the error for an answer that did not pass the checks, or `None` to ask the backend
    /// instead.
    fn error_for_invalid(
        &self,
        ctx: &ModuleSpecContext,
        problems: &[Problem],
    ) -> Option<BackendError>;
}

/// Where a build gets code: from a lookup if it knows the answer, otherwise from a backend.
#[derive(Clone)]
pub struct Generator {
    /// Is called for modules that the lookup does not know.
    pub backend: Arc<dyn GeneratorBackend>,
    /// Is asked first; `None` to always call the backend.
    pub lookup: Option<Arc<dyn Lookup>>,
}

impl Generator {
    /// Creates a generator that always calls the backend.
    pub fn new(backend: Arc<dyn GeneratorBackend>) -> Self {
        Self { backend, lookup: None }
    }
}
