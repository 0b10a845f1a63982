//! What `build` and `test` share: flags for the generator, progress, and the result for one kind of modules.

use std::time::Duration;

use jaunt_builder::{Plan, Staleness};
use jaunt_digest::Kind;
use jaunt_engine::{EngineEvent, GenerateOptions, GeneratorOptions, KindRun};
use jaunt_report::{Backend, BuildDocument};
use jaunt_text::count;
use tokio::time::Instant;

use crate::args::GenerateArgs;
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::exit::Exit;
use crate::progress::Progress;
use crate::session::Session;
use crate::ui::Tone;

/// Returns what the flags ask for.
pub(crate) fn options(session: &Session, args: &GenerateArgs) -> CommandResult<GenerateOptions> {
    let command = match &args.backend_command {
        Some(line) => Some(shell_words::split(line).map_err(|err| {
            CommandError::new(ErrorKind::Usage, format!("`--backend-command {line}`: {err}"))
        })?),
        None => None,
    };
    Ok(GenerateOptions {
        targets: args.targets.clone(),
        force: args.force,
        dry_run: args.dry_run,
        jobs: args.jobs,
        max_attempts: args.max_attempts,
        fail_fast: args.fail_fast,
        adopt: args.adopt,
        allow_empty: args.allow_empty,
        no_wait: args.no_wait,
        generator: GeneratorOptions {
            backend: args.backend,
            command,
            store: args.store.as_deref().map(|dir| session.path(dir)),
            record: args.record.as_deref().map(|dir| session.path(dir)),
            timeout: args.timeout.map(Duration::from_secs_f64),
            max_output: args.max_output,
            instructions: args.instructions.clone(),
        },
    })
}

/// Shows what happens to modules, kind after kind.
pub(crate) struct Watcher<'a> {
    session: &'a Session,
    args: &'a GenerateArgs,
    progress: Option<Progress>,
    /// When the modules of this kind were begun.
    started: Instant,
    /// Whether the problems of each module are shown as they come.
    shows_problems: bool,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(session: &'a Session, args: &'a GenerateArgs) -> Self {
        let started = Instant::now();
        Self { session, args, progress: None, started, shows_problems: true }
    }

    pub(crate) fn event(&mut self, event: &EngineEvent<'_>) {
        match event {
            EngineEvent::Planned(plan) => {
                self.started = Instant::now();
                if self.args.explain {
                    explain(self.session, plan);
                }
                if !self.args.dry_run && !plan.is_empty() {
                    let total = plan.stale().count();
                    let progress = Progress::new(&self.session.ui, self.args.progress(), total);
                    self.shows_problems = progress.shows_problems();
                    self.progress = Some(progress);
                }
            }
            EngineEvent::Build(events) => {
                if let Some(progress) = &mut self.progress {
                    events.iter().for_each(|event| progress.event(event));
                }
            }
            _ => self.progress = None,
        }
    }

    /// Describes what became of one kind of modules.
    pub(crate) fn result(&self, run: &KindRun) -> Generation {
        Generation::new(self.session, run, self.started, self.shows_problems)
    }
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

/// What became of one kind of modules, for programs and for people.
pub(crate) struct Generation {
    pub(crate) exit: Exit,
    pub(crate) document: BuildDocument,
    noun: &'static str,
    n_stale: usize,
    shows_problems: bool,
}

impl Generation {
    fn new(session: &Session, run: &KindRun, started: Instant, shows_problems: bool) -> Self {
        let exit = match session.stop.signal() {
            _ if run.is_ok() => Exit::Success,
            Some(number) if run.report.is_some() => Exit::Signal(number),
            _ => Exit::Generation,
        };
        let document = match (run.plan(), &run.report) {
            (Some(plan), Some(report)) => {
                let name = run.backend.map(str::to_owned);
                let backend = Backend { name, calls: report.backend_calls };
                let mut document = BuildDocument::done(plan, report, backend, exit.code());
                document.duration_ms =
                    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
                document
            }
            (Some(plan), None) => BuildDocument::planned(plan, run.fresh(), exit.code()),
            (None, report) => BuildDocument::fresh(run.fresh(), report.is_none()),
        };
        Self {
            exit,
            document,
            noun: noun(run.kind()),
            n_stale: run.plan().map_or(0, |plan| plan.stale().count()),
            shows_problems,
        }
    }

