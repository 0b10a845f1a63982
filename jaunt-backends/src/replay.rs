//! Answers from a store of recorded generations.

use std::sync::{Arc, OnceLock};

use jaunt_builder::{
    Attempt, BackendError, BoxFuture, Generation, GeneratorBackend, Lookup, ModuleSpecContext,
    Problem, canonical_digest, check, run_blocking,
};

use crate::store::{RecordingHeader, Store};
use jaunt_text::{one_line, sanitize};

/// How many differences are listed.
const MANY: usize = 3;

/// Generates nothing: gives what was recorded for exactly the same context.
///
/// As a [`Lookup`] it has an answer, or an error, for every module. As a [`GeneratorBackend`] it serves
/// those who record the answers again.
#[derive(Clone, Debug)]
pub(crate) struct ReplayBackend {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Store,
    /// What there is, read when something is not there.
    headers: OnceLock<Vec<RecordingHeader>>,
}

impl ReplayBackend {
    /// Answers from this store.
    pub(crate) fn new(store: Store) -> Self {
        Self { shared: Arc::new(Shared { store, headers: OnceLock::new() }) }
    }
}

impl GeneratorBackend for ReplayBackend {
    fn generate<'a>(
        &'a self,
        ctx: &'a ModuleSpecContext,
        _attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>> {
        let (shared, ctx) = (Arc::clone(&self.shared), ctx.clone());
        Box::pin(run_blocking(move || {
            let generation = shared.answer(&ctx)?;
            let problems = check(&generation.source, &ctx);
            match problems.is_empty() {
                true => Ok(generation),
                // Another attempt would find the same recording.
                false => Err(shared.error_for_invalid(&ctx, &problems)),
            }
        }))
    }
}

impl Lookup for ReplayBackend {
    fn look_up(&self, ctx: &ModuleSpecContext) -> Option<Result<Generation, BackendError>> {
        Some(self.shared.answer(ctx))
    }

    fn error_for_invalid(
        &self,
        ctx: &ModuleSpecContext,
        problems: &[Problem],
    ) -> Option<BackendError> {
        Some(self.shared.error_for_invalid(ctx, problems))
    }
}

impl Shared {
    fn answer(&self, ctx: &ModuleSpecContext) -> Result<Generation, BackendError> {
        match self.store.get(ctx) {
            Ok(Some(source)) => Ok(Generation { source, usage: None }),
            Ok(None) => Err(BackendError::fatal(self.explain(ctx))),
            Err(err) => Err(BackendError::fatal(one_line(&err))),
        }
    }

    fn error_for_invalid(&self, ctx: &ModuleSpecContext, problems: &[Problem]) -> BackendError {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        BackendError::fatal(format!(
            "the recording `{}` does not pass: {}",
            self.store.path_of(canonical_digest(ctx)),
            problems.join("; ")
        ))
    }

    /// Says that there is no answer, and what the nearest one was for.
    fn explain(&self, ctx: &ModuleSpecContext) -> String {
        let headers = self.headers.get_or_init(|| self.store.headers());
        let of_module = headers.iter().filter(|it| {
            (&it.identity.spec_module, it.identity.kind) == (&ctx.spec_module, ctx.kind)
        });
        let nearest = of_module
            .map(|it| (it, it.differences(ctx)))
            .min_by_key(|(_, differences)| differences.len());
        let nearest = match nearest {
            None => "it has none for this module at all".to_owned(),
            Some((header, mut differences)) => {
                if differences.len() > MANY {
                    let n_more = differences.len() - MANY;
                    differences.truncate(MANY);
                    differences.push(format!("and {n_more} more"));
                }
                let context = header.identity.context.to_string();
                let listed = differences.join(", ");
                format!("the nearest, `{context:.12}….py`, was made for another {listed}")
            }
        };
        let message = format!(
            "`{1}` has no recording for `{0}`; {nearest}; the context is sha256:{2}",
            ctx.spec_module,
            self.store.dir(),
            canonical_digest(ctx),
        );
        // What a header says is anybody's word.
        sanitize(&message).into_owned()
    }
}

#[cfg(test)]
mod tests;
