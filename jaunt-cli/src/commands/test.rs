//! `jaunt test`

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jaunt_builder::Plan;
use jaunt_digest::{Kind, ModuleName};
use jaunt_pytest::{OutputMode, PytestResult, RunState};
use jaunt_tester::{
    PytestSettings, TestEvent, TestFile, TestReport, failed_modules, failed_tests, origin,
    runnable, with_tests,
};

use crate::args::TestArgs;
use crate::commands::generate::{Loaded, Phase, generate, load};
use crate::document::{self, BuildDocument, FailedModule, Pytest, TestDocument};
use crate::error::{CommandError, CommandResult, ErrorKind, Exit};
use crate::progress::TestProgress;
use crate::project::{Session, Targets, Workspace};
use crate::state::{self, ProjectLock};
use jaunt_process::{Invocation, Limits, ProcessError};
use jaunt_text::last_lines;

/// How much of pytest's own output goes into a JSON document, in bytes.
const MAX_OUTPUT: usize = 1 << 20;

/// Time between asking pytest to end and ending it.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) async fn run(session: &Session, args: &TestArgs) -> CommandResult<Exit> {
    let started = tokio::time::Instant::now();
    let workspace = Workspace::open(session)?;
    let lock = if args.generate.dry_run {
        ProjectLock::NotNeeded
    } else {
        state::lock(session, &workspace.root, "jaunt test", args.generate.no_wait).await?
    };
    let loaded = load(session, &workspace, &[Kind::Build, Kind::Test]).await?;
    loaded.expect_specs(Kind::Test, args.generate.allow_empty)?;
    let (build_targets, test_targets) = targets(&loaded, &args.generate.targets)?;

    let mut document = TestDocument::new();
    let mut lock = Some(lock);
    if !args.no_build {
        let plan = loaded.plan(Kind::Build, &args.generate, build_targets);
        expect_pytest(session, &workspace, args, &plan).await?;
        prepare(&mut lock, &loaded, &plan)?;
        let phase = generate(session, &workspace, &loaded, plan, &args.generate).await?;
        announce(session, &phase);
        let exit = phase.exit;
        document.build = Some(phase.document);
        if exit != Exit::Success {
            return Ok(finish(session, document, exit, started));
        }
    }

    let plan = loaded.plan(Kind::Test, &args.generate, test_targets);
    if document.build.as_ref().is_none_or(|build| build.generated.is_empty()) {
        expect_pytest(session, &workspace, args, &plan).await?;
    }
    prepare(&mut lock, &loaded, &plan)?;
    let phase = generate(session, &workspace, &loaded, plan, &args.generate).await?;
    announce(session, &phase);
    // Nothing is written from here on, and tests may take long.
    drop(lock);
    document.generation = Some(phase.document);
    let Some(generation) = phase.report else {
        return Ok(finish(session, document, phase.exit, started));
    };
    if args.no_run {
        return Ok(finish(session, document, phase.exit, started));
    }

    let files = runnable(&loaded.project, &generation);
    if generation.outcomes.is_empty() && !args.generate.allow_empty {
        return Err(CommandError::new(ErrorKind::Empty, "no test module belongs to these targets")
            .hint("name a test module, or a product module that a test names in its `targets`")
            .hint("`--allow-empty` accepts a run without tests"));
    }
    let mut settings = settings(session, &workspace, &loaded, args);
    if args.rerun_failed {
        settings.only = state::failed_tests(&workspace.root);
    }
    let stop = session.stop.requested();
    let progress = TestProgress::new(&session.ui, args.generate.progress());
    let on_event = |event: TestEvent<'_>| {
        if let TestEvent::Pytest(event) = event {
            progress.event(event);
        }
    };
    let report =
        jaunt_tester::run(&loaded.project, generation, Some(&settings), on_event, stop).await?;
    drop(progress);
    let exit = judge(session, &report, phase.exit, args.generate.allow_empty);
    if let Some(result) = &report.pytest {
        remember(session, &workspace, &loaded, &files, args, result);
    }
    document.pytest = report.pytest.map(|result| Pytest {
        origins: result
            .failures
            .iter()
            .map(|failure| origin(&loaded.project, &files, failure))
            .collect(),
        failed_modules: failed_modules(&loaded.project, &files, &result)
            .into_iter()
            .map(|(file, it)| (file, FailedModule { module: it.module, specs: it.specs }))
            .collect(),
        result,
    });
    Ok(finish(session, document, exit, started))
}

