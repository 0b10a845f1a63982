//! What was generated, and what pytest said of it.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use jaunt_builder::{BuildReport, Project};
use jaunt_digest::{ModuleName, SpecRef};
use jaunt_pytest::{PytestResult, TestFailure};

use crate::select::TestFile;

/// What [`run`](crate::run()) came to.
#[derive(Debug)]
pub struct TestReport {
    /// What became of the test modules.
    pub generation: BuildReport,
    /// `None` if pytest was not run: there was no file, or the run was stopped before.
    pub pytest: Option<PytestResult>,
}

/// Whose tests failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedModule {
    /// The module of the test specs.
    pub module: ModuleName,
    /// Its specs.
    pub specs: Vec<SpecRef>,
}

impl TestReport {
    /// Returns whether every module was generated, every test that ran passed, and one did.
    pub fn is_ok(&self) -> bool {
        // Tests that were all skipped have shown nothing.
        let has_run =
            |it: &PytestResult| it.counts.passed + it.counts.xfailed + it.counts.xpassed > 0;
        self.generation.is_ok() && self.pytest.as_ref().is_some_and(|it| it.passed() && has_run(it))
    }
}

/// What a failure belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The module of the test specs.
    pub module: ModuleName,
    /// The generated module that the failing test is in.
    pub generated_module: ModuleName,
    /// The spec of that test; if no spec has its name, all of the module's.
    pub specs: Vec<SpecRef>,
}

/// Returns what a failure belongs to; `None` for a test that was not generated, as one of a plugin's own.
pub fn origin(project: &Project, files: &[TestFile], failure: &TestFailure) -> Option<Origin> {
    let file = file_of(project, files, failure)?;
    let module = project.module(&file.module);
    let test = failure.node_id.split("::").nth(1);
    let definition = test.map(|test| test.split('[').next().unwrap_or(test));
    let mut specs = module.specs.clone();
    if specs.iter().any(|spec| Some(spec.definition()) == definition) {
        specs.retain(|spec| Some(spec.definition()) == definition);
    }
    let generated_module = module.generated_module.clone();
    Some(Origin { module: file.module.clone(), generated_module, specs })
}

/// Returns the modules whose tests failed, by generated file.
pub fn failed_modules(
    project: &Project,
    files: &[TestFile],
    result: &PytestResult,
) -> BTreeMap<String, FailedModule> {
    let failed = result.failures.iter().filter_map(|failure| {
        let file = file_of(project, files, failure)?;
        let specs = project.module(&file.module).specs.clone();
        Some((file.path.to_string(), FailedModule { module: file.module.clone(), specs }))
    });
    failed.collect()
}

/// Returns the tests that failed, so that they can be run again: node ids that begin with the generated
/// file, whatever pytest takes for its root. A file that could not be collected stands for itself.
pub fn failed_tests(project: &Project, files: &[TestFile], result: &PytestResult) -> Vec<String> {
    let tests = result.failures.iter().filter_map(|failure| {
        let file = file_of(project, files, failure)?;
        Some(match failure.node_id.split_once("::") {
            Some((_, test)) => format!("{}::{test}", file.path),
            None => file.path.to_string(),
        })
    });
    let tests: BTreeSet<String> = tests.collect();
    tests.into_iter().collect()
}

/// Returns the generated file that a failure lies in.
fn file_of<'a>(
    project: &Project,
    files: &'a [TestFile],
    failure: &TestFailure,
) -> Option<&'a TestFile> {
    let reported = failure.file.as_deref()?;
    files.iter().find(|file| same_file(project.root(), reported, &file.path))
}

fn same_file(root: &Utf8Path, reported: &Utf8Path, file: &Utf8Path) -> bool {
    reported == file || reported.strip_prefix(root).is_ok_and(|path| path == file)
}
