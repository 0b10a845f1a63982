//! How a project comes to be.
//!
//! Source files, and then outputs, are shared among all cores one handful after another. Meanwhile one
//! of the threads does all that has to be done in one place, and takes its share of the files when it
//! has nothing else to do.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{OnceLock, mpsc};
use std::{io, thread};

use camino::Utf8Path;
use jaunt_dag::{Cycle, Dag, condense_pairs};
use jaunt_digest::{Digest, Kind, Layout, ModuleName, Outline, Registry, Source, SpecRef, Specs};

use super::places::{Place, places};
use super::{Project, ProjectError, SourceFile, SourceProblem, SpecModule};
use crate::output::{Output, OutputReader};
use crate::parallel::in_parallel;
use crate::stamp::{self, Found, Stamp};

/// The specs of one module.
pub(super) struct Group<'a> {
    pub(super) name: &'a ModuleName,
    kind: Kind,
    /// Refs begin with the name of their module, so they stand together.
    pub(super) specs: Range<usize>,
}

/// What is wanted beside modules and digests.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// The texts of the sources, and the digests of whole files.
    pub(super) texts: bool,
    pub(super) outputs: bool,
}

/// Reads the sources, and what else is wanted.
pub(super) fn load(
    root: &Utf8Path,
    registry: &Registry,
    layout: &Layout,
    kinds: &[Kind],
    known: &BTreeMap<SpecRef, Digest>,
    wanted: Wanted,
) -> Result<(Project, BTreeMap<ModuleName, Output>), ProjectError> {
    let specs = &registry.specs;
    let groups = groups(specs)?;
    let files = files(specs, kinds);
    let is_loaded = |group: &Group<'_>| kinds.contains(&group.kind);
    let loaded: Vec<usize> = match wanted.outputs {
        true => (0..groups.len()).filter(|idx| is_loaded(&groups[*idx])).collect(),
        false => Vec::new(),
    };
    let read_files = |files_left: &Handfuls| {
        let (mut bytes, mut read) = (Vec::new(), ReadFiles::default());
        files_left.each(|idx| read.add(root, specs, (idx, &files[idx]), wanted, &mut bytes));
        read
    };
    let (sources_left, outputs_left) = (Handfuls::of(files.len()), Handfuls::of(loaded.len()));
    let (all_places, first_reader) = (OnceLock::new(), OnceLock::new());
    let read_outputs = |(places, reader): (&Vec<Place>, &OutputReader<'_>)| {
        let (mut reader, mut outputs) = (reader.clone(), Vec::new());
        outputs_left.each(|idx| outputs.push((idx, reader.read(&places[loaded[idx]].output))));
        outputs
    };
    thread::scope(|scope| {
        // Whatever ends this early leaves no work to others.
        let _stop = (sources_left.stop(), outputs_left.stop());
        let (sender, receiver) = mpsc::channel();
        let workers: Vec<_> = (1..threads(files.len()))
            .map(|_| {
                let (found, sender) = (sender.clone(), mpsc::channel());
                let (sources_left, read_files, read_outputs) =
                    (&sources_left, &read_files, &read_outputs);
                let worker = scope.spawn(move || {
                    found.send(read_files(sources_left)).ok();
                    drop(found);
                    // There are none where the project cannot be loaded.
                    sender.1.recv().map_or_else(|_| Vec::new(), read_outputs)
                });
                (worker, sender.0)
            })
            .collect();
        drop(sender);

        let places = places(registry, layout, &groups)?;
        let places = all_places.get_or_init(|| places);
        let outputs = loaded.iter().map(|idx| &places[*idx].output);
        let reader = first_reader.get_or_init(|| OutputReader::new(root, outputs, wanted.texts));
        for (_, sender) in &workers {
            sender.send((places, reader)).ok();
        }
        let graphs: Vec<_> = kinds.iter().map(|kind| spec_dag(*kind, specs, kinds)).collect();

        let own_share = read_files(&sources_left);
        let shares = receiver.into_iter().chain([own_share]).collect();
        let mut project = with_sources(root, specs, kinds, &files, shares)?;
        for (kind, dag) in kinds.iter().zip(graphs) {
            project.fold(*kind, &dag?, known);
        }
        project.add_modules(registry, &groups, places);

        let mut outputs = read_outputs((places, reader));
        for (worker, _) in workers {
            outputs.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        outputs.sort_unstable_by_key(|(idx, _)| *idx);
        let outputs = outputs.into_iter();
        let outputs =
            outputs.map(|(idx, output)| (groups[loaded[idx]].name.clone(), output)).collect();
        Ok((project, outputs))
    })
}

fn threads(n_files: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    cores.min(n_files.div_ceil(64)).max(1)
}

/// Work that threads take a handful of at a time, by index.
struct Handfuls {
    len: usize,
    next: AtomicUsize,
}

/// Leaves nothing to be taken when it is dropped.
struct Stop<'a>(&'a Handfuls);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.next.store(self.0.len, Ordering::Relaxed);
    }
}

