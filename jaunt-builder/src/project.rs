//! A registry document joined with the sources it names.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::io::Read as _;
use std::thread;

use camino::Utf8Path;
use camino::Utf8PathBuf;
use jaunt_dag::Condensed;
use jaunt_dag::Cycle;
use jaunt_dag::Dag;
use jaunt_dag::condense;
use jaunt_digest::Digest;
use jaunt_digest::GeneratedPath;
use jaunt_digest::Kind;
use jaunt_digest::Layout;
use jaunt_digest::LayoutError;
use jaunt_digest::ModuleName;
use jaunt_digest::Outline;
use jaunt_digest::Registry;
use jaunt_digest::Source;
use jaunt_digest::SpecEntry;
use jaunt_digest::SpecRef;
use unicode_normalization::UnicodeNormalization as _;

use crate::stamp;
use crate::stamp::Found;
use crate::stamp::Stamp;

/// One module of specs, its digest, and where its code goes.
#[derive(Clone, Debug)]
pub struct SpecModule {
    /// Whether its specs ask for product code or for tests.
    pub kind: Kind,
    /// Its specs, in order of their refs.
    pub specs: Vec<SpecRef>,
    /// The names that its code has to define, sorted.
    pub expected_names: Vec<String>,
    /// The module that is generated for it.
    pub generated_module: ModuleName,
    /// The file that is generated for it.
    pub output: GeneratedPath,
    /// Where its code would be if the module ceased to be, or became, a package.
    pub other_shape: Option<GeneratedPath>,
    /// The module digest, scheme 1.
    pub digest: Digest,
    /// The module digest under other schemes, as far as the registry gives it.
    pub other_digests: BTreeMap<u32, Digest>,
    /// Modules of the same kind that its specs depend on.
    pub dependencies: BTreeSet<ModuleName>,
    /// Product modules that its tests name. Empty for product modules.
    pub tested: BTreeSet<ModuleName>,
}

/// The specs of a registry with their sources, digests and graphs. A value: once loaded, it does
/// not look at the disk again.
#[derive(Debug)]
pub struct Project {
    root: Utf8PathBuf,
    specs: BTreeMap<SpecRef, SpecEntry>,
    modules: BTreeMap<ModuleName, SpecModule>,
    /// By path. A path would compare part by part.
    sources: BTreeMap<String, SourceFile>,
    locals: BTreeMap<SpecRef, Digest>,
    graphs: BTreeMap<SpecRef, Digest>,
    units: BTreeMap<Kind, Condensed<ModuleName>>,
}

