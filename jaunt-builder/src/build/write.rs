//! The generated file of a module: its header, its package directories, and what it replaces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{GeneratedPath, HeaderFields, Kind, ModuleName, SpecRef};
use jaunt_write::{Tree, WriteError};

use crate::build::context::{Body, Contexts};
use crate::build::lock::lock;
use crate::build::options::BuildOptions;
use crate::check::Problem;
use crate::context::ModuleSpecContext;
use crate::on_disk::{OnDisk, classify, read_one};
use crate::plan::not_overwritten;
use crate::project::Project;
use crate::spec_module::SpecModule;

/// Writes the files of one run.
pub(super) struct Writer {
    project: Arc<Project>,
    kind: Kind,
    /// Overwrite files that jaunt did not write.
    adopt: bool,
    tool_version: String,
    /// The directories that may be written to, each opened once.
    trees: Mutex<BTreeMap<Utf8PathBuf, Arc<Tree>>>,
    /// The `__init__.py` files that are known to exist.
    inits: Mutex<BTreeSet<Utf8PathBuf>>,
}

impl Writer {
    pub(super) fn new(project: Arc<Project>, kind: Kind, options: &BuildOptions) -> Self {
        Self {
            project,
            kind,
            adopt: options.adopt,
            tool_version: options.tool_version.clone(),
            trees: Mutex::default(),
            inits: Mutex::default(),
        }
    }

    /// Writes the file of a module, and the package directories that it needs.
    ///
    /// With `has_old_shape`, removes the code from where it was before the module became, or ceased to
    /// be, a package.
    ///
    /// # Errors
    ///
    /// If the file was not written by jaunt, or cannot be written.
    pub(super) fn write(
        &self,
        name: &ModuleName,
        ctx: &ModuleSpecContext,
        contexts: &Contexts,
        body: &Body,
        has_old_shape: bool,
    ) -> Result<(), Problem> {
        let module = self.project.module(name);
        let output = &module.destination;
        let tree = self.tree(output.tree())?;
        self.make_package(&tree, output)?;
        // The plan looked at this file; that may be minutes ago.
        tree.update(output.file(), |old| match old.map(|bytes| classify(&bytes)) {
            Some(OnDisk::Foreign) if !self.adopt => {
                Err(Problem::Write(not_overwritten(output.path())))
            }
            _ => Ok(self.render(module, name, ctx, contexts, body).into_bytes()),
        })?;
        if has_old_shape {
            remove_old_shape(name, module, &tree)?;
        }
        Ok(())
    }

    /// Makes the `__init__.py` files that a module needs, unless this run has made sure of them.
    fn make_package(&self, tree: &Tree, output: &GeneratedPath) -> Result<(), WriteError> {
        for init in output.package_inits() {
            let path = output.tree().join(&init);
            if lock(&self.inits).contains(&path) {
                continue;
            }
            tree.create_new(&init, b"")?;
            lock(&self.inits).insert(path);
        }
        Ok(())
    }

    /// Returns the text of a file: a header, and the code.
    fn render(
        &self,
        module: &SpecModule,
        name: &ModuleName,
        ctx: &ModuleSpecContext,
        contexts: &Contexts,
        body: &Body,
    ) -> String {
        let locals = self.project.indices_of(module);
        let units = self.project.units(self.kind);
        let peers = units.members(units.unit_of(name)).iter().filter(|peer| *peer != name);
        let fields = HeaderFields {
            tool_version: &self.tool_version,
            kind: module.kind,
            source_module: name.as_str(),
            module_digest: &module.digest.to_string(),
            spec_refs: module.specs.iter().map(SpecRef::as_str).collect(),
            body_digest: Some(body.digest),
            spec_local_digests: module
                .specs
                .iter()
                .map(SpecRef::as_str)
                .zip(locals.map(|idx| *self.project.local_at(idx)))
                .collect(),
            dependency_bodies: ctx
                .dependency_generated_modules
                .iter()
                .map(|(dep, body)| (dep.as_str(), contexts.digest_of(dep, body)))
                .collect(),
            dependency_digests: module
                .tested
                .iter()
                .chain(peers)
                .map(|other| (other.as_str(), self.project.module(other).digest))
                .collect(),
        };
        jaunt_digest::render_generated(&fields, &body.text)
    }

    fn tree(&self, path: &Utf8Path) -> Result<Arc<Tree>, WriteError> {
        let mut trees = lock(&self.trees);
        if let Some(tree) = trees.get(path) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(Tree::create(self.project.root(), path)?);
        trees.insert(path.to_owned(), Arc::clone(&tree));
        Ok(tree)
    }
}

/// Removes the code of a module in the shape that it has not: a package, or a plain module.
fn remove_old_shape(name: &ModuleName, module: &SpecModule, tree: &Tree) -> Result<(), WriteError> {
    let Some(other) = module.destination.other_shape() else { return Ok(()) };
    if let OnDisk::Ours(facts) = read_one(tree, other.file())
        && facts.header().source_module() == Some(name.as_str())
    {
        tree.remove(other.file())?;
        // Bytecode of modules that are gone does not keep a directory.
        tree.prune(&["__pycache__"])?;
    }
    Ok(())
}
