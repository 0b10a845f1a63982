//! A test run: product code, tests, and then pytest on the generated test files.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jaunt_builder::{BuildReport, Plan};
use jaunt_digest::{Kind, ModuleName};
use jaunt_process::{Invocation, Limits, ProcessError};
use jaunt_pytest::{OutputMode, PytestResult};
use jaunt_tester::{
    FailedModule, Origin, PytestSettings, TestEvent, TestFile, failed_modules, failed_tests,
    origin, runnable, with_tests,
};
use jaunt_text::last_lines;

use crate::build::GenerateOptions;
use crate::engine::Engine;
use crate::error::{EngineError, MissingSpecs};
use crate::event::EngineEvent;
use crate::kind_run::KindRun;
use crate::load::Loaded;
use crate::notice::Notice;
use crate::state::failed_tests as saved;
use crate::state::lock::ProjectLock;
use crate::targets::Targets;

/// Time between asking pytest to end and ending it.
const GRACE: Duration = Duration::from_secs(5);

/// Limits for finding out whether pytest is there.
const PROBE: Limits = Limits {
    time: Duration::from_secs(60),
    grace: Duration::from_secs(1),
    stdout: 1 << 16,
    stderr: 1 << 16,
};

/// What is generated and tested, and how.
#[derive(Clone, Debug)]
pub struct TestOptions {
    /// What is generated, product code and tests alike.
    pub generate: GenerateOptions,
    /// Tests the product code as it is, instead of building it first.
    pub no_build: bool,
    /// Generates tests, and does not run them.
    pub no_run: bool,
    /// Arguments for pytest, after those of the project.
    pub pytest_args: Vec<String>,
    /// Time limit for pytest; `None` means as configured.
    pub pytest_timeout: Option<Duration>,
    /// Runs only the tests that failed last time, or everything if none did.
    pub rerun_failed: bool,
    /// Where pytest's own output goes.
    pub output: OutputMode,
}

/// What a test run came to. A part that was not reached is `None`.
#[derive(Debug, Default)]
pub struct TestRun {
    /// What became of product modules; `None` if they were not to be built.
    pub build: Option<KindRun>,
    /// What became of test modules; `None` if product code failed.
    pub generation: Option<KindRun>,
    /// What pytest said; `None` if it was not run.
    pub pytest: Option<PytestRun>,
    /// Whether pytest was to be run, and the run came so far.
    pub reached_pytest: bool,
}

/// What pytest said, and what belongs to each failure.
#[derive(Debug)]
pub struct PytestRun {
    /// What pytest said.
    pub result: PytestResult,
    /// Whether every test module was generated, every test that ran passed, and one did.
    pub is_ok: bool,
    /// What each failure belongs to, in the order of the failures. `None` for a test that was not generated.
    pub origins: Vec<Option<Origin>>,
    /// The spec modules of generated test files with failures, by file.
    pub failed_modules: BTreeMap<String, FailedModule>,
}

/// The modules of one kind that are asked for; `None` for everything.
type Selection = Option<BTreeSet<ModuleName>>;

