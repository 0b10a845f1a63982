//! Records what another backend answers.

use std::sync::{Mutex, PoisonError};

use jaunt_builder::{
    Attempt, BackendError, Generation, GeneratorBackend, ModuleSpecContext, Problem, check,
    in_background,
};
use jaunt_digest::ModuleName;

use crate::attempt::uncounted;
use crate::store::{Store, StoreError};

/// A backend whose answers are added to a store if they pass the checks.
#[derive(Debug)]
pub(crate) struct RecordingBackend<B> {
    inner: B,
    store: Store,
    failures: Mutex<Vec<(ModuleName, StoreError)>>,
}

impl<B> RecordingBackend<B> {
    /// Records in `store` what `inner` answers.
    pub(crate) fn new(inner: B, store: Store) -> Self {
        Self { inner, store, failures: Mutex::new(Vec::new()) }
    }

    /// Takes what could not be recorded, in the order of the modules.
    ///
    /// A full disk below the store is no reason to throw away an answer that was paid for, so the
    /// module does not fail.
    pub(crate) fn take_failures(&self) -> Vec<(ModuleName, StoreError)> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failures = std::mem::take(&mut *failures);
        failures.sort_by(|(a, _), (b, _)| a.cmp(b));
        failures
    }
}

impl<B: GeneratorBackend> GeneratorBackend for RecordingBackend<B> {
    async fn generate_module(
        &self,
        ctx: &ModuleSpecContext,
        error_context: &[String],
    ) -> Result<Generation, BackendError> {
        self.generate_attempt(ctx, uncounted(error_context)).await
    }

    async fn generate_attempt(
        &self,
        ctx: &ModuleSpecContext,
        attempt: Attempt<'_>,
    ) -> Result<Generation, BackendError> {
        let generation = self.inner.generate_attempt(ctx, attempt).await?;
        let (store, copy, source) = (self.store.clone(), ctx.clone(), generation.source.clone());
        let recorded = in_background(move || {
            let passes = check(&source, &copy).is_empty();
            if passes { store.put(&copy, &source) } else { Ok(()) }
        });
        if let Err(err) = recorded.await {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push((ctx.spec_module.clone(), err));
        }
        Ok(generation)
    }

    fn refuse(&self, ctx: &ModuleSpecContext, problems: &[Problem]) -> Option<BackendError> {
        self.inner.refuse(ctx, problems)
    }
}

#[cfg(test)]
mod tests;