/// A source file as it was when it was read.
#[derive(Debug)]
struct SourceFile {
    outline: Outline,
    stamp: Stamp,
    digest: Digest,
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
        Self::load_with(root, registry, layout, kinds, &BTreeMap::new())
    }

    /// Loads a part of the product code. The graph digests of specs whose dependencies are left out
    /// are known.
    pub(crate) fn load_part(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        known: &BTreeMap<SpecRef, Digest>,
    ) -> Result<Self, ProjectError> {
        Self::load_with(root, registry, layout, &[Kind::Build], known)
    }

    fn load_with(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
        known: &BTreeMap<SpecRef, Digest>,
    ) -> Result<Self, ProjectError> {
        let places = places(registry, layout)?;
        let specs: BTreeMap<SpecRef, SpecEntry> = registry
            .specs
            .iter()
            .filter(|(_, entry)| kinds.contains(&entry.kind))
            .map(|(spec, entry)| (spec.clone(), entry.clone()))
            .collect();
        let (sources, locals) = read_sources(root, &specs)?;

        let mut project = Self {
            root: root.to_owned(),
            specs,
            modules: BTreeMap::new(),
            sources,
            locals,
            graphs: BTreeMap::new(),
            units: BTreeMap::new(),
        };
        for &kind in kinds {
            project.add_modules(kind, registry, &places, known)?;
        }
        Ok(project)
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

    /// The entry of a spec, where there is one of that name.
    pub fn spec(&self, spec: &SpecRef) -> Option<&SpecEntry> {
        self.specs.get(spec)
    }

    /// The digest of a spec's own text and arguments.
    pub(crate) fn local(&self, spec: &SpecRef) -> &Digest {
        &self.locals[spec]
    }

    /// The digest of a spec and all that it depends on.
    pub(crate) fn graph(&self, spec: &SpecRef) -> &Digest {
        &self.graphs[spec]
    }

    /// Every source file with its stamp and digest, as it was read.
    pub(crate) fn source_files(&self) -> impl Iterator<Item = (&Utf8Path, Stamp, Digest)> {
        self.sources.iter().map(|(path, it)| (path.as_str().into(), it.stamp, it.digest))
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
        let specs = self.modules.get(name).map_or(&[][..], |module| &module.specs);
        let prompt =
            |spec| self.specs.get(spec).and_then(SpecEntry::prompt).map_or(0, |it| it.len());
        specs.iter().map(|spec| self.segment(spec).len() + prompt(spec)).sum()
    }

    /// The source of a spec's definition, as it is digested.
    pub(crate) fn segment(&self, spec: &SpecRef) -> String {
        self.definition(spec).segment()
    }

    /// Signature and docstring of a spec.
    pub(crate) fn api(&self, spec: &SpecRef) -> String {
        self.definition(spec).api()
    }

    fn definition(&self, spec: &SpecRef) -> jaunt_digest::Definition<'_> {
        self.sources[self.specs[spec].source_file.as_str()]
            .outline
            .definition(spec.qualname())
            .expect("the local digest was made from it")
    }

    fn add_modules(
        &mut self,
        kind: Kind,
        registry: &Registry,
        places: &BTreeMap<ModuleName, Place>,
        known: &BTreeMap<SpecRef, Digest>,
    ) -> Result<(), ProjectError> {
        let edges = same_kind_edges(kind, &self.specs)?;
        let dag = Dag::new(edges).map_err(ProjectError::Cycle)?;
        let locals = &self.locals;
        let graph = dag.fold(|spec, deps: &[&Digest]| {
            let known = known.get(spec).copied();
            known.unwrap_or_else(|| Digest::graph(&locals[spec], deps.iter().copied()))
        });

        let mut by_module: BTreeMap<ModuleName, Vec<SpecRef>> = BTreeMap::new();
        for spec in dag.nodes() {
            by_module.entry(spec.module().clone()).or_default().push(spec.clone());
        }
        for (name, specs) in by_module {
            let place = &places[&name];
            let expected: BTreeSet<&str> = specs.iter().map(SpecRef::definition).collect();
            let dependencies = specs
                .iter()
                .flat_map(|spec| dag.deps(spec))
                .map(SpecRef::module)
                .filter(|module| **module != name)
                .cloned()
                .collect();
            let module = SpecModule {
                kind,
                expected_names: expected.into_iter().map(str::to_owned).collect(),
                generated_module: place.generated_module.clone(),
                output: place.output.clone(),
                other_shape: place.other_shape.clone(),
                digest: Digest::module(specs.iter().map(|spec| &graph[spec])),
                other_digests: registry
                    .modules
                    .get(&name)
                    .map(|entry| entry.digests.clone())
                    .unwrap_or_default(),
                dependencies,
                tested: self.tested(kind, &specs),
                specs,
            };
            self.modules.insert(name, module);
        }
        self.graphs.extend(graph);
        let modules = self.of_kind(kind);
        let units =
            condense(modules.map(|(name, module)| (name.clone(), module.dependencies.clone())));
        self.units.insert(kind, units);
        Ok(())
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
            .filter_map(|spec| self.specs.get(spec))
            .flat_map(|entry| entry.dependencies.iter().cloned().chain(entry.targets()));
        named
            .filter(|spec| self.specs.get(spec).is_some_and(|entry| entry.kind == Kind::Build))
            .collect()
    }
}

/// Where the code of a module goes.
struct Place {
    generated_module: ModuleName,
    output: GeneratedPath,
    other_shape: Option<GeneratedPath>,
}

