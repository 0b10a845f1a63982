//! Generation, then pytest.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_builder::{BuildEvent, BuildOptions, BuildReport, GeneratorBackend, Plan, Project};
use jaunt_digest::ModuleName;
use jaunt_pytest::{OutputMode, PytestCommand, PytestError, PytestResult};

use crate::python_path::{import_options, python_path};
use crate::report::TestReport;
use crate::select::{TestFile, arguments, runnable};

/// How pytest is run.
#[derive(Clone, Debug)]
pub struct PytestSettings {
    /// The project's interpreter.
    pub python: Utf8PathBuf,
    /// The project's own arguments for pytest.
    pub args: Vec<String>,
    /// Folders, relative to the project root, that imports start from before all others.
    pub source_roots: Vec<String>,
    /// Run only these tests, by node id, as far as they belong to the files selected; everything
    /// where none does.
    pub only: Vec<String>,
    /// Where pytest's own output goes.
    pub output: OutputMode,
    /// The run is ended after this time; there is no limit where it is none.
    pub timeout: Option<Duration>,
    /// Time between asking pytest to end and ending it.
    pub grace: Duration,
}

/// What happens during a run, in order.
#[derive(Debug)]
pub enum TestEvent<'a> {
    /// What there is to tell of the test modules that are generated.
    Build(&'a [BuildEvent]),
    /// Generation is over, and pytest begins. Nothing is written from here on.
    Generated(&'a BuildReport),
    /// Something about a test.
    Pytest(&'a jaunt_pytest::PytestEvent),
}

/// Generates the test modules that the plan names, then runs pytest on all that were selected.
///
/// # Errors
///
/// When pytest cannot be started.
#[expect(clippy::too_many_arguments, reason = "those of `build`, and pytest's settings")]
pub async fn test<B: GeneratorBackend + 'static>(
    project: &Arc<Project>,
    plan: &Plan,
    backend: &Arc<B>,
    options: &BuildOptions,
    pytest: Option<&PytestSettings>,
    weight: impl FnMut(&ModuleName) -> u64,
    mut on_event: impl FnMut(TestEvent<'_>),
    stop: impl Future<Output = ()>,
) -> Result<TestReport, PytestError> {
    let mut stop = pin!(stop);
    // A future that has completed must not be asked again.
    let is_stopped = Cell::new(false);
    let generation = jaunt_builder::build(
        project,
        plan,
        backend,
        options,
        weight,
        |events| on_event(TestEvent::Build(events)),
        async {
            stop.as_mut().await;
            is_stopped.set(true);
        },
    )
    .await;
    let stop = async {
        if !is_stopped.get() {
            stop.await;
        }
    };
    run(project, generation, pytest, on_event, stop).await
}

/// Runs pytest on every generated test file of a generation that is over.
///
/// Without settings, without files, and after a generation that was stopped, pytest is not run.
///
/// # Errors
///
/// When pytest cannot be started.
pub async fn run(
    project: &Project,
    generation: BuildReport,
    pytest: Option<&PytestSettings>,
    mut on_event: impl FnMut(TestEvent<'_>),
    stop: impl Future<Output = ()>,
) -> Result<TestReport, PytestError> {
    on_event(TestEvent::Generated(&generation));
    let files = runnable(project, &generation);
    let arguments = pytest.map_or_else(Vec::new, |it| arguments(&files, &generation, &it.only));
    let was_stopped = generation.cancelled().next().is_some();
    let result = match pytest {
        Some(settings) if !files.is_empty() && !was_stopped => {
            let on_event = |event: &jaunt_pytest::PytestEvent| on_event(TestEvent::Pytest(event));
            Some(run_pytest(project, &files, arguments, settings, on_event, stop).await?)
        }
        _ => None,
    };
    Ok(TestReport { generation, pytest: result })
}

async fn run_pytest(
    project: &Project,
    files: &[TestFile],
    arguments: Vec<Utf8PathBuf>,
    settings: &PytestSettings,
    on_event: impl FnMut(&jaunt_pytest::PytestEvent),
    stop: impl Future<Output = ()>,
) -> Result<PytestResult, PytestError> {
    let mut args = import_options(project, files, &settings.args);
    args.extend(settings.args.iter().cloned());
    let command = PytestCommand {
        python: settings.python.clone(),
        root: project.root().to_owned(),
        files: arguments,
        args,
        python_path: python_path(project, &settings.source_roots),
        env: BTreeMap::new(),
        output: settings.output,
        timeout: settings.timeout,
        grace: settings.grace,
    };
    jaunt_pytest::run(&command, on_event, stop).await
}
