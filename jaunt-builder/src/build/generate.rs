//! One unit, and one module: looked up or generated, checked, written.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jaunt_digest::ModuleName;
use jaunt_sched::Answer;

use crate::attempts::{generate_with_retry, problem_of};
use crate::backend::{Attempt, BackendError, Generation, Generator, Lookup};
use crate::blocking::run_blocking;
use crate::build::context::{Body, Contexts};
use crate::build::event::BuildEvent;
use crate::build::options::BuildOptions;
use crate::build::settle::{Outcomes, UnitFailed};
use crate::build::write::Writer;
use crate::check::{Problem, check};
use crate::context::ModuleSpecContext;
use crate::report::ModuleOutcome;

/// What the jobs of one run share.
pub(super) struct Run {
    pub(super) generator: Generator,
    pub(super) options: BuildOptions,
    pub(super) contexts: Contexts,
    pub(super) writer: Writer,
    pub(super) outcomes: Outcomes,
    /// Why files must not be overwritten.
    pub(super) refusals: BTreeMap<ModuleName, String>,
    /// Modules of which the plan found no code. It looked a moment ago when their answers are looked up.
    pub(super) missing: BTreeSet<ModuleName>,
    /// Attempts asked of the backend, and answers that were looked up.
    pub(super) calls: AtomicU64,
    pub(super) is_stopping: AtomicBool,
}

impl Run {
    /// Generates the modules of a unit, one after the other. Skips those that were looked up.
    pub(super) async fn generate_unit(
        self: &Arc<Self>,
        members: &[ModuleName],
    ) -> Result<(), UnitFailed> {
        for name in members.iter().filter(|name| !self.outcomes.has(name)) {
            self.check_running()?;
            self.begin(name);
            let generated = self.generate_module(name).await;
            self.end(name, generated)?;
        }
        Ok(())
    }

    /// Looks up the modules of a unit, one after the other, until one has to be generated.
    pub(super) fn look_up_unit(&self, members: &[ModuleName]) -> Answer<(), UnitFailed> {
        for name in members {
            if let Err(failed) = self.check_running() {
                return Answer::Now(Err(failed));
            }
            let looked_up = self.look_up_module(name).transpose();
            let Some(looked_up) = looked_up else { return Answer::Later };
            if let Err(failed) = self.end(name, looked_up) {
                return Answer::Now(Err(failed));
            }
        }
        Answer::Now(Ok(()))
    }

    fn check_running(&self) -> Result<(), UnitFailed> {
        if self.is_stopping.load(Ordering::Relaxed) { Err(UnitFailed) } else { Ok(()) }
    }

    fn begin(&self, name: &ModuleName) {
        self.outcomes.send(BuildEvent::Started { module: name.clone() });
    }

    fn end(
        &self,
        name: &ModuleName,
        generated: Result<(), Vec<Problem>>,
    ) -> Result<(), UnitFailed> {
        match generated {
            Ok(()) => {
                self.outcomes.finish(name, ModuleOutcome::Generated);
                Ok(())
            }
            Err(problems) if problems == [Problem::Interrupted] => Err(UnitFailed),
            Err(problems) => {
                self.outcomes.finish(name, ModuleOutcome::Failed(problems));
                Err(UnitFailed)
            }
        }
    }

    async fn generate_module(self: &Arc<Self>, name: &ModuleName) -> Result<(), Vec<Problem>> {
        let (run, module) = (Arc::clone(self), name.clone());
        let ctx = run_blocking(move || run.context(&module)).await?;
        let on_attempt = |attempt: Attempt<'_>| {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if attempt.number > 1 {
                self.outcomes.send(BuildEvent::Retrying {
                    module: name.clone(),
                    attempt: attempt.number,
                    problems: attempt.error_context.to_vec(),
                });
            }
        };
        let backend = &*self.generator.backend;
        let generation =
            generate_with_retry(backend, &ctx, self.options.attempts, on_attempt).await?;

        let (run, module) = (Arc::clone(self), name.clone());
        run_blocking(move || run.write_and_cache(&module, &ctx, &generation, true)).await?;
        Ok(())
    }

    /// Writes the answer that the lookup has for a module. Returns `None` if it has none.
    ///
    /// The context is not kept for the backend: thousands of modules may wait for a slot.
    fn look_up_module(&self, name: &ModuleName) -> Result<Option<()>, Vec<Problem>> {
        let Some(lookup) = &self.generator.lookup else { return Ok(None) };
        let ctx = match self.context(name) {
            Ok(ctx) => ctx,
            Err(problem) => {
                self.begin(name);
                return Err(problem.into());
            }
        };
        let answer = catch_unwind(AssertUnwindSafe(|| valid_answer(&**lookup, &ctx)));
        let Some(answer) = answer.unwrap_or_else(|panic| {
            self.begin(name);
            self.calls.fetch_add(1, Ordering::Relaxed);
            resume_unwind(panic)
        }) else {
            return Ok(None);
        };
        self.begin(name);
        self.calls.fetch_add(1, Ordering::Relaxed);
        let generation = answer.map_err(|err| vec![problem_of(&err)])?;
        self.write_and_cache(name, &ctx, &generation, !self.missing.contains(name))?;
        Ok(Some(()))
    }

    /// Assembles the context of a module, unless its file must not be overwritten.
    fn context(&self, name: &ModuleName) -> Result<ModuleSpecContext, Problem> {
        match self.refusals.get(name) {
            Some(refusal) => Err(Problem::Write(refusal.clone())),
            None => self.contexts.context(name),
        }
    }

    /// Writes code that passed the checks, and caches it for the modules that depend on it.
    fn write_and_cache(
        &self,
        name: &ModuleName,
        ctx: &ModuleSpecContext,
        generation: &Generation,
        has_old_shape: bool,
    ) -> Result<(), Problem> {
        let body = Body::new(&jaunt_digest::normalize_body(&generation.source));
        self.writer.write(name, ctx, &self.contexts, &body, has_old_shape)?;
        self.contexts.cache(name, body);
        Ok(())
    }
}

/// Returns the answer of a lookup if it has one that passes the checks, or an error.
fn valid_answer(
    lookup: &dyn Lookup,
    ctx: &ModuleSpecContext,
) -> Option<Result<Generation, BackendError>> {
    let generation = match lookup.look_up(ctx)? {
        Ok(generation) => generation,
        Err(err) => return Some(Err(err)),
    };
    let problems = check(&generation.source, ctx);
    if problems.is_empty() {
        return Some(Ok(generation));
    }
    lookup.error_for_invalid(ctx, &problems).map(Err)
}
