//! The interface to whatever makes code.

use std::collections::BTreeMap;
use std::sync::Arc;

use jaunt_digest::{Kind, ModuleName, SpecRef};
use serde::Serialize;

use crate::check::{Problem, check};

/// Everything that decides what the code of one module should be.
///
/// The JSON form is the `context` of the `jaunt.generate/1` protocol, and its SHA-256 names a
/// recorded generation (see [`canonical_digest`](crate::canonical_digest)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModuleSpecContext {
    /// Whether product code or tests are wanted.
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
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, which checks large answers where nobody waits for it.
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
                let checked = match self.generate_attempt(ctx, attempt).await {
                    Ok(generation) => Ok(Checked::wherever_it_fits(generation, ctx).await),
                    Err(err) => Err(err),
                };
                let Fault { problems, may_retry } = match judge(self, ctx, checked) {
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
/// cost more than what is done with it. Of a [`GeneratorBackend`] that has this, nothing else is asked,
/// and there are no further attempts.
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

/// An answer, and what is wrong with it.
pub(crate) struct Checked {
    generation: Generation,
    problems: Vec<Problem>,
}

/// From how many bytes on a source takes so long to check that others should not have to wait for it.
const LARGE: usize = 256 * 1024;

impl Checked {
    pub(crate) fn new(generation: Generation, ctx: &ModuleSpecContext) -> Self {
        let problems = check(&generation.source, ctx);
        Self { generation, problems }
    }

    async fn wherever_it_fits(generation: Generation, ctx: &ModuleSpecContext) -> Self {
        if generation.source.len() < LARGE {
            return Self::new(generation, ctx);
        }
        let ctx = ctx.clone();
        in_background(move || Self::new(generation, &ctx)).await
    }
}

/// The answer, if it has passed the checks.
pub(crate) fn judge<B: GeneratorBackend + ?Sized>(
    backend: &B,
    ctx: &ModuleSpecContext,
    answer: Result<Checked, BackendError>,
) -> Result<Generation, Fault> {
    let err = match answer {
        Ok(Checked { generation, problems }) => {
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

/// Runs a function that takes its time, or waits for the disk, where it holds up nobody else.
///
/// # Panics
///
/// Outside of a tokio runtime. Panics of the function are passed on.
pub async fn in_background<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(f).await {
        Ok(done) => done,
        Err(err) => match err.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is being shut down, and with it whoever waits here.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::pin::pin;
    use std::sync::mpsc;

    use super::*;

    /// Gives source of this many bytes, and more.
    struct Verbose(usize);

    impl GeneratorBackend for Verbose {
        fn generate_module(
            &self,
            _ctx: &ModuleSpecContext,
            _error_context: &[String],
        ) -> impl Future<Output = Result<Generation, BackendError>> + Send {
            let source = format!("f = 1\n{}", "# filler\n".repeat(self.0 / 9));
            ready(Ok(Generation { source, usage: None }))
        }
    }

    fn context() -> ModuleSpecContext {
        ModuleSpecContext {
            kind: Kind::Build,
            spec_module: "app.a".parse().unwrap(),
            generated_module: "app.__generated__.a".parse().unwrap(),
            expected_names: vec!["f".to_owned()],
            spec_sources: BTreeMap::new(),
            decorator_prompts: BTreeMap::new(),
            dependency_apis: BTreeMap::new(),
            dependency_generated_modules: BTreeMap::new(),
        }
    }

    /// Whether the answer is checked while the only thread in the background is busy. It passes in
    /// the end.
    fn is_checked_at_once(n_bytes: usize) -> bool {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.max_blocking_threads(1).build().unwrap().block_on(async {
            let (release, released) = mpsc::channel::<()>();
            let busy = tokio::task::spawn_blocking(move || released.recv());
            let (backend, ctx) = (Verbose(n_bytes), context());
            let mut generated = pin!(backend.generate_with_retry(&ctx, 1, |_| {}));
            tokio::select! {
                biased;
                generated = &mut generated => {
                    assert!(generated.is_ok());
                    true
                }
                () = ready(()) => {
                    drop(release);
                    assert!(generated.await.is_ok());
                    assert!(busy.await.is_ok());
                    false
                }
            }
        })
    }

    #[test]
    fn nobody_waits_for_the_check_of_a_large_answer() {
        assert!(is_checked_at_once(LARGE / 2));
        assert!(!is_checked_at_once(2 * LARGE));
    }
}