impl Handfuls {
    const HANDFUL: usize = 16;

    fn of(len: usize) -> Self {
        Self { len, next: AtomicUsize::new(0) }
    }

    fn stop(&self) -> Stop<'_> {
        Stop(self)
    }

    /// Works until nothing is left.
    fn each(&self, mut work: impl FnMut(usize)) {
        loop {
            let from = self.next.fetch_add(Self::HANDFUL, Ordering::Relaxed);
            if from >= self.len {
                return;
            }
            (from..self.len.min(from + Self::HANDFUL)).for_each(&mut work);
        }
    }
}

/// The modules with specs, in order of name.
fn groups(specs: &Specs) -> Result<Vec<Group<'_>>, ProjectError> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (idx, (spec, entry)) in specs.iter().enumerate() {
        match groups.last_mut() {
            Some(group) if group.name == spec.module() => {
                if group.kind != entry.kind {
                    return Err(ProjectError::MixedKinds { module: spec.module().clone() });
                }
                group.specs.end = idx + 1;
            }
            _ => {
                groups.push(Group { name: spec.module(), kind: entry.kind, specs: idx..idx + 1 });
            }
        }
    }
    groups.sort_unstable_by_key(|group| group.name);
    Ok(groups)
}

/// One source file, and the specs in it, in order.
struct SpecFile<'a> {
    path: &'a str,
    specs: Vec<usize>,
}

/// The source files of all specs of these kinds, in order of path.
fn files<'a>(specs: &'a Specs, kinds: &[Kind]) -> Vec<SpecFile<'a>> {
    let mut files: Vec<SpecFile<'_>> = Vec::new();
    for (idx, entry) in specs.values().enumerate() {
        if !kinds.contains(&entry.kind) {
            continue;
        }
        let path = entry.source_file.as_str();
        match files.last_mut() {
            Some(file) if file.path == path => file.specs.push(idx),
            _ => files.push(SpecFile { path, specs: vec![idx] }),
        }
    }
    files.sort_by_key(|file| file.path);
    // Two modules may be in one file.
    files.dedup_by(|next, file| {
        let is_same = next.path == file.path;
        if is_same {
            file.specs.append(&mut next.specs);
        }
        is_same
    });
    files
}

/// What one of the threads made of its share of the source files, in vectors that another one goes
/// through at once.
#[derive(Default)]
struct ReadFiles {
    /// By the index of the file. None where nobody wants more than digests.
    sources: Vec<(usize, SourceFile)>,
    /// The local digests of the specs that have a definition.
    locals: Vec<(usize, Digest)>,
    problems: Vec<(usize, SourceProblem)>,
}

