//! How often a backend is asked for a module, and what each attempt is told.

use std::num::NonZeroU32;

use crate::backend::{Attempt, BackendError, BackendErrorKind, Generation, GeneratorBackend};
use crate::blocking::run_blocking;
use crate::check::{Problem, check};
use crate::context::ModuleSpecContext;

#[cfg(test)]
mod tests;

/// Sources larger than this are checked on the blocking pool.
const LARGE: usize = 256 * 1024;

/// How many attempts a module gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// The last one is not followed by another, whatever was wrong with it.
    pub max: NonZeroU32,
}

impl Attempts {
    /// Allows at most this many attempts; 0 counts as 1.
    pub fn at_most(max: u32) -> Self {
        Self { max: NonZeroU32::new(max).unwrap_or(NonZeroU32::MIN) }
    }
}

/// Asks a backend for a module until an answer passes the checks. Each attempt is told what was wrong
/// with the last.
///
/// An answer that does not pass, and a [transient](BackendErrorKind::Transient) error, are followed by
/// another attempt if one is left. `on_attempt` is called before every attempt.
///
/// # Errors
///
/// The faults of the last attempt, at least one.
///
/// # Panics
///
/// Outside of a tokio runtime: large answers are checked on its blocking pool.
pub async fn generate_with_retry(
    backend: &dyn GeneratorBackend,
    ctx: &ModuleSpecContext,
    attempts: Attempts,
    on_attempt: impl Fn(Attempt<'_>) + Send + Sync,
) -> Result<Generation, Vec<Problem>> {
    let mut error_context: Vec<String> = Vec::new();
    let mut number = 1;
    loop {
        let attempt = Attempt { number, error_context: &error_context };
        on_attempt(attempt);
        let (problems, may_retry) = match backend.generate(ctx, attempt).await {
            Ok(generation) => match check_off_thread(generation, ctx).await {
                Ok(generation) => return Ok(generation),
                Err(problems) => (problems, true),
            },
            Err(err) => (vec![problem_of(&err)], err.kind == BackendErrorKind::Transient),
        };
        if !may_retry || number >= attempts.max.get() {
            return Err(problems);
        }
        error_context = problems.iter().map(Problem::to_string).collect();
        number += 1;
    }
}

/// Returns what an error of a backend means for the module.
pub(crate) fn problem_of(err: &BackendError) -> Problem {
    match err.kind {
        BackendErrorKind::Transient | BackendErrorKind::Fatal => {
            Problem::Backend(err.message.clone())
        }
        BackendErrorKind::Interrupted => Problem::Interrupted,
    }
}

/// Checks an answer here, or on the blocking pool if it is large.
async fn check_off_thread(
    generation: Generation,
    ctx: &ModuleSpecContext,
) -> Result<Generation, Vec<Problem>> {
    if generation.source.len() < LARGE {
        return check_answer(generation, ctx);
    }
    let ctx = ctx.clone();
    run_blocking(move || check_answer(generation, &ctx)).await
}

/// Returns an answer that passes the checks, or what is wrong with it.
fn check_answer(
    generation: Generation,
    ctx: &ModuleSpecContext,
) -> Result<Generation, Vec<Problem>> {
    let problems = check(&generation.source, ctx);
    if problems.is_empty() { Ok(generation) } else { Err(problems) }
}
