//! A registry document joined with the sources it names.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_dag::{Condensed, Cycle};
use jaunt_digest::{
    Digest, GeneratedPath, Kind, Layout, LayoutError, ModuleName, Outline, Registry, SpecEntry,
    SpecRef, Specs,
};

use crate::output::Output;
use crate::parallel::in_parallel;
use crate::stamp::Stamp;
use loading::Wanted;

mod loading;
mod places;

/// One module of specs, its digest, and where its code goes.
#[derive(Clone, Debug)]
pub struct SpecModule {
    /// Whether its specs ask for product code or for tests.
    pub kind: Kind,
    /// Its specs, in order of their refs.
    pub specs: Vec<SpecRef>,
    /// The module that is generated for it.
    pub generated_module: ModuleName,
    /// The file that is generated for it.
    pub output: GeneratedPath,
    /// The module digest, scheme 1.
    pub digest: Digest,
    /// The module digest under other schemes, as far as the registry gives it.
    pub other_digests: BTreeMap<u32, Digest>,
    /// Modules of the same kind that its specs depend on.
    pub dependencies: BTreeSet<ModuleName>,
    /// Product modules that its tests name. Empty for product modules.
    pub tested: BTreeSet<ModuleName>,
}

impl SpecModule {
    /// The names that its code has to define, sorted.
    pub fn expected_names(&self) -> Vec<String> {
        let names: BTreeSet<&str> = self.specs.iter().map(SpecRef::definition).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

/// The specs of a registry with their sources, digests and graphs. A value: once loaded, it does
/// not look at the disk again.
///
/// What belongs to a spec is in vectors, by the index that the spec has in the registry.
#[derive(Debug)]
pub struct Project {
    root: Utf8PathBuf,
    kinds: Vec<Kind>,
    specs: Specs,
    modules: BTreeMap<ModuleName, SpecModule>,
    /// In order of path. Empty where only digests are wanted: nearly all of it is text.
    sources: Vec<(Utf8PathBuf, SourceFile)>,
    /// The source of each spec that was loaded. Empty where there are none.
    source_of: Vec<usize>,
    locals: Vec<Option<Digest>>,
    graphs: Vec<Option<Digest>>,
    units: BTreeMap<Kind, Condensed<ModuleName>>,
}

/// A source file as it was when it was read.
#[derive(Debug)]
struct SourceFile {
    outline: Outline,
    stamp: Stamp,
    /// None where the text of the outline is the content: few ask for its digest.
    digest: Option<Digest>,
}

/// Why a registry and the sources it names do not make a project.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum ProjectError {
    /// Source files that are missing, that do not parse, or that lack a spec's definition.
    #[error("{} of the registry's specs cannot be read", .0.len())]
    Sources(Vec<SourceProblem>),

    /// Specs that depend on each other.
    #[error("specs depend on each other: {0}")]
    Cycle(Cycle<SpecRef>),

    /// A module without a place for its code.
    #[error("module `{module}` has no place for its generated code")]
    Layout { module: ModuleName, source: LayoutError },

    /// Two modules whose code would be the same file.
    #[error("modules `{first}` and `{second}` would both be generated into `{path}`")]
    Collision { path: Utf8PathBuf, first: ModuleName, second: ModuleName },

    /// Two modules whose code would be the same file where names differ neither in case nor in
    /// Unicode form, as on most file systems of macOS and Windows.
    #[error(
        "modules `{first}` and `{second}` would be generated into `{first_path}` and \
         `{second_path}`, which are one file on other systems; rename one of them"
    )]
    Lookalike {
        first: ModuleName,
        second: ModuleName,
        first_path: Utf8PathBuf,
        second_path: Utf8PathBuf,
    },

    /// A module with specs of both kinds.
    #[error("module `{module}` has magic specs and test specs; put them into two modules")]
    MixedKinds { module: ModuleName },

    /// Product code that depends on a test.
    #[error("spec `{spec}` depends on `{dependency}`, which is a test spec")]
    DependsOnTest { spec: SpecRef, dependency: SpecRef },
}

/// What is wrong with one source file.
#[derive(Debug)]
pub struct SourceProblem {
    /// The file, relative to the project root.
    pub file: Utf8PathBuf,
    /// The first spec that needs it.
    pub spec: SpecRef,
    /// What is wrong, for a person.
    pub message: String,
}