impl ReadFiles {
    /// Reads and parses a source file, and digests the specs in it. `bytes` is for use meanwhile.
    fn add(
        &mut self,
        root: &Utf8Path,
        specs: &Specs,
        (idx, file): (usize, &SpecFile<'_>),
        wanted: Wanted,
        bytes: &mut Vec<u8>,
    ) {
        let source = match read_source(root, file.path.into(), bytes) {
            Ok(source) => source,
            Err(message) => {
                let spec = specs.ref_at(file.specs[0]).clone();
                let problem = SourceProblem { file: file.path.into(), spec, message };
                self.problems.push((idx, problem));
                return;
            }
        };
        for &spec in &file.specs {
            let kwargs = specs.entry_at(spec).kwargs.text();
            let definition = source.outline.definition(specs.ref_at(spec).qualname());
            self.locals.extend(definition.map(|it| (spec, it.local_digest(kwargs))));
        }
        if wanted.texts {
            self.sources.push((idx, source));
        }
    }
}

fn read_source(
    root: &Utf8Path,
    file: &Utf8Path,
    bytes: &mut Vec<u8>,
) -> Result<SourceFile, String> {
    let stamp = read_with_stamp(&root.join(file), bytes).map_err(|err| match err.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("cannot read it: {err}"),
    })?;
    let source = Source::decode(bytes).map_err(|err| err.to_string())?;
    let outline = Outline::parse(&source).map_err(|err| err.to_string())?;
    let is_text = source.text().as_bytes() == bytes.as_slice();
    let digest = if is_text { None } else { Some(Digest::of(bytes)) };
    Ok(SourceFile { outline, stamp, digest })
}

/// Reads the content of a file, and gives the stamp that it had before.
fn read_with_stamp(path: &Utf8Path, bytes: &mut Vec<u8>) -> io::Result<Stamp> {
    // A link to a device or a pipe would be read for ever.
    let (file, found): (File, Found) = stamp::open(path)?;
    match found {
        Found::File(stamp) => {
            stamp::read(&file, stamp, bytes)?;
            Ok(stamp)
        }
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file")),
    }
}

