//! `jaunt test`

use std::time::Duration;

use jaunt_engine::{EngineEvent, PytestRun, TestOptions, TestRun};
use jaunt_pytest::{OutputMode, PytestResult, RunState};
use jaunt_report::{PytestDocument, TestDocument, render};
use tokio::time::Instant;

use crate::args::TestArgs;
use crate::commands::generation::{Generation, Watcher, options};
use crate::error::CommandResult;
use crate::exit::Exit;
use crate::progress::TestProgress;
use crate::session::Session;

/// How much of pytest's own output goes into a JSON document, in bytes.
const MAX_OUTPUT: usize = 1 << 20;

pub(crate) async fn run(session: &Session, args: &TestArgs) -> CommandResult<Exit> {
    let started = Instant::now();
    let engine = session.engine()?;
    let options = TestOptions {
        generate: options(session, &args.generate)?,
        no_build: args.no_build,
        no_run: args.no_run,
        pytest_args: args.pytest_args.clone(),
        pytest_timeout: args.pytest_timeout.map(Duration::from_secs_f64),
        rerun_failed: args.rerun_failed,
        output: if session.ui.is_json() {
            OutputMode::Capture { limit: MAX_OUTPUT }
        } else {
            OutputMode::Stream
        },
    };
    let mut watcher = Watcher::new(session, &args.generate);
    let mut generations = Vec::new();
    let mut tests = None;
    let mut on_event = |event: EngineEvent<'_>| match &event {
        EngineEvent::Pytest(event) => tests
            .get_or_insert_with(|| TestProgress::new(&session.ui, args.generate.progress()))
            .event(event),
        EngineEvent::Generated(run) => {
            watcher.event(&event);
            let generation = watcher.result(run);
            generation.show(session);
            generations.push(generation);
        }
        _ => watcher.event(&event),
    };
    let run = engine.test(&options, &mut on_event).await;
    drop(tests);
    let run = run.map_err(|err| session.explain(err))?;
    let exit = judge(session, &run, &generations, args.generate.allow_empty);
    show(session, run, generations, exit, started.elapsed());
    Ok(exit)
}

/// Returns the exit code of a run: what was not generated weighs more than what did not pass.
fn judge(session: &Session, run: &TestRun, generations: &[Generation], allow_empty: bool) -> Exit {
    let generation = generations.last().map_or(Exit::Success, |it| it.exit);
    if !run.reached_pytest {
        return generation;
    }
    if let Some(number) = session.stop.signal() {
        return Exit::Signal(number);
    }
    if generation != Exit::Success {
        return generation;
    }
    match &run.pytest {
        Some(pytest) if pytest.is_ok => Exit::Success,
        Some(PytestRun { result, .. }) => match result.state {
            RunState::TimedOut { .. } => Exit::TimeLimit,
            RunState::NoTests if allow_empty => Exit::Success,
            _ => Exit::Tests,
        },
        None if allow_empty => Exit::Success,
        None => Exit::Usage,
    }
}

fn show(session: &Session, run: TestRun, generations: Vec<Generation>, exit: Exit, took: Duration) {
    if !session.ui.is_json() {
        if let Some(pytest) = &run.pytest {
            session.ui.summary(summary(&pytest.result));
        }
        return;
    }
    let mut documents = generations.into_iter().map(|it| it.document);
    let build = run.build.and_then(|_| documents.next());
    let generation = run.generation.and_then(|_| documents.next());
    let pytest = run.pytest.map(|it| PytestDocument::new(it.result, it.origins, it.failed_modules));
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    session.ui.result(&render(&TestDocument::new(build, generation, pytest, exit.code(), millis)));
}

/// Returns one sentence, and what makes the result less than certain.
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

/// Returns how the run ended, unless that is the usual way.
fn ending(result: &PytestResult) -> Option<String> {
    let text = match &result.state {
        RunState::Finished => return None,
        RunState::NoTests => "no tests ran".to_owned(),
        RunState::TimedOut { .. } => "timed out".to_owned(),
        RunState::Interrupted { .. } if !result.running.is_empty() => {
            format!("interrupted; {} was running", result.running.join(", "))
        }
        RunState::Interrupted { reason } => format!("interrupted: {}", first_line(reason)),
        RunState::NotStarted { message }
        | RunState::NotLoaded { message }
        | RunState::InternalError { message } => first_line(message).to_owned(),
        RunState::Crashed { .. } if result.running.is_empty() => "pytest crashed".to_owned(),
        RunState::Crashed { .. } => format!("pytest crashed in {}", result.running.join(", ")),
        _ => "it did not finish".to_owned(),
    };
    Some(format!("  {text}"))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
