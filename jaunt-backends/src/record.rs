//! Records what another backend answers.

use std::sync::{Arc, Mutex, PoisonError};

use jaunt_builder::{
    Attempt, BackendError, BoxFuture, Generation, GeneratorBackend, ModuleSpecContext, check,
    run_blocking,
};
use jaunt_digest::ModuleName;

use crate::store::{Store, StoreError};

/// A backend whose answers are added to a store if they pass the checks.
pub(crate) struct RecordingBackend {
    inner: Arc<dyn GeneratorBackend>,
    store: Store,
    failures: Mutex<Vec<(ModuleName, StoreError)>>,
}

impl RecordingBackend {
    /// Records in `store` what `inner` answers.
    pub(crate) fn new(inner: Arc<dyn GeneratorBackend>, store: Store) -> Self {
        Self { inner, store, failures: Mutex::new(Vec::new()) }
    }

    /// Takes what could not be recorded, in the order of the modules.
    ///
    /// A full disk below the store is no reason to throw away what was paid for. So the module
    /// does not fail; who started the run asks here, and says so.
    pub(crate) fn take_failures(&self) -> Vec<(ModuleName, StoreError)> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failures = std::mem::take(&mut *failures);
        failures.sort_by(|(a, _), (b, _)| a.cmp(b));
        failures
    }

    async fn generate_and_record(
        &self,
        ctx: &ModuleSpecContext,
        attempt: Attempt<'_>,
    ) -> Result<Generation, BackendError> {
        let generation = self.inner.generate(ctx, attempt).await?;
        let (store, copy, source) = (self.store.clone(), ctx.clone(), generation.source.clone());
        let recorded = run_blocking(move || {
            let passes = check(&source, &copy).is_empty();
            if passes { store.put(&copy, &source) } else { Ok(()) }
        });
        if let Err(err) = recorded.await {
            let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
            failures.push((ctx.spec_module.clone(), err));
        }
        Ok(generation)
    }
}

impl GeneratorBackend for RecordingBackend {
    fn generate<'a>(
        &'a self,
        ctx: &'a ModuleSpecContext,
        attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>> {
        Box::pin(self.generate_and_record(ctx, attempt))
    }
}

#[cfg(test)]
mod tests;