/// A project that has no modules yet.
fn with_sources(
    root: &Utf8Path,
    specs: &Specs,
    kinds: &[Kind],
    files: &[SpecFile<'_>],
    shares: Vec<ReadFiles>,
) -> Result<Project, ProjectError> {
    let mut project = Project {
        root: root.to_owned(),
        kinds: kinds.to_vec(),
        specs: specs.clone(),
        modules: BTreeMap::new(),
        sources: Vec::new(),
        source_of: Vec::new(),
        locals: vec![None; specs.len()],
        graphs: vec![None; specs.len()],
        units: BTreeMap::new(),
    };
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for share in shares {
        for (spec, digest) in share.locals {
            project.locals[spec] = Some(digest);
        }
        sources.extend(share.sources);
        problems.extend(share.problems);
    }
    problems.sort_unstable_by_key(|(idx, _)| *idx);
    let mut problems: Vec<_> = problems.into_iter().map(|(_, problem)| problem).collect();
    if problems.is_empty() {
        let mut undefined: Vec<usize> =
            files.iter().flat_map(|file| &file.specs).copied().collect();
        undefined.retain(|spec| project.locals[*spec].is_none());
        undefined.sort_unstable();
        problems.extend(undefined.into_iter().map(|idx| SourceProblem {
            file: specs.entry_at(idx).source_file.to_path_buf(),
            spec: specs.ref_at(idx).clone(),
            message: format!(
                "it has no `def`, `async def` or `class` named `{}` at module level",
                specs.ref_at(idx).definition()
            ),
        }));
    }
    if !problems.is_empty() {
        return Err(ProjectError::Sources(problems));
    }
    if !sources.is_empty() {
        sources.sort_unstable_by_key(|(idx, _)| *idx);
        project.source_of = vec![usize::MAX; specs.len()];
        for (at, (idx, source)) in sources.into_iter().enumerate() {
            for spec in &files[idx].specs {
                project.source_of[*spec] = at;
            }
            project.sources.push((files[idx].path.into(), source));
        }
    }
    Ok(project)
}

/// The graph of the specs of one kind, by index. A test's edges to product code are none of its own
/// digest.
fn spec_dag(kind: Kind, specs: &Specs, kinds: &[Kind]) -> Result<Dag<usize>, ProjectError> {
    let mut nodes = Vec::with_capacity(specs.len());
    let mut number = vec![0; specs.len()];
    for (idx, _) in specs.values().enumerate().filter(|(_, entry)| entry.kind == kind) {
        number[idx] = nodes.len();
        nodes.push(idx);
    }
    let mut pairs = Vec::with_capacity(2 * nodes.len());
    for &idx in &nodes {
        for (nth, dep) in specs.dependencies_at(idx).enumerate() {
            let other = dep.map(|dep| specs.entry_at(dep).kind).filter(|it| kinds.contains(it));
            match (other, dep) {
                (Some(other), Some(dep)) if other == kind => {
                    pairs.push((number[idx], number[dep]));
                }
                (Some(_), _) if kind == Kind::Test => {}
                // Only product specs are loaded for a build, so what is missing is a test.
                _ => {
                    return Err(ProjectError::DependsOnTest {
                        spec: specs.ref_at(idx).clone(),
                        dependency: specs.entry_at(idx).dependencies[nth].clone(),
                    });
                }
            }
        }
    }
    let named = |cycle: Cycle<usize>| cycle.map(|idx| specs.ref_at(idx).clone());
    Dag::from_pairs(nodes, pairs).map_err(|cycle| ProjectError::Cycle(named(cycle)))
}

/// The modules of one kind, and the edges among them by index.
#[derive(Default)]
struct ModuleGraph {
    names: Vec<ModuleName>,
    pairs: Vec<(usize, usize)>,
}

impl Project {
    /// Digests the specs of one kind, each with all that it depends on.
    fn fold(&mut self, kind: Kind, dag: &Dag<usize>, known: &BTreeMap<SpecRef, Digest>) {
        let is_known = !known.is_empty() && kind == Kind::Build;
        for &at in dag.order_at() {
            let idx = *dag.node_at(at);
            let given = if is_known { known.get(self.specs.ref_at(idx)) } else { None };
            let digest = given.copied().unwrap_or_else(|| {
                let local = self.locals[idx].as_ref().expect("every spec loaded has one");
                let deps = dag.deps_at(at).iter().map(|&dep| &self.graphs[*dag.node_at(dep)]);
                Digest::graph(local, deps.map(|it| it.as_ref().expect("dependencies come first")))
            });
            self.graphs[idx] = Some(digest);
        }
    }

    fn add_modules(&mut self, registry: &Registry, groups: &[Group<'_>], places: &[Place]) {
        let specs = registry.specs.clone();
        let mut group_of = vec![0; specs.len()];
        for (number, group) in groups.iter().enumerate() {
            group_of[group.specs.clone()].fill(number);
        }
        let mut graphs: BTreeMap<Kind, ModuleGraph> =
            self.kinds.iter().map(|kind| (*kind, ModuleGraph::default())).collect();
        let mut number_of = vec![0; groups.len()];
        for (number, group) in groups.iter().enumerate() {
            if let Some(graph) = graphs.get_mut(&group.kind) {
                number_of[number] = graph.names.len();
                graph.names.push(group.name.clone());
            }
        }
        let wanted: Vec<usize> =
            (0..groups.len()).filter(|idx| graphs.contains_key(&groups[*idx].kind)).collect();
        let made = in_parallel(&wanted, |&number| {
            let group = &groups[number];
            let deps = group.specs.clone().flat_map(|idx| specs.dependencies_at(idx)).flatten();
            let mut below: Vec<usize> = deps
                .map(|dep| group_of[dep])
                .filter(|dep| *dep != number && groups[*dep].kind == group.kind)
                .collect();
            below.sort_unstable();
            below.dedup();
            let own: Vec<SpecRef> =
                group.specs.clone().map(|idx| specs.ref_at(idx).clone()).collect();
            let given = registry.modules.get(group.name);
            let module = SpecModule {
                kind: group.kind,
                generated_module: places[number].generated_module.clone(),
                output: places[number].output.clone(),
                digest: Digest::module(self.graphs[group.specs.clone()].iter().flatten()),
                other_digests: given.map(|entry| entry.digests.clone()).unwrap_or_default(),
                dependencies: below.iter().map(|dep| groups[*dep].name.clone()).collect(),
                tested: self.tested(group.kind, &own),
                specs: own,
            };
            (module, below)
        });
        let mut modules = Vec::with_capacity(groups.len());
        for (number, (module, below)) in wanted.into_iter().zip(made) {
            let graph = graphs.get_mut(&module.kind).expect("only these were made");
            graph.pairs.extend(below.iter().map(|dep| (number_of[number], number_of[*dep])));
            modules.push((groups[number].name.clone(), module));
        }
        self.modules = modules.into_iter().collect();
        let units = graphs.into_iter();
        self.units =
            units.map(|(kind, graph)| (kind, condense_pairs(graph.names, graph.pairs))).collect();
    }
}