impl std::fmt::Display for SourceProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` (spec `{}`): {}", self.file, self.spec, self.message)
    }
}

impl Project {
    /// Reads the sources of all specs of these kinds, on all cores, and computes their digests.
    ///
    /// Tests are compared with the digests of what they test, so [`Kind::Test`] needs
    /// [`Kind::Build`] beside it.
    ///
    /// # Errors
    ///
    /// When the registry and the sources contradict each other; see [`ProjectError`]. All faulty
    /// source files are reported, not the first.
    pub fn load(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
    ) -> Result<Self, ProjectError> {
        let wanted = Wanted { texts: true, outputs: false };
        let known = BTreeMap::new();
        loading::load(root, registry, layout, kinds, &known, wanted).map(|(project, _)| project)
    }

    /// The same, and reads the [outputs](crate::read_outputs) while it is at it: one core can do so
    /// while another one thinks.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_with_outputs(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
    ) -> Result<(Self, BTreeMap<ModuleName, Output>), ProjectError> {
        let wanted = Wanted { texts: true, outputs: true };
        loading::load(root, registry, layout, kinds, &BTreeMap::new(), wanted)
    }

    /// Reads as much as a plan is made of: the same without the texts of the sources.
    ///
    /// The project can be asked for digests, and not be built: that panics.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn survey(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
    ) -> Result<(Self, BTreeMap<ModuleName, Output>), ProjectError> {
        let wanted = Wanted { texts: false, outputs: true };
        loading::load(root, registry, layout, kinds, &BTreeMap::new(), wanted)
    }

    /// Loads a part of the product code. The graph digests of specs whose dependencies are left out
    /// are known.
    pub(crate) fn load_part(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        known: &BTreeMap<SpecRef, Digest>,
    ) -> Result<Self, ProjectError> {
        let wanted = Wanted { texts: true, outputs: false };
        loading::load(root, registry, layout, &[Kind::Build], known, wanted)
            .map(|(project, _)| project)
    }

    /// The directory that all paths are relative to.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// All modules, of every kind that was loaded.
    pub fn modules(&self) -> &BTreeMap<ModuleName, SpecModule> {
        &self.modules
    }

    /// The module of this name.
    ///
    /// # Panics
    ///
    /// When there is none: names come from [`modules`](Self::modules).
    pub fn module(&self, name: &ModuleName) -> &SpecModule {
        &self.modules[name]
    }

    /// The modules of one kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&ModuleName, &SpecModule)> {
        self.modules.iter().filter(move |(_, module)| module.kind == kind)
    }

    /// The specs of the registry, of every kind.
    pub(crate) fn specs(&self) -> &Specs {
        &self.specs
    }

    /// The entry of a spec, where there is one of that name.
    pub fn spec(&self, spec: &SpecRef) -> Option<&SpecEntry> {
        self.specs.get(spec).filter(|entry| self.kinds.contains(&entry.kind))
    }

    /// The digest of a spec's own text and arguments.
    pub(crate) fn local_at(&self, idx: usize) -> &Digest {
        self.locals[idx].as_ref().expect("the spec was loaded")
    }

    /// The digest of a spec and all that it depends on.
    pub(crate) fn graph(&self, spec: &SpecRef) -> &Digest {
        self.graphs[self.index_of(spec)].as_ref().expect("the spec was loaded")
    }

    fn index_of(&self, spec: &SpecRef) -> usize {
        self.specs.index_of(spec).expect("specs come from the project")
    }

    /// The specs of a module, by index. Refs begin with the name of their module, so they stand
    /// together.
    pub(crate) fn indices_of(&self, module: &SpecModule) -> Range<usize> {
        let first = module.specs.first().map_or(0, |spec| self.index_of(spec));
        first..first + module.specs.len()
    }

    /// Every source file with its stamp and digest, as it was read.
    pub(crate) fn source_files(&self) -> impl Iterator<Item = (&Utf8Path, Stamp, Digest)> {
        let digests = in_parallel(&self.sources, |(_, it)| {
            it.digest.unwrap_or_else(|| Digest::of(it.outline.text()))
        });
        let files = self.sources.iter().zip(digests);
        files.map(|((path, it), digest)| (path.as_path(), it.stamp, digest))
    }

    /// The modules of one kind as a graph of units: modules that depend on each other are one.
    pub fn units(&self, kind: Kind) -> &Condensed<ModuleName> {
        &self.units[&kind]
    }

    /// These modules of one kind and all modules of that kind that they depend on, directly or not.
    /// Names of no such module are passed over.
    pub fn with_dependencies<'a>(
        &self,
        kind: Kind,
        names: impl IntoIterator<Item = &'a ModuleName>,
    ) -> BTreeSet<ModuleName> {
        let units = self.units(kind);
        let known = names.into_iter().filter(|name| units.contains(name));
        let wanted = units.units().with_dependencies(known.map(|name| units.unit_of(name)));
        wanted.into_iter().flat_map(|unit| units.members(unit)).cloned().collect()
    }

    /// How much a module asks for: the length of its specs' sources and prompts, in bytes.
    pub fn size_of(&self, name: &ModuleName) -> usize {
        let specs = self.modules.get(name).map_or(0..0, |module| self.indices_of(module));
        let prompt = |idx| self.specs.entry_at(idx).prompt().map_or(0, |it| it.len());
        specs.map(|idx| self.segment_at(idx).len() + prompt(idx)).sum()
    }

    /// The source of a spec's definition, as it is digested.
    pub(crate) fn segment_at(&self, idx: usize) -> Cow<'_, str> {
        self.definition_at(idx).segment()
    }

    /// Signature and docstring of a spec.
    pub(crate) fn api_at(&self, idx: usize) -> String {
        self.definition_at(idx).api()
    }

    fn definition_at(&self, idx: usize) -> jaunt_digest::Definition<'_> {
        let source = self.source_of.get(idx);
        let source = *source.expect("a project is loaded, not surveyed, to be built");
        let qualname = self.specs.ref_at(idx).qualname();
        let definition = self.sources[source].1.outline.definition(qualname);
        definition.expect("the local digest was made from it")
    }

    /// The product modules that test specs name as dependencies, `deps` or `targets`.
    fn tested(&self, kind: Kind, specs: &[SpecRef]) -> BTreeSet<ModuleName> {
        if kind == Kind::Build {
            return BTreeSet::new();
        }
        self.tested_specs(specs).iter().map(|spec| spec.module().clone()).collect()
    }

    /// The product specs that test specs name as dependencies, `deps` or `targets`.
    pub(crate) fn tested_specs(&self, specs: &[SpecRef]) -> BTreeSet<SpecRef> {
        let named = specs
            .iter()
            .filter_map(|spec| self.spec(spec))
            .flat_map(|entry| entry.dependencies.iter().cloned().chain(entry.referenced_specs()));
        named
            .filter(|spec| self.spec(spec).is_some_and(|entry| entry.kind == Kind::Build))
            .collect()
    }
}