/// The modules of one kind that are asked for; none for everything.
type Selection = Option<BTreeSet<ModuleName>>;

/// The modules of both kinds that the targets ask for.
fn targets(loaded: &Loaded, targets: &[String]) -> CommandResult<(Selection, Selection)> {
    if targets.is_empty() {
        return Ok((None, None));
    }
    let targets = Targets::resolve(&loaded.registry, targets)?;
    let (build, test) = with_tests(&loaded.project, targets.build, targets.test);
    Ok((Some(build), Some(test)))
}

/// Fails before anything is paid for, where pytest is going to be needed and is not there.
async fn expect_pytest(
    session: &Session,
    workspace: &Workspace,
    args: &TestArgs,
    plan: &Plan,
) -> CommandResult<()> {
    if plan.is_empty() || args.no_run || args.generate.dry_run {
        return Ok(());
    }
    let invocation = Invocation {
        program: workspace.python.to_string(),
        args: vec!["-c".to_owned(), "import pytest".to_owned()],
        cwd: workspace.root.clone(),
        env: BTreeMap::new(),
        stdin: Vec::new(),
        limits: Limits {
            time: Duration::from_secs(60),
            grace: Duration::from_secs(1),
            stdout: 1 << 16,
            stderr: 1 << 16,
        },
    };
    let error = match jaunt_process::run(&invocation, &session.stop.level()).await {
        Ok(done) if done.status.success() => return Ok(()),
        // The run itself says that it was stopped.
        Err(ProcessError::Stopped) => return Ok(()),
        Ok(done) => {
            let printed = String::from_utf8_lossy(&done.stderr);
            let message = format!("`{}` cannot import pytest", workspace.python);
            let mut error = CommandError::new(ErrorKind::Config, message);
            error.causes = last_lines(&printed, 1, 200);
            error.hint(format!("`{} -m pip install pytest` installs it", workspace.python))
        }
        Err(err) => CommandError::of(ErrorKind::Config, &err),
    };
    Err(error
        .hint("`--python PATH` names another interpreter, and `--no-run` generates without it"))
}

/// What has to be true before the first file of a phase is written.
fn prepare(lock: &mut Option<ProjectLock>, loaded: &Loaded, plan: &Plan) -> CommandResult<()> {
    if let Some(held) = lock.take() {
        held.sweep(&loaded.project)?;
        *lock = Some(if plan.is_empty() { held } else { held.require()? });
    }
    Ok(())
}

fn announce(session: &Session, phase: &Phase) {
    session.ui.summary(phase.summary());
    phase.complain(session);
}

fn settings(
    session: &Session,
    workspace: &Workspace,
    loaded: &Loaded,
    args: &TestArgs,
) -> PytestSettings {
    let seconds = args.pytest_timeout.or(workspace.engine.pytest.timeout);
    PytestSettings {
        python: workspace.python.clone(),
        args: loaded.settings.pytest_args.iter().chain(&args.pytest_args).cloned().collect(),
        source_roots: loaded.settings.source_roots.clone(),
        only: Vec::new(),
        output: if session.ui.is_json() {
            OutputMode::Capture { limit: MAX_OUTPUT }
        } else {
            OutputMode::Stream
        },
        timeout: seconds.map(Duration::from_secs_f64),
        grace: GRACE,
    }
}

