//! What `build` and `test` share: load, plan, generate, report.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use jaunt_builder::{
    BuildOptions, BuildReport, Force, OnDisk, Plan, PlanOptions, Project, Staleness,
};
use jaunt_digest::{Kind, ModuleName, Registry};

use crate::args::GenerateArgs;
use crate::choose;
use crate::document::{Backend, BuildDocument};
use crate::durations::{Durations, Stopwatch};
use crate::error::{CommandError, CommandResult, ErrorKind, Exit};
use crate::journal::Journal;
use crate::progress::Progress;
use crate::project::{Session, Settings, Targets, Workspace};
use crate::registry::{self, Document};
use crate::ui::{Tone, count};

/// The backend that makes nothing.
const REPLAY: &str = "replay";

/// Everything that a plan is made from.
pub(crate) struct Loaded<P = Project> {
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) project: Arc<P>,
}

/// Reads the registry and the sources of all specs of these kinds.
pub(crate) async fn load(
    session: &Session,
    workspace: &Workspace,
    kinds: &[Kind],
) -> CommandResult<Loaded> {
    let mut document = registry::find(session, workspace).await?;
    let (registry, settings) = read(session, workspace, &mut document)?;
    let project = Project::load(&workspace.root, &registry, &settings.layout, kinds)?;
    Ok(Loaded { registry, settings, project: Arc::new(project) })
}

/// Reads a registry that was found, the sources, and the files generated for them.
pub(crate) fn load_with_outputs(
    session: &Session,
    workspace: &Workspace,
    document: &mut Document,
    kinds: &[Kind],
) -> CommandResult<(Loaded, BTreeMap<ModuleName, OnDisk>)> {
    let (registry, settings) = read(session, workspace, document)?;
    let (project, outputs) =
        Project::load_with_on_disk(&workspace.root, &registry, &settings.layout, kinds)?;
    Ok((Loaded { registry, settings, project: Arc::new(project) }, outputs))
}

/// Reads a registry that was found, and passes its warnings on.
pub(crate) fn read(
    session: &Session,
    workspace: &Workspace,
    document: &mut Document,
) -> CommandResult<(Registry, Settings)> {
    let registry = document.registry()?;
    for warning in &registry.warnings {
        session.ui.labelled(Tone::Note, "warning:", warning);
    }
    let settings = workspace.settings(&registry)?;
    Ok((registry, settings))
}

impl<P> Loaded<P> {
    /// Fails unless there are specs, or none were expected.
    pub(crate) fn expect_any_specs(&self, allow_empty: bool) -> CommandResult<()> {
        if allow_empty || !self.registry.specs.is_empty() {
            return Ok(());
        }
        Err(CommandError::new(ErrorKind::Empty, "the registry has no specs")
            .hint("decorate a function or class with `@jaunt.magic`")
            .hint("`--allow-empty` accepts a registry without them"))
    }
}

impl Loaded {
    /// Fails unless there are specs of this kind, or none were expected.
    pub(crate) fn expect_specs(&self, kind: Kind, allow_empty: bool) -> CommandResult<()> {
        if allow_empty || self.project.of_kind(kind).next().is_some() {
            return Ok(());
        }
        let (what, decorator) = match kind {
            Kind::Build => ("magic specs", "@jaunt.magic"),
            Kind::Test => ("test specs", "@jaunt.test"),
        };
        Err(CommandError::new(ErrorKind::Empty, format!("the registry has no {what}"))
            .hint(format!("decorate a function or class with `{decorator}`"))
            .hint("`--allow-empty` accepts a registry without them"))
    }

    /// The plan for one kind. `targets` is none for everything.
    pub(crate) fn plan(
        &self,
        kind: Kind,
        args: &GenerateArgs,
        targets: Option<BTreeSet<ModuleName>>,
    ) -> Plan {
        self.plan_from(&self.project.read_on_disk(), kind, args, targets)
    }

