//! Which tests belong to which targets, and which files can be run.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use jaunt_builder::{BuildReport, ModuleOutcome, Project};
use jaunt_digest::{Kind, ModuleName};

/// A generated test file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TestFile {
    /// Where it is, relative to the project root.
    pub path: Utf8PathBuf,
    /// The module of its specs.
    pub module: ModuleName,
}

/// Returns the files that match their specs, sorted by path: those that were fresh and those that were
/// just generated.
pub fn runnable(project: &Project, generation: &BuildReport) -> Vec<TestFile> {
    let ready = generation
        .outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, ModuleOutcome::Fresh | ModuleOutcome::Generated));
    let mut files: Vec<TestFile> = ready
        .map(|(name, _)| TestFile {
            path: project.module(name).destination.path().to_owned(),
            module: name.clone(),
        })
        .collect();
    files.sort();
    files
}

/// Returns what pytest is asked to run: every file, or the tests wanted, as far as there are any.
///
/// A file that was just generated may not have the test of that name any more, so it is run whole.
pub(crate) fn arguments(
    files: &[TestFile],
    generation: &BuildReport,
    only: &[String],
) -> Vec<Utf8PathBuf> {
    let is_new = |file: &TestFile| {
        matches!(generation.outcomes.get(&file.module), Some(ModuleOutcome::Generated))
    };
    let wanted: BTreeSet<Utf8PathBuf> = only
        .iter()
        .filter_map(|node_id| {
            let path = node_id.split("::").next()?;
            let file = files.iter().find(|file| file.path == path)?;
            Some(if is_new(file) { file.path.clone() } else { Utf8PathBuf::from(node_id) })
        })
        .collect();
    if wanted.is_empty() {
        files.iter().map(|file| file.path.clone()).collect()
    } else {
        wanted.into_iter().collect()
    }
}

/// Returns the modules to build and the test modules to run for these targets: the tests of each product
/// module named, and the product modules that each test module named is about.
pub fn with_tests(
    project: &Project,
    build: impl IntoIterator<Item = ModuleName>,
    test: impl IntoIterator<Item = ModuleName>,
) -> (BTreeSet<ModuleName>, BTreeSet<ModuleName>) {
    let mut build: BTreeSet<ModuleName> = build.into_iter().collect();
    let mut test: BTreeSet<ModuleName> = test.into_iter().collect();
    for (name, module) in project.of_kind(Kind::Test) {
        if module.tested.iter().any(|tested| build.contains(tested)) {
            test.insert(name.clone());
        }
    }
    for name in &test {
        build.extend(project.module(name).tested.iter().cloned());
    }
    (build, test)
}