/// Keeps what failed for `--rerun-failed`, and what failed before and was not run.
fn remember(
    session: &Session,
    workspace: &Workspace,
    loaded: &Loaded,
    files: &[TestFile],
    args: &TestArgs,
    result: &PytestResult,
) {
    let mut failed = failed_tests(&loaded.project, files, result);
    // A run that ended early, or that arguments have narrowed, says nothing of the others.
    let is_whole = result.complete && args.pytest_args.is_empty();
    let was_run = |test: &String| {
        let file = test.split("::").next().unwrap_or(test);
        is_whole && files.iter().any(|it| it.path == file)
    };
    failed.extend(state::failed_tests(&workspace.root).into_iter().filter(|it| !was_run(it)));
    failed.sort();
    failed.dedup();
    if let Err(err) = state::keep_failed_tests(&workspace.root, &failed) {
        session.ui.detail(format!("What failed is not kept for --rerun-failed: {err}"));
    }
}

/// The exit code of a run: what was not generated weighs more than what did not pass.
fn judge(session: &Session, report: &TestReport, generation: Exit, allow_empty: bool) -> Exit {
    if let Some(number) = session.stop.signal() {
        return Exit::Signal(number);
    }
    if generation != Exit::Success {
        return generation;
    }
    match &report.pytest {
        Some(result) if report.is_ok() && result.passed() => Exit::Success,
        Some(PytestResult { state: RunState::TimedOut { .. }, .. }) => Exit::TimeLimit,
        Some(PytestResult { state: RunState::NoTests, .. }) if allow_empty => Exit::Success,
        Some(_) => Exit::Tests,
        None if allow_empty => Exit::Success,
        None => Exit::Usage,
    }
}

fn finish(
    session: &Session,
    mut document: TestDocument,
    exit: Exit,
    started: tokio::time::Instant,
) -> Exit {
    document.ok = exit == Exit::Success;
    document.exit_code = exit.code();
    document.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    for phase in [&mut document.build, &mut document.generation].into_iter().flatten() {
        phase.command = "test";
    }
    if session.ui.is_json() {
        session.ui.result(&document::render(&document));
    } else if let Some(pytest) = &document.pytest {
        session.ui.summary(summary(&pytest.result));
    }
    exit
}

/// One sentence, and what makes the result less than certain.
fn summary(result: &PytestResult) -> String {
    let counts = &result.counts;
    let mut parts = vec![format!("{} passed", counts.passed)];
    for (number, what) in [
        (counts.failed, "failed"),
        (counts.errors, "errors"),
        (counts.skipped, "skipped"),
        (counts.xfailed, "xfailed"),
        (counts.xpassed, "xpassed"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    let verdict = if result.passed() { "Tests passed" } else { "Tests did not pass" };
    let mut lines = vec![format!("{verdict}: {}.", parts.join(", "))];
    lines.extend(ending(result));
    let failures = result.failures.iter();
    lines.extend(failures.map(|it| format!("  {}: {}", it.node_id, first_line(&it.message))));
    lines.extend(result.doubts.iter().map(|doubt| format!("  {doubt}")));
    lines.join("\n")
}

/// How the run ended, where that is not the usual way.
fn ending(result: &PytestResult) -> Option<String> {
    let text = match &result.state {
        RunState::Finished => return None,
        RunState::NoTests => "no test was run".to_owned(),
        RunState::TimedOut { .. } => "the time limit ended it".to_owned(),
        RunState::Interrupted { reason } => format!("it was cut short: {}", first_line(reason)),
        RunState::NotStarted { message }
        | RunState::NotLoaded { message }
        | RunState::InternalError { message } => first_line(message).to_owned(),
        RunState::Crashed { .. } if result.running.is_empty() => "pytest died".to_owned(),
        RunState::Crashed { .. } => format!("pytest died in {}", result.running.join(", ")),
        _ => "it did not finish".to_owned(),
    };
    Some(format!("  {text}"))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

impl TestDocument {
    fn new() -> Self {
        Self {
            schema: "jaunt.test/1",
            command: "test",
            ok: false,
            exit_code: 0,
            build: None::<BuildDocument>,
            generation: None,
            pytest: None,
            duration_ms: 0,
        }
    }
}
