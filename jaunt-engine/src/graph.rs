//! The graph of modules.

use std::collections::BTreeSet;

use jaunt_builder::Survey;
use jaunt_digest::{Kind, ModuleName};

use crate::engine::Engine;
use crate::error::EngineError;
use crate::targets::Targets;

/// Which modules are wanted.
#[derive(Clone, Debug, Default)]
pub struct GraphOptions {
    /// `MODULE[:QUALNAME]` each: only these modules and what they depend on. Everything if it is empty.
    pub targets: Vec<String>,
    /// Accepts a registry without specs.
    pub allow_empty: bool,
}

/// A module, and what it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphModule {
    /// Its name.
    pub module: ModuleName,
    /// Whether its specs ask for product code or for tests.
    pub kind: Kind,
    /// Modules of the same kind that its specs depend on, in order.
    pub dependencies: Vec<ModuleName>,
    /// Product modules that its tests name, in order.
    pub tested: Vec<ModuleName>,
}

impl Engine {
    /// Returns the modules that are wanted, in order of name.
    ///
    /// # Errors
    ///
    /// If the project cannot be loaded, a target does not exist, or there are no specs.
    pub async fn graph(&self, options: &GraphOptions) -> Result<Vec<GraphModule>, EngineError> {
        let loaded = self.load(&[Kind::Build, Kind::Test]).await?;
        loaded.expect_any_specs(options.allow_empty)?;
        let targets = Targets::resolve(&loaded.registry, &options.targets)?;
        let project = &loaded.project;
        let wanted = (!options.targets.is_empty()).then(|| wanted(project, &targets));
        let is_wanted =
            |name: &ModuleName| wanted.as_ref().is_none_or(|wanted| wanted.contains(name));
        let modules = project.modules().iter().filter(|(name, _)| is_wanted(name));
        let modules = modules.map(|(name, module)| GraphModule {
            module: name.clone(),
            kind: module.kind,
            dependencies: module.dependencies.iter().cloned().collect(),
            tested: module.tested.iter().cloned().collect(),
        });
        Ok(modules.collect())
    }
}

/// Returns the targets, what they depend on, and what they test.
fn wanted(project: &Survey, targets: &Targets) -> BTreeSet<ModuleName> {
    let tests = project.with_dependencies(Kind::Test, &targets.test);
    let tested = tests.iter().flat_map(|name| &project.module(name).tested);
    let builds: Vec<ModuleName> = targets.build.iter().chain(tested).cloned().collect();
    tests.into_iter().chain(project.with_dependencies(Kind::Build, &builds)).collect()
}
