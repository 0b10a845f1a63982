//! Runs a plan: the generator, the journal, and what was learned.

use jaunt_builder::{Attempts, BuildOptions, BuildReport, Plan};
use jaunt_digest::Kind;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::event::EngineEvent;
use crate::generate_options::GenerateOptions;
use crate::kind_run::KindRun;
use crate::load::Loaded;
use crate::notice::Notice;
use crate::state::durations::{Durations, Stopwatch};
use crate::state::journal::Journal;

/// The backend that looks its answers up.
const REPLAY: &str = "replay";

/// How often a module is asked for unless somebody says otherwise.
const MAX_ATTEMPTS: u32 = 2;

impl Engine {
    /// Runs a plan, unless it is a dry run.
    pub(crate) async fn generate(
        &self,
        loaded: &Loaded,
        plan: Plan,
        options: &GenerateOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<KindRun, EngineError> {
        on_event(EngineEvent::Planned(&plan));
        if options.dry_run {
            return Ok(KindRun::planned(plan));
        }
        if plan.is_empty() {
            return Ok(KindRun::nothing_to_do(plan));
        }
        let (report, backend) = self.run_plan(loaded, &plan, options, on_event).await?;
        Ok(KindRun::done(plan, report, backend))
    }

    async fn run_plan(
        &self,
        loaded: &Loaded,
        plan: &Plan,
        options: &GenerateOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<(BuildReport, &'static str), EngineError> {
        let backend = self.generator(&options.generator)?;
        let mut durations = Durations::load(self.root());
        let mut stopwatch = Stopwatch::default();
        let mut journal = Journal::begin(&loaded.project, &loaded.registry, plan)?;
        let build_options = BuildOptions {
            jobs: options.jobs.unwrap_or(match plan.kind() {
                Kind::Build => loaded.settings.build_jobs,
                Kind::Test => loaded.settings.test_jobs,
            }),
            attempts: Attempts::at_most(
                options.max_attempts.or(self.settings.backend.max_attempts).unwrap_or(MAX_ATTEMPTS),
            ),
            fail_fast: options.fail_fast,
            adopt: options.adopt,
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let report = jaunt_builder::build(
            &loaded.project,
            plan,
            backend.generator(),
            &build_options,
            |module| durations.expected(&loaded.project, module),
            |events| {
                journal.events(events);
                events.iter().for_each(|event| stopwatch.event(event));
                on_event(EngineEvent::Build(events));
            },
            self.stopped(),
        )
        .await;
        journal.end()?;
        // How long it takes to look something up says nothing of how long it takes to make it.
        if backend.name() != REPLAY && stopwatch.teach(&mut durations, &loaded.project) {
            durations.save(self.root());
        }
        for (module, error) in backend.take_record_failures() {
            self.notice(Notice::NotRecorded { module: &module, error: &error });
        }
        Ok((report, backend.name()))
    }
}
