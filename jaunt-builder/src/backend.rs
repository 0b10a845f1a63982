//! The interface to whatever makes code.

use std::collections::BTreeMap;
use std::sync::Arc;

use jaunt_digest::Kind;
use jaunt_digest::ModuleName;
use jaunt_digest::SpecRef;
use serde::Serialize;
use serde::Serializer;

use crate::check::Problem;
use crate::check::check;

/// Everything that decides what the code of one module should be.
///
/// The JSON form is the `context` of the `jaunt.generate/1` protocol, and its SHA-256 names a
/// recorded generation (see [`canonical_digest`](crate::canonical_digest)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleSpecContext {
    /// Whether product code or tests are wanted.
    #[serde(serialize_with = "kind_word")]
    pub kind: Kind,
    /// The module that holds the specs.
    pub spec_module: ModuleName,
    /// The module that is to be generated.
    pub generated_module: ModuleName,
    /// The names that the code has to define at top level, sorted.
    pub expected_names: Vec<String>,
    /// The source of each spec's definition, as it is digested: without decorators.
    pub spec_sources: BTreeMap<SpecRef, String>,
    /// The `prompt=` of each spec that has one.
    pub decorator_prompts: BTreeMap<SpecRef, String>,
    /// Signature and docstring of every spec that these specs depend on.
    pub dependency_apis: BTreeMap<SpecRef, Arc<str>>,
    /// The generated source of every module that these specs depend on. Empty for tests.
    pub dependency_generated_modules: BTreeMap<ModuleName, Arc<str>>,
}

/// `build` or `test`, as in the header.
pub(crate) fn kind_word<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

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
    /// An error that another attempt would only repeat.
    pub fn fatal(message: impl Into<String>) -> Self {
        Self { kind: BackendErrorKind::Fatal, message: message.into() }
    }

    /// An error that may not happen again.
    pub fn transient(message: impl Into<String>) -> Self {
        Self { kind: BackendErrorKind::Transient, message: message.into() }
    }

    /// The answer of a backend that was told to stop.
    pub fn interrupted() -> Self {
        Self { kind: BackendErrorKind::Interrupted, message: "stopped".to_owned() }
    }
}

/// One attempt at a module: its number, from 1, and what was wrong with the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// Counted from 1.
    pub number: u32,
    /// One line for each fault of the last attempt; empty at the first.
    pub error_context: &'a [String],
}

/// A generation that passed the checks, and the number of attempts it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// What the backend answered last.
    pub generation: Generation,
    /// At least 1.
    pub attempts: u32,
}

/// What was wrong with the last attempt, and the number of attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GenerationFailure {
    /// At least one.
    pub problems: Vec<Problem>,
    /// At least 1.
    pub attempts: u32,
}

/// Something that makes Python source for one module at a time.
///
/// ```text
/// jaunt-cli ──▶ jaunt-tester ──▶ jaunt-builder ──▶ GeneratorBackend
///     └── command, replay: the ones that ship ──────────────┘
/// ```
///
/// Several calls run at once. A backend need not check what it returns, need not retry, and may
/// panic: that is one failed module.
pub trait GeneratorBackend: Send + Sync {
    /// One attempt: Python source for one module. `error_context` has a line for each fault of the
    /// attempt before, and is empty at the first.
    ///
    /// # Errors
    ///
    /// When there is no source to return. Source that does not parse is not an error here.
    fn generate_module(
        &self,
        ctx: &ModuleSpecContext,
        error_context: &[String],
    ) -> impl Future<Output = Result<Generation, BackendError>> + Send;

    /// The same, for backends that pass the number of the attempt on.
    ///
    /// # Errors
    ///
    /// As for [`generate_module`](Self::generate_module), which the provided one calls.
    fn generate_attempt(
        &self,
        ctx: &ModuleSpecContext,
        attempt: Attempt<'_>,
    ) -> impl Future<Output = Result<Generation, BackendError>> + Send {
        self.generate_module(ctx, attempt.error_context)
    }

    /// This backend as one that has all its answers [at hand](AtHand). The provided one is none.
    fn at_hand(&self) -> Option<&dyn AtHand> {
        None
    }

    /// What is said of an answer with these faults, where another attempt would give the same one. The
    /// provided one expects a better answer.
    fn refuse(&self, ctx: &ModuleSpecContext, problems: &[Problem]) -> Option<BackendError> {
        let _ = (ctx, problems);
        None
    }

    /// Attempts, each checked, each told what was wrong with the last.
    ///
    /// `max_attempts` of 0 counts as 1. `on_attempt` hears of every attempt before it starts.
    ///
    /// # Errors
    ///
    /// The faults of the last attempt, when no attempt was without.
    fn generate_with_retry(
        &self,
        ctx: &ModuleSpecContext,
        max_attempts: u32,
        on_attempt: impl Fn(Attempt<'_>) + Send + Sync,
    ) -> impl Future<Output = Result<Generated, GenerationFailure>> + Send {
        async move {
            let mut error_context: Vec<String> = Vec::new();
            let mut number = 1;
            loop {
                let attempt = Attempt { number, error_context: &error_context };
                on_attempt(attempt);
                let answer = self.generate_attempt(ctx, attempt).await;
                let Fault { problems, may_retry } = match judge(self, ctx, answer) {
                    Ok(generation) => return Ok(Generated { generation, attempts: number }),
                    Err(fault) => fault,
                };
                if !may_retry || number >= max_attempts {
                    return Err(GenerationFailure { problems, attempts: number });
                }
                error_context = problems.iter().map(Problem::to_string).collect();
                number += 1;
            }
        }
    }
}

/// A backend that waits for nothing but the disk, such as a store of recordings.
///
/// It is asked by threads that write the code themselves: to hand a module over to another one would
/// cost more than what is done with it.
pub trait AtHand: Sync {
    /// The only attempt at a module, as [`generate_module`](GeneratorBackend::generate_module).
    ///
    /// # Errors
    ///
    /// When there is no source to return.
    fn answer(&self, ctx: &ModuleSpecContext) -> Result<Generation, BackendError>;
}

/// What is wrong with an answer.
pub(crate) struct Fault {
    pub(crate) problems: Vec<Problem>,
    pub(crate) may_retry: bool,
}

/// The answer, if it passes the checks.
pub(crate) fn judge<B: GeneratorBackend + ?Sized>(
    backend: &B,
    ctx: &ModuleSpecContext,
    answer: Result<Generation, BackendError>,
) -> Result<Generation, Fault> {
    let err = match answer {
        Ok(generation) => {
            let problems = check(&generation.source, ctx);
            if problems.is_empty() {
                return Ok(generation);
            }
            match backend.refuse(ctx, &problems) {
                None => return Err(Fault { problems, may_retry: true }),
                Some(err) => err,
            }
        }
        Err(err) => err,
    };
    let (problem, may_retry) = match err.kind {
        BackendErrorKind::Transient => (Problem::Backend(err.message), true),
        BackendErrorKind::Fatal => (Problem::Backend(err.message), false),
        BackendErrorKind::Interrupted => (Problem::Interrupted, false),
    };
    Err(Fault { problems: vec![problem], may_retry })
}
