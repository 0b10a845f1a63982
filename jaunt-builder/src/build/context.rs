//! What a backend is told of a module: sources, interfaces of dependencies, and their code.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use jaunt_digest::{Digest, Kind, ModuleName, SpecRef};
use jaunt_text::one_line;
use jaunt_write::{Tree, WriteError};

use crate::build::lock::lock;
use crate::check::Problem;
use crate::context::ModuleSpecContext;
use crate::project::Project;
use crate::spec_module::SpecModule;

/// Generated code, without its header.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) text: Arc<str>,
    pub(super) digest: Digest,
}

impl Body {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.into(), digest: Digest::of(text) }
    }
}

/// Assembles the contexts of one run. Texts that several modules need are made once.
pub(super) struct Contexts {
    project: Arc<Project>,
    kind: Kind,
    /// Signature and docstring of each spec, by its index.
    apis: Vec<OnceLock<Arc<str>>>,
    /// Generated code that was read or written in this run.
    bodies: Mutex<BTreeMap<ModuleName, Body>>,
}

impl Contexts {
    pub(super) fn new(project: Arc<Project>, kind: Kind) -> Self {
        let apis = project.specs().keys().map(|_| OnceLock::new()).collect();
        Self { project, kind, apis, bodies: Mutex::default() }
    }

    /// Assembles everything that decides the code of a module.
    ///
    /// # Errors
    ///
    /// If the code of a dependency cannot be read.
    pub(super) fn context(&self, name: &ModuleName) -> Result<ModuleSpecContext, Problem> {
        let project = &*self.project;
        let module = project.module(name);
        let (specs, own) = (project.specs(), project.indices_of(module));
        let prompt = |idx| Some((specs.ref_at(idx).clone(), specs.entry_at(idx).prompt()?));
        let mut dependency_generated_modules = BTreeMap::new();
        for dep in self.generated_against(name, module) {
            if let Some(body) = self.body(dep)? {
                dependency_generated_modules.insert(dep.clone(), body.text);
            }
        }
        let apis = self.direct_dependencies(module).into_iter();
        Ok(ModuleSpecContext {
            kind: module.kind,
            spec_module: name.clone(),
            generated_module: module.generated_module.clone(),
            expected_names: module.expected_names(),
            spec_sources: own
                .clone()
                .map(|idx| (specs.ref_at(idx).clone(), project.segment_at(idx).into_owned()))
                .collect(),
            decorator_prompts: own.filter_map(prompt).collect(),
            dependency_apis: apis.map(|idx| self.api(idx)).collect(),
            dependency_generated_modules,
        })
    }

    /// Caches code that was written, for the modules that depend on it.
    pub(super) fn cache(&self, name: &ModuleName, body: Body) {
        lock(&self.bodies).insert(name.clone(), body);
    }

    /// Returns the digest of a body that is part of a context. Reuses the cached digest only for the
    /// identical text: the file may have been replaced since another module was generated against it.
    pub(super) fn digest_of(&self, name: &ModuleName, text: &Arc<str>) -> Digest {
        match lock(&self.bodies).get(name) {
            Some(body) if Arc::ptr_eq(&body.text, text) => body.digest,
            _ => Digest::of(&**text),
        }
    }

    /// Returns the signature and docstring of a spec.
    fn api(&self, idx: usize) -> (SpecRef, Arc<str>) {
        let spec = self.project.specs().ref_at(idx);
        let api = self.apis[idx].get_or_init(|| self.project.api_at(idx).into());
        (spec.clone(), Arc::clone(api))
    }

    /// Returns the specs of other modules that the specs of this one name, by index.
    fn direct_dependencies(&self, module: &SpecModule) -> Vec<usize> {
        let (specs, own) = (self.project.specs(), self.project.indices_of(module));
        let mut dependencies: Vec<usize> = own
            .clone()
            .flat_map(|idx| specs.dependencies_at(idx).flatten())
            .filter(|dep| !own.contains(dep))
            .collect();
        if module.kind == Kind::Test {
            let tested = self.project.tested_specs(&module.specs);
            dependencies.extend(tested.iter().filter_map(|spec| specs.index_of(spec)));
        }
        dependencies.sort_unstable();
        dependencies.dedup();
        dependencies
    }

    /// Returns the modules whose code is part of the context: not those of the same unit, because some
    /// of them come later.
    fn generated_against<'a>(
        &'a self,
        name: &ModuleName,
        module: &'a SpecModule,
    ) -> impl Iterator<Item = &'a ModuleName> {
        let peers = self.project.units(self.kind).members(name);
        let is_product = module.kind == Kind::Build;
        let deps = module.dependencies.iter();
        deps.filter(move |dep| is_product && peers.binary_search(dep).is_err())
    }

    /// Returns the code of a module as it was just generated, or as it stands on disk.
    fn body(&self, name: &ModuleName) -> Result<Option<Body>, Problem> {
        if let Some(body) = lock(&self.bodies).get(name) {
            return Ok(Some(body.clone()));
        }
        let output = &self.project.module(name).destination;
        let fault = |err: &WriteError| {
            Problem::Write(format!("the code of `{name}`, which it depends on: {}", one_line(err)))
        };
        let Some(tree) =
            Tree::open(self.project.root(), output.tree()).map_err(|err| fault(&err))?
        else {
            return Ok(None);
        };
        let Some(bytes) = tree.read(output.file()).map_err(|err| fault(&err))? else {
            return Ok(None);
        };
        let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
        let (_, body) = jaunt_digest::split_generated(&text);
        let body = Body::new(body);
        lock(&self.bodies).insert(name.clone(), body.clone());
        Ok(Some(body))
    }
}
