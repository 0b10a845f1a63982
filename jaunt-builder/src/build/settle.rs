//! What became of every module.

use std::collections::BTreeMap;
use std::sync::Mutex;

use jaunt_dag::Condensed;
use jaunt_digest::ModuleName;
use jaunt_sched::Outcome;
use tokio::sync::mpsc;

use crate::build::event::BuildEvent;
use crate::build::lock::lock;
use crate::check::Problem;
use crate::report::ModuleOutcome;

/// A module of the unit failed, or the run was stopped; the outcomes say which.
pub(super) struct UnitFailed;

/// How each unit ended.
pub(super) type Settled = BTreeMap<ModuleName, Outcome<ModuleName, (), UnitFailed>>;

/// The outcomes of one run, and the events that it sends.
pub(super) struct Outcomes {
    modules: Mutex<BTreeMap<ModuleName, ModuleOutcome>>,
    events: mpsc::UnboundedSender<BuildEvent>,
}

impl Outcomes {
    pub(super) fn new(events: mpsc::UnboundedSender<BuildEvent>) -> Self {
        Self { modules: Mutex::default(), events }
    }

    pub(super) fn send(&self, event: BuildEvent) {
        // The receiver is gone only when the run was abandoned.
        self.events.send(event).ok();
    }

    /// Notes what became of a module, and tells it.
    pub(super) fn finish(&self, name: &ModuleName, outcome: ModuleOutcome) {
        lock(&self.modules).insert(name.clone(), outcome.clone());
        self.send(BuildEvent::Finished { module: name.clone(), outcome });
    }

    /// Returns whether it is known what became of a module.
    pub(super) fn has(&self, name: &ModuleName) -> bool {
        lock(&self.modules).contains_key(name)
    }

    pub(super) fn take(&self) -> BTreeMap<ModuleName, ModuleOutcome> {
        std::mem::take(&mut *lock(&self.modules))
    }

    /// Gives an outcome to every module that has none yet.
    pub(super) fn settle(&self, units: &Condensed<ModuleName>, settled: Settled) {
        // Every failure has to be known before anything can be called blocked.
        for (unit, outcome) in &settled {
            if let Outcome::Panicked(message) = outcome {
                let problems = vec![Problem::Panic(message.clone())];
                if let Some(name) = self.unsettled(units.members(unit)).first() {
                    self.finish(name, ModuleOutcome::Failed(problems));
                }
            }
        }
        for (unit, outcome) in &settled {
            let cause = match outcome {
                Outcome::Blocked { cause } => self.failed_member(units.members(cause)),
                _ => self.failed_member(units.members(unit)),
            };
            for name in self.unsettled(units.members(unit)) {
                // If no member failed, the dependency was stopped.
                let outcome = match &cause {
                    Some(cause) => ModuleOutcome::Blocked { cause: cause.clone() },
                    None => ModuleOutcome::Cancelled,
                };
                self.finish(&name, outcome);
            }
        }
    }

    fn unsettled(&self, members: &[ModuleName]) -> Vec<ModuleName> {
        let modules = lock(&self.modules);
        members.iter().filter(|name| !modules.contains_key(*name)).cloned().collect()
    }

    /// Returns the module of a unit that failed.
    fn failed_member(&self, members: &[ModuleName]) -> Option<ModuleName> {
        let modules = lock(&self.modules);
        let mut failed = members
            .iter()
            .filter(|name| matches!(modules.get(*name), Some(ModuleOutcome::Failed(_))));
        failed.next().cloned()
    }
}
