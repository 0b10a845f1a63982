//! What was done.

use std::collections::BTreeMap;

use jaunt_digest::ModuleName;

use crate::check::Problem;

/// What became of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleOutcome {
    /// Its code was generated, checked and written.
    Generated,
    /// Nothing had to be done.
    Fresh,
    /// No code that passes the checks, or it could not be written.
    Failed(Vec<Problem>),
    /// Not started, because a module that it depends on failed.
    Blocked {
        /// The module that failed.
        cause: ModuleName,
    },
    /// Not started, because the run was stopped first.
    Cancelled,
}

/// What became of every module that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildReport {
    /// One outcome for each module that was selected.
    pub outcomes: BTreeMap<ModuleName, ModuleOutcome>,
    /// How many attempts were asked of the backend, and answers looked up.
    pub backend_calls: u64,
}

impl BuildReport {
    /// Returns the modules that were generated, in order of name.
    pub fn generated(&self) -> impl Iterator<Item = &ModuleName> {
        self.names(|outcome| matches!(outcome, ModuleOutcome::Generated))
    }

    /// Returns the modules that were fresh, in order of name.
    pub fn skipped(&self) -> impl Iterator<Item = &ModuleName> {
        self.names(|outcome| matches!(outcome, ModuleOutcome::Fresh))
    }

    /// Returns the modules that failed, with every problem.
    pub fn failed(&self) -> impl Iterator<Item = (&ModuleName, &[Problem])> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            ModuleOutcome::Failed(problems) => Some((name, problems.as_slice())),
            _ => None,
        })
    }

    /// Returns the modules that were not started, each with the module that failed.
    pub fn blocked(&self) -> impl Iterator<Item = (&ModuleName, &ModuleName)> {
        self.outcomes.iter().filter_map(|(name, outcome)| match outcome {
            ModuleOutcome::Blocked { cause } => Some((name, cause)),
            _ => None,
        })
    }

    /// Returns the modules that were not started because the run was stopped.
    pub fn cancelled(&self) -> impl Iterator<Item = &ModuleName> {
        self.names(|outcome| matches!(outcome, ModuleOutcome::Cancelled))
    }

    /// Returns whether every module is now fresh.
    pub fn is_ok(&self) -> bool {
        self.outcomes
            .values()
            .all(|outcome| matches!(outcome, ModuleOutcome::Generated | ModuleOutcome::Fresh))
    }

    fn names(&self, keep: impl Fn(&ModuleOutcome) -> bool) -> impl Iterator<Item = &ModuleName> {
        self.outcomes.iter().filter(move |(_, outcome)| keep(outcome)).map(|(name, _)| name)
    }
}