    /// Shows the result to a person: one sentence, and the error that a failure ends with.
    pub(crate) fn show(&self, session: &Session) {
        session.ui.summary(self.summary());
        self.print_error(session);
    }

    fn summary(&self) -> String {
        let document = &self.document;
        if document.dry_run {
            return self.dry_run_summary();
        }
        if document.generated.is_empty() && self.exit == Exit::Success {
            return nothing_to_do(document.skipped.len(), self.noun);
        }
        let mut parts: Vec<String> = Vec::new();
        for (number, what) in [
            (document.generated.len(), "generated"),
            (document.skipped.len(), "fresh"),
            (document.failed.len(), "failed"),
            (document.blocked.len(), "blocked"),
            (document.cancelled.len(), "not started"),
        ] {
            match number {
                0 => {}
                // The first one says of what.
                _ if parts.is_empty() => parts.push(format!("{} {what}", count(number, self.noun))),
                _ => parts.push(format!("{number} {what}")),
            }
        }
        let seconds = Duration::from_millis(document.duration_ms).as_secs_f64();
        let digits = if seconds < 1.0 { 2 } else { 1 };
        format!("{} in {seconds:.digits$} s.", parts.join(", "))
    }

    fn dry_run_summary(&self) -> String {
        let document = &self.document;
        let (generated, n_fresh) = (&document.generated, document.skipped.len());
        if self.n_stale == 0 {
            return nothing_to_do(n_fresh, self.noun);
        }
        let mut lines =
            vec![format!("Would generate {}; {n_fresh} fresh.", count(generated.len(), self.noun))];
        lines.extend(generated.iter().map(|name| format!("  {name}")));
        let refused = document.failed.iter();
        lines.extend(refused.map(|(name, why)| format!("  {name}: {}", why.join("; "))));
        let blocked = document.blocked.iter();
        lines.extend(blocked.map(|(name, it)| format!("  {name}: blocked by `{}`", it.cause)));
        lines.join("\n")
    }

    fn print_error(&self, session: &Session) {
        if session.ui.is_json() || self.exit == Exit::Success {
            return;
        }
        let document = &self.document;
        let message = match self.exit {
            Exit::Signal(_) => "interrupted; finished modules are kept".to_owned(),
            _ if document.dry_run => {
                format!("would refuse {}", count(document.failed.len(), "module"))
            }
            _ => format!(
                "could not generate {} of {}",
                document.failed.len() + document.blocked.len(),
                count(self.n_stale, "module")
            ),
        };
        let mut err = CommandError::new(ErrorKind::Internal, message);
        if !self.shows_problems {
            let failed = document.failed.iter();
            err.causes
                .extend(failed.map(|(name, problems)| format!("{name}: {}", problems.join("; "))));
        }
        if matches!(self.exit, Exit::Signal(_)) {
            err = err.hint("run the same command again to continue");
        }
        session.ui.error(&err);
    }
}

/// Returns what modules of a kind are called.
pub(crate) fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Build => "module",
        Kind::Test => "test module",
    }
}

/// Returns what is said if everything is fresh.
pub(crate) fn nothing_to_do(n_fresh: usize, noun: &str) -> String {
    match n_fresh {
        0 => format!("Nothing to do: there are no {noun}s."),
        1 => format!("Nothing to do: the only {noun} is fresh."),
        n_fresh => format!("Nothing to do: all {n_fresh} {noun}s are fresh."),
    }
}