    /// The plan for one kind and what was found on disk.
    pub(crate) fn plan_from(
        &self,
        outputs: &BTreeMap<ModuleName, OnDisk>,
        kind: Kind,
        args: &GenerateArgs,
        targets: Option<BTreeSet<ModuleName>>,
    ) -> Plan {
        let force = match (args.force, &targets) {
            (false, _) => Force::Nothing,
            (true, None) => Force::Everything,
            // Targets may have brought others along, which nobody named.
            (true, Some(_)) => Force::These(named(&self.registry, &args.targets)),
        };
        let unfinished = Journal::unfinished(&self.project);
        let options = PlanOptions { targets, force, adopt: args.adopt, unfinished };
        Plan::new(&self.project, kind, outputs, &options)
    }
}

/// The modules that targets name. They were found before.
fn named(registry: &Registry, targets: &[String]) -> BTreeSet<ModuleName> {
    let targets = Targets::resolve(registry, targets).unwrap_or_default();
    targets.build.into_iter().chain(targets.test).collect()
}

/// What one kind of modules came to.
pub(crate) struct Phase {
    pub(crate) plan: Plan,
    /// None for a dry run.
    pub(crate) report: Option<BuildReport>,
    pub(crate) exit: Exit,
    pub(crate) document: BuildDocument,
    /// Whether the problems of each module were shown as they came.
    has_shown_problems: bool,
}

/// Generates what the plan names, or says what it would.
pub(crate) async fn generate(
    session: &Session,
    workspace: &Workspace,
    loaded: &Loaded,
    plan: Plan,
    args: &GenerateArgs,
) -> CommandResult<Phase> {
    let started = tokio::time::Instant::now();
    if args.dry_run {
        return Ok(dry_run(session, plan, args));
    }
    if args.explain {
        explain(session, &plan);
    }

    let (report, backend, has_shown_problems) = if plan.is_empty() {
        (nothing_to_do(&plan), Backend::default(), true)
    } else {
        run(session, workspace, loaded, &plan, args).await?
    };
    let exit = match session.stop.signal() {
        Some(number) if !report.is_ok() => Exit::Signal(number),
        _ if report.is_ok() => Exit::Success,
        _ => Exit::Generation,
    };
    let mut document = BuildDocument::done(&plan, &report, exit, backend);
    document.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Phase { plan, report: Some(report), exit, document, has_shown_problems })
}

/// Says what would be generated.
pub(crate) fn dry_run(session: &Session, plan: Plan, args: &GenerateArgs) -> Phase {
    if args.explain {
        explain(session, &plan);
    }
    let is_refused = plan.stale().any(|(_, planned)| planned.refusal.is_some());
    let exit = if is_refused { Exit::Generation } else { Exit::Success };
    let document = BuildDocument::planned(&plan, exit);
    Phase { plan, report: None, exit, document, has_shown_problems: true }
}

fn nothing_to_do(plan: &Plan) -> BuildReport {
    let fresh = plan.fresh().map(|name| (name.clone(), jaunt_builder::ModuleOutcome::Fresh));
    BuildReport { outcomes: fresh.collect(), backend_calls: 0 }
}

