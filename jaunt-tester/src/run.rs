//! Pytest on generated tests.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use jaunt_builder::{BuildReport, Project};
use jaunt_pytest::{OutputMode, PytestCommand, PytestError, PytestEvent, PytestResult};

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
    /// Run only these tests, by node id, as far as they belong to the files selected; everything if none
    /// does.
    pub only: Vec<String>,
    /// Where pytest's own output goes.
    pub output: OutputMode,
    /// The run is ended after this time; `None` for no limit.
    pub timeout: Option<Duration>,
    /// Time between asking pytest to end and ending it.
    pub grace: Duration,
}

/// Runs pytest on every test file that a generation left fresh or generated.
///
/// Pytest is not run without settings, without files, or after a generation that was stopped.
///
/// # Errors
///
/// If pytest cannot be started.
pub async fn run(
    project: &Project,
    generation: BuildReport,
    pytest: Option<&PytestSettings>,
    on_event: impl FnMut(&PytestEvent),
    stop: impl Future<Output = ()>,
) -> Result<TestReport, PytestError> {
    let files = runnable(project, &generation);
    let arguments = pytest.map_or_else(Vec::new, |it| arguments(&files, &generation, &it.only));
    let was_stopped = generation.cancelled().next().is_some();
    let result = match pytest {
        Some(settings) if !files.is_empty() && !was_stopped => {
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
    on_event: impl FnMut(&PytestEvent),
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
