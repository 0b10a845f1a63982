//! The run: generates what a plan names.

mod context;
mod event;
mod generate;
mod lock;
mod options;
mod settle;
mod write;

use std::iter;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jaunt_digest::ModuleName;
use jaunt_sched::{Ask, Event};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::backend::Generator;
use crate::build::context::Contexts;
pub use crate::build::event::BuildEvent;
use crate::build::generate::Run;
pub use crate::build::options::BuildOptions;
use crate::build::settle::{Outcomes, UnitFailed};
use crate::build::write::Writer;
use crate::check::Problem;
use crate::plan::Plan;
use crate::project::Project;
use crate::report::{BuildReport, ModuleOutcome};

/// How late an event may be told if answers are looked up.
const FLUSH_INTERVAL: Duration = Duration::from_millis(20);

/// How many events are told at once, at most, if no answers are looked up.
const EVENT_BATCH: usize = 64;

/// Generates what the plan names, dependencies first, at most `jobs` modules at a time.
///
/// Events arrive in order, in batches: at most 20 ms late if the generator has a
/// [lookup](crate::Lookup), which needs a runtime with a clock, otherwise at once. Modules that are
/// looked up take none of the `jobs`.
///
/// When `stop` completes, nothing more is started; what runs is waited for, so a backend that should
/// be cut short has to be told by other means. Every module that finishes is written at once.
/// Failures, panics of the backend and files that cannot be written are outcomes in the report.
/// Dropping the future abandons what runs; no file is left half written by that.
pub async fn build(
    project: &Arc<Project>,
    plan: &Plan,
    generator: &Generator,
    options: &BuildOptions,
    mut weight: impl FnMut(&ModuleName) -> u64,
    mut on_events: impl FnMut(&[BuildEvent]),
    stop: impl Future<Output = ()>,
) -> BuildReport {
    let (events, mut received) = mpsc::unbounded_channel();
    let run = Arc::new(Run::new(project, plan, generator, options, events));
    let _abandon = StopOnDrop(&run.is_stopping);
    let units = project.units(plan.kind());
    let members = |unit: &ModuleName| units.members(unit);
    let has_lookup = generator.lookup.is_some();
    let now = {
        let (run, project, kind) = (Arc::clone(&run), Arc::clone(project), plan.kind());
        let ask: Ask<ModuleName, (), UnitFailed> =
            Arc::new(move |unit| run.look_up_unit(project.units(kind).members(unit)));
        has_lookup.then_some(ask)
    };
    let later = |unit: &ModuleName| {
        let (run, members) = (Arc::clone(&run), members(unit).to_vec());
        async move { run.generate_unit(&members).await }
    };
    let on_event = {
        let run = Arc::clone(&run);
        move |event: Event<'_, ModuleName>| run.fail_fast(event)
    };
    let weight = |unit: &ModuleName| members(unit).iter().map(&mut weight).sum();
    let stop = async {
        stop.await;
        run.is_stopping.store(true, Ordering::Relaxed);
    };
    let dag = Arc::clone(plan.units());
    let scheduled = jaunt_sched::run(dag, options.jobs, weight, now, later, on_event, stop);
    let mut scheduled = pin!(scheduled);
    let mut batch = Vec::new();
    let settled = loop {
        tokio::select! {
            biased;
            _ = received.recv_many(&mut batch, EVENT_BATCH), if !has_lookup => {
                on_events(&batch);
                batch.clear();
            }
            settled = &mut scheduled => break settled,
            () = sleep(FLUSH_INTERVAL), if has_lookup => {
                flush_events(&mut received, &mut on_events);
            }
        }
    };
    run.outcomes.settle(units, settled);
    flush_events(&mut received, &mut on_events);

    let mut outcomes = run.outcomes.take();
    outcomes.extend(plan.fresh().map(|name| (name.clone(), ModuleOutcome::Fresh)));
    BuildReport { outcomes, backend_calls: run.calls.load(Ordering::Relaxed) }
}

/// Passes on all events that have been sent by now.
fn flush_events(
    received: &mut mpsc::UnboundedReceiver<BuildEvent>,
    on_events: &mut impl FnMut(&[BuildEvent]),
) {
    let batch: Vec<BuildEvent> = iter::from_fn(|| received.try_recv().ok()).collect();
    if !batch.is_empty() {
        on_events(&batch);
    }
}

impl Run {
    fn new(
        project: &Arc<Project>,
        plan: &Plan,
        generator: &Generator,
        options: &BuildOptions,
        events: mpsc::UnboundedSender<BuildEvent>,
    ) -> Self {
        let kind = plan.kind();
        let refusals = plan
            .stale()
            .filter_map(|(name, planned)| Some((name.clone(), planned.refusal.clone()?)));
        let missing = plan
            .stale()
            .filter(|(_, planned)| generator.lookup.is_some() && planned.is_missing())
            .map(|(name, _)| name.clone());
        Self {
            generator: generator.clone(),
            options: options.clone(),
            contexts: Contexts::new(Arc::clone(project), kind),
            writer: Writer::new(Arc::clone(project), kind, options),
            outcomes: Outcomes::new(events),
            refusals: refusals.collect(),
            missing: missing.collect(),
            calls: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Stops the run at the first failure, if the options say so.
    fn fail_fast(&self, event: Event<'_, ModuleName>) -> ControlFlow<()> {
        match event {
            Event::Failed { .. } | Event::Panicked { .. } if self.options.fail_fast => {
                self.is_stopping.store(true, Ordering::Relaxed);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

/// Lets nothing more be started once nobody waits for the run any more.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl From<Problem> for Vec<Problem> {
    fn from(problem: Problem) -> Self {
        vec![problem]
    }
}