async fn run(
    session: &Session,
    workspace: &Workspace,
    loaded: &Loaded,
    plan: &Plan,
    args: &GenerateArgs,
) -> CommandResult<(BuildReport, Backend, bool)> {
    let backend = Arc::new(choose::backend(session, workspace, args)?);
    let mut progress = Progress::new(&session.ui, args.progress(), plan.stale().count());
    let durations = Durations::load(&workspace.root);
    let mut stopwatch = Stopwatch::default();
    let mut journal = Journal::begin(&loaded.project, &loaded.registry, plan)?;
    let options = BuildOptions {
        jobs: jobs(plan.kind(), &loaded.settings, args),
        max_attempts: args.max_attempts.or(workspace.engine.backend.max_attempts).unwrap_or(2),
        fail_fast: args.fail_fast,
        adopt: args.adopt,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let report = jaunt_builder::build(
        &loaded.project,
        plan,
        &backend,
        &options,
        |module| durations.expected(&loaded.project, module),
        |events| {
            journal.events(events);
            for event in events {
                stopwatch.event(event);
                progress.event(event);
            }
        },
        session.stop.requested(),
    )
    .await;
    journal.end()?;
    // How long it takes to look something up says nothing of how long it takes to make it.
    if backend.name() != REPLAY {
        let mut durations = durations;
        if stopwatch.teach(&mut durations, &loaded.project) {
            durations.keep(&workspace.root);
        }
    }
    for (module, err) in backend.take_record_failures() {
        let err = CommandError::of(ErrorKind::Io, &err);
        session.ui.labelled(Tone::Bad, "not recorded", format!("{module}: {}", err.message));
    }
    let backend = Backend { name: Some(backend.name().to_owned()), calls: report.backend_calls };
    Ok((report, backend, progress.shows_problems()))
}

fn jobs(kind: Kind, settings: &Settings, args: &GenerateArgs) -> NonZeroUsize {
    args.jobs.unwrap_or(match kind {
        Kind::Build => settings.build_jobs,
        Kind::Test => settings.test_jobs,
    })
}

/// Says why each stale module is stale.
fn explain(session: &Session, plan: &Plan) {
    for (name, planned) in plan.stale() {
        for reason in Staleness::telling(&planned.reasons) {
            session.ui.labelled(Tone::Note, "stale", format!("{name}: {reason}"));
        }
        if let Some(refusal) = &planned.refusal {
            session.ui.labelled(Tone::Bad, "refused", format!("{name}: {refusal}"));
        }
    }
}

/// What is said where everything is fresh.
pub(crate) fn nothing_to_generate(n_fresh: usize, noun: &str) -> String {
    format!("Nothing to generate: {} fresh.", count(n_fresh, noun))
}

/// What a dry run says, without the names.
pub(crate) fn would_generate(n_stale: usize, noun: &str, n_fresh: usize) -> String {
    format!("Would generate {}; {n_fresh} fresh.", count(n_stale, noun))
}

impl Phase {
    /// One sentence for people.
    pub(crate) fn summary(&self) -> String {
        let document = &self.document;
        let noun = match self.plan.kind() {
            Kind::Build => "module",
            Kind::Test => "test module",
        };
        if document.dry_run {
            let (n_stale, n_fresh) = (document.generated.len(), document.skipped.len());
            let mut lines = vec![would_generate(n_stale, noun, n_fresh)];
            lines.extend(document.generated.iter().map(|name| format!("  {name}")));
            let refused = document.failed.iter();
            lines.extend(refused.map(|(name, why)| format!("  {name}: {}", why.join("; "))));
            let blocked = document.blocked.iter();
            lines.extend(blocked.map(|(name, it)| format!("  {name}: blocked by `{}`", it.cause)));
            return lines.join("\n");
        }
        if document.generated.is_empty() && self.exit == Exit::Success {
            return nothing_to_generate(document.skipped.len(), noun);
        }
        let mut parts = vec![
            format!("Generated {}", count(document.generated.len(), noun)),
            format!("{} fresh", document.skipped.len()),
        ];
        for (number, what) in [
            (document.failed.len(), "failed"),
            (document.blocked.len(), "blocked"),
            (document.cancelled.len(), "not started"),
        ] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        format!("{}.", parts.join(", "))
    }

    /// The error that a failed phase ends with, for people.
    pub(crate) fn complain(&self, session: &Session) {
        if session.ui.is_json() || self.exit == Exit::Success {
            return;
        }
        let stale = self.plan.stale().count();
        let message = match self.exit {
            Exit::Signal(_) => "stopped; what was finished is kept".to_owned(),
            _ => format!(
                "could not generate {} of {}",
                self.document.failed.len() + self.document.blocked.len(),
                count(stale, "module")
            ),
        };
        let mut err = CommandError::new(ErrorKind::Internal, message);
        if !self.has_shown_problems {
            let failed = self.document.failed.iter();
            err.causes
                .extend(failed.map(|(name, problems)| format!("{name}: {}", problems.join("; "))));
        }
        if matches!(self.exit, Exit::Signal(_)) {
            err = err.hint("run the same command again to go on");
        }
        if self.document.dry_run {
            err.message = format!("would refuse {}", count(self.document.failed.len(), "module"));
        }
        session.ui.error(&err);
    }
}