impl Engine {
    /// Builds, generates stale tests, and runs pytest on all generated test files that were selected.
    ///
    /// Without targets everything is selected. A target may name a test module, or a product module whose tests are
    /// wanted.
    ///
    /// # Errors
    ///
    /// If the project cannot be loaded, a target does not exist, there are no tests, pytest cannot be started, or the
    /// lock cannot be had. Modules and tests that fail are part of the result.
    pub async fn test(
        &self,
        options: &TestOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<TestRun, EngineError> {
        let generate = &options.generate;
        let lock = match generate.dry_run {
            true => ProjectLock::NotNeeded,
            false => self.lock("jaunt test", !generate.no_wait).await?,
        };
        let loaded = self.load(&[Kind::Build, Kind::Test]).await?;
        loaded.expect_specs(Kind::Test, generate.allow_empty)?;
        let (build_targets, test_targets) = targets(&loaded, &generate.targets)?;

        let mut run = TestRun::default();
        let mut lock = lock;
        if !options.no_build {
            let plan = loaded.plan(Kind::Build, generate, build_targets);
            self.expect_pytest(options, &plan).await?;
            lock = ready(lock, &loaded, &plan)?;
            let build = run.build.insert(self.generate(&loaded, plan, generate, on_event).await?);
            on_event(EngineEvent::Generated(build));
            if !build.is_ok() {
                return Ok(run);
            }
        }
        let plan = loaded.plan(Kind::Test, generate, test_targets);
        if run.build.as_ref().is_none_or(|build| !build.has_generated()) {
            self.expect_pytest(options, &plan).await?;
        }
        lock = ready(lock, &loaded, &plan)?;
        let tests = run.generation.insert(self.generate(&loaded, plan, generate, on_event).await?);
        on_event(EngineEvent::Generated(tests));
        // Nothing is written from here on, and tests may take long.
        drop(lock);
        let Some(report) = tests.report.as_ref().filter(|_| !options.no_run) else {
            return Ok(run);
        };
        run.reached_pytest = true;
        run.pytest = self.run_pytest(&loaded, report.clone(), options, on_event).await?;
        Ok(run)
    }

    /// Fails before anything is paid for if pytest is going to be needed and is not there.
    async fn expect_pytest(&self, options: &TestOptions, plan: &Plan) -> Result<(), EngineError> {
        if plan.is_empty() || options.no_run || options.generate.dry_run {
            return Ok(());
        }
        let invocation = Invocation {
            program: self.python().to_string(),
            args: vec!["-c".to_owned(), "import pytest".to_owned()],
            cwd: self.root().to_owned(),
            env: BTreeMap::new(),
            stdin: Vec::new(),
            limits: PROBE,
        };
        match jaunt_process::run(&invocation, &self.options.stop).await {
            Ok(done) if done.status.success() => Ok(()),
            // The run itself says that it was stopped.
            Err(ProcessError::Stopped) => Ok(()),
            Ok(done) => Err(EngineError::NoPytest {
                python: self.python().to_owned(),
                last_lines: last_lines(&String::from_utf8_lossy(&done.stderr), 1, 200),
            }),
            Err(err) => Err(EngineError::Interpreter(err)),
        }
    }

    async fn run_pytest(
        &self,
        loaded: &Loaded,
        generation: BuildReport,
        options: &TestOptions,
        on_event: &mut dyn FnMut(EngineEvent<'_>),
    ) -> Result<Option<PytestRun>, EngineError> {
        if generation.outcomes.is_empty() && !options.generate.allow_empty {
            return Err(EngineError::Empty(MissingSpecs::OfTargets));
        }
        let files = runnable(&loaded.project, &generation);
        let settings = self.pytest_settings(loaded, options);
        let on_event = |event: TestEvent<'_>| {
            if let TestEvent::Pytest(event) = event {
                on_event(EngineEvent::Pytest(event));
            }
        };
        let (project, stop) = (&loaded.project, self.stopped());
        let report =
            jaunt_tester::run(project, generation, Some(&settings), on_event, stop).await?;
        let is_ok = report.is_ok();
        let Some(result) = report.pytest else { return Ok(None) };
        self.save_failed_tests(loaded, &files, options, &result);
        Ok(Some(PytestRun {
            is_ok,
            origins: result.failures.iter().map(|it| origin(project, &files, it)).collect(),
            failed_modules: failed_modules(project, &files, &result),
            result,
        }))
    }

    fn pytest_settings(&self, loaded: &Loaded, options: &TestOptions) -> PytestSettings {
        let configured = self.settings.pytest.timeout.map(Duration::from_secs_f64);
        let args = loaded.settings.pytest_args.iter().chain(&options.pytest_args);
        PytestSettings {
            python: self.python().to_owned(),
            args: args.cloned().collect(),
            source_roots: loaded.settings.source_roots.clone(),
            only: if options.rerun_failed { saved::load(self.root()) } else { Vec::new() },
            output: options.output,
            timeout: options.pytest_timeout.or(configured),
            grace: GRACE,
        }
    }

    /// Saves what failed, and what failed before and was not run.
    fn save_failed_tests(
        &self,
        loaded: &Loaded,
        files: &[TestFile],
        options: &TestOptions,
        result: &PytestResult,
    ) {
        let mut failed = failed_tests(&loaded.project, files, result);
        // A run that ended early, or that arguments have narrowed, says nothing of the others.
        let is_whole = result.complete && options.pytest_args.is_empty();
        let was_run = |test: &String| {
            let file = test.split("::").next().unwrap_or(test);
            is_whole && files.iter().any(|it| it.path == file)
        };
        failed.extend(saved::load(self.root()).into_iter().filter(|it| !was_run(it)));
        failed.sort();
        failed.dedup();
        if let Err(error) = saved::save(self.root(), &failed) {
            self.notice(Notice::FailedTestsNotSaved { error: &error });
        }
    }
}

/// Finds the modules of both kinds that the targets ask for.
fn targets(loaded: &Loaded, targets: &[String]) -> Result<(Selection, Selection), EngineError> {
    if targets.is_empty() {
        return Ok((None, None));
    }
    let targets = Targets::resolve(&loaded.registry, targets)?;
    let (build, test) = with_tests(&loaded.project, targets.build, targets.test);
    Ok((Some(build), Some(test)))
}

/// Removes leftovers of killed runs, and fails if something has to be written and may not be.
fn ready(lock: ProjectLock, loaded: &Loaded, plan: &Plan) -> Result<ProjectLock, EngineError> {
    lock.sweep(&loaded.project)?;
    Ok(if plan.is_empty() { lock } else { lock.ensure()? })
}