/// The place of every module of the registry, whatever its kind: they share directories.
fn places(
    registry: &Registry,
    layout: &Layout,
) -> Result<BTreeMap<ModuleName, Place>, ProjectError> {
    let mut first_specs: BTreeMap<&ModuleName, &SpecEntry> = BTreeMap::new();
    for (spec, entry) in &registry.specs {
        let first = first_specs.entry(spec.module()).or_insert(entry);
        if first.kind != entry.kind {
            return Err(ProjectError::MixedKinds { module: spec.module().clone() });
        }
    }
    let generated: BTreeMap<&ModuleName, ModuleName> = first_specs
        .keys()
        .map(|&name| {
            let given = registry.modules.get(name).and_then(|it| it.generated_module.clone());
            (name, given.unwrap_or_else(|| layout.generated_module(name)))
        })
        .collect();
    let packages: BTreeSet<ModuleName> = generated
        .values()
        .flat_map(|module| std::iter::successors(module.parent(), ModuleName::parent))
        .collect();

    let mut places = BTreeMap::new();
    let mut taken: BTreeMap<String, (Utf8PathBuf, &ModuleName)> = BTreeMap::new();
    for (&name, entry) in &first_specs {
        let generated_module = generated[name].clone();
        let is_package = packages.contains(&generated_module);
        let place =
            place(registry, layout, name, &generated_module, &entry.source_file, is_package)
                .map_err(|source| ProjectError::Layout { module: name.clone(), source })?;
        let path = place.0.path().to_owned();
        if let Some((first_path, first)) = taken.insert(folded(&path), (path.clone(), name)) {
            let (first, second) = (first.clone(), name.clone());
            return Err(if first_path == path {
                ProjectError::Collision { path, first, second }
            } else {
                ProjectError::Lookalike { first, second, first_path, second_path: path }
            });
        }
        let (output, other_shape) = place;
        places.insert(name.clone(), Place { generated_module, output, other_shape });
    }
    Ok(places)
}

/// A path without the differences that some file systems do not make.
fn folded(path: &Utf8Path) -> String {
    if path.as_str().is_ascii() {
        return path.as_str().to_ascii_lowercase();
    }
    path.as_str().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn place(
    registry: &Registry,
    layout: &Layout,
    name: &ModuleName,
    generated_module: &ModuleName,
    source_file: &Utf8Path,
    is_package: bool,
) -> Result<(GeneratedPath, Option<GeneratedPath>), LayoutError> {
    let given = registry.modules.get(name);
    let base = match given.and_then(|it| it.output_base.clone()) {
        Some(base) => base,
        None => layout.base_of(source_file, name)?,
    };
    let relpath = match given.and_then(|it| it.generated_relpath.clone()) {
        Some(relpath) if is_package => as_package(&relpath).unwrap_or(relpath),
        Some(relpath) => relpath,
        None => layout.generated_relpath(generated_module, is_package),
    };
    let output = layout.place(&base, &relpath)?;
    let other = as_package(&relpath).or_else(|| as_module(&relpath));
    // The package directory of all generated code has no other shape.
    let other_shape = other.and_then(|other| layout.place(&base, &other).ok());
    Ok((output, other_shape))
}

/// `x/b.py` as `x/b/__init__.py`; none for what is a package already.
fn as_package(relpath: &Utf8Path) -> Option<Utf8PathBuf> {
    let stem = relpath.file_stem().filter(|stem| *stem != "__init__")?;
    Some(relpath.with_file_name(stem).join("__init__.py"))
}

/// `x/b/__init__.py` as `x/b.py`; none for what is a plain module already.
fn as_module(relpath: &Utf8Path) -> Option<Utf8PathBuf> {
    relpath.file_stem().filter(|stem| *stem == "__init__")?;
    let package = relpath.parent().filter(|dir| !dir.as_str().is_empty())?;
    Some(package.with_extension("py"))
}

/// The edges among specs of one kind. A test's edges to product code are none of its own digest.
fn same_kind_edges(
    kind: Kind,
    specs: &BTreeMap<SpecRef, SpecEntry>,
) -> Result<Vec<(SpecRef, Vec<SpecRef>)>, ProjectError> {
    let mut edges = Vec::new();
    for (spec, entry) in specs.iter().filter(|(_, entry)| entry.kind == kind) {
        let mut deps = Vec::new();
        for dep in &entry.dependencies {
            match specs.get(dep).map(|entry| entry.kind) {
                Some(other) if other == kind => deps.push(dep.clone()),
                Some(_) if kind == Kind::Test => {}
                // Only product specs are loaded for a build, so what is missing is a test.
                _ => {
                    return Err(ProjectError::DependsOnTest {
                        spec: spec.clone(),
                        dependency: dep.clone(),
                    });
                }
            }
        }
        edges.push((spec.clone(), deps));
    }
    Ok(edges)
}

/// What one source file comes to: the file, and the digest of each spec that has its definition.
type Read<'a> = Result<(SourceFile, Vec<(&'a SpecRef, Option<Digest>)>), SourceProblem>;

/// All source files by path, and the local digest of each spec.
type Sources = (BTreeMap<String, SourceFile>, BTreeMap<SpecRef, Digest>);

/// Reads and parses each source file once, on all cores, and digests the specs in it.
fn read_sources(
    root: &Utf8Path,
    specs: &BTreeMap<SpecRef, SpecEntry>,
) -> Result<Sources, ProjectError> {
    let mut files: BTreeMap<&str, Vec<(&SpecRef, &SpecEntry)>> = BTreeMap::new();
    for (spec, entry) in specs {
        files.entry(entry.source_file.as_str()).or_default().push((spec, entry));
    }
    let files: Vec<_> = files.into_iter().collect();
    let results: Vec<Read<'_>> = in_parallel(&files, |(file, specs)| {
        let source = read_source(root, (*file).into()).map_err(|message| SourceProblem {
            file: (*file).into(),
            spec: specs[0].0.clone(),
            message,
        })?;
        let digests = specs.iter().map(|&(spec, entry)| {
            let definition = source.outline.definition(spec.qualname());
            let digest = definition.map(|it| Digest::local(&it.segment(), &entry.kwargs_text));
            (spec, digest)
        });
        let digests = digests.collect();
        Ok((source, digests))
    });

    let mut sources = Vec::with_capacity(files.len());
    let mut locals = Vec::with_capacity(specs.len());
    let mut problems = Vec::new();
    let mut undefined = Vec::new();
    for ((file, _), result) in files.iter().zip(results) {
        match result {
            Ok((source, digests)) => {
                sources.push(((*file).to_owned(), source));
                for (spec, digest) in digests {
                    match digest {
                        Some(digest) => locals.push((spec.clone(), digest)),
                        None => undefined.push(spec),
                    }
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    undefined.sort_unstable();
    if problems.is_empty() {
        problems.extend(undefined.into_iter().map(|spec| SourceProblem {
            file: specs[spec].source_file.clone(),
            spec: spec.clone(),
            message: format!(
                "it has no `def`, `async def` or `class` named `{}` at module level",
                spec.definition()
            ),
        }));
    }
    if problems.is_empty() {
        Ok((sources.into_iter().collect(), locals.into_iter().collect()))
    } else {
        Err(ProjectError::Sources(problems))
    }
}

fn read_source(root: &Utf8Path, file: &Utf8Path) -> Result<SourceFile, String> {
    let (stamp, bytes) = read_with_stamp(&root.join(file)).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("cannot read it: {err}"),
    })?;
    let source = Source::decode(&bytes).map_err(|err| err.to_string())?;
    let outline = Outline::parse(&source).map_err(|err| err.to_string())?;
    Ok(SourceFile { outline, stamp, digest: Digest::of(&bytes) })
}

/// The content of a file, and its stamp before that was read.
fn read_with_stamp(path: &Utf8Path) -> io::Result<(Stamp, Vec<u8>)> {
    // A link to a device or a pipe would be read for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut file = fs::File::open(path)?;
    let stamp = match stamp::of_file(&file)? {
        Found::File(stamp) => stamp,
        _ => Stamp::NONE,
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok((stamp, bytes))
}

/// Applies a function to every item, in chunks on all cores; the results are in order.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], f: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let chunk = items.len().div_ceil(threads).max(64);
    if items.len() <= chunk {
        return items.iter().map(f).collect();
    }
    let f = &f;
    thread::scope(|scope| {
        let workers: Vec<_> = items
            .chunks(chunk)
            .map(|chunk| scope.spawn(move || chunk.iter().map(f).collect::<Vec<R>>()))
            .collect();
        let joined = workers.into_iter().flat_map(|worker| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_folded_as_file_systems_fold_them() {
        let fold = |path: &str| folded(Utf8Path::new(path));
        for (left, right) in [
            ("app/Cart.py", "app/cart.py"),
            ("app/caf\u{e9}.py", "app/cafe\u{301}.py"),
            ("app/\u{ff43}art.py", "app/cart.py"),
            ("app/\u{fb01}t.py", "app/fit.py"),
            ("app/\u{c9}t\u{e9}.py", "app/\u{e9}t\u{e9}.py"),
        ] {
            assert_eq!(fold(left), fold(right));
        }
        // A letter of another script is another letter.
        assert_ne!(fold("app/c\u{430}rt.py"), fold("app/cart.py"));
    }
}
