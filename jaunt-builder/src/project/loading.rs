//! How surveys and projects are loaded.
//!
//! Source files, and then generated files, are shared among all cores, a few at a time. Meanwhile
//! one of the threads does all that has to be done in one place, and takes its share of the files
//! when it has nothing else to do.

use std::collections::BTreeMap;
use std::sync::{OnceLock, mpsc};
use std::thread;

use camino::Utf8Path;
use jaunt_dag::Dag;
use jaunt_digest::{Digest, Kind, Layout, ModuleName, Registry, SpecRef};

use super::Project;
use super::destinations::{Destination, destinations};
use super::digests::{fold, spec_dag};
use super::module_specs::{ModuleSpecs, module_specs};
use super::modules::ModuleInputs;
use super::sources::{self, SourceShare, SourceTexts, SpecFile, spec_files};
use crate::error::ProjectError;
use crate::index::{FileIdx, ModuleIdx, SpecIdx, Table};
use crate::on_disk::{OnDisk, OnDiskReader};
use crate::survey::Survey;
use crate::work_cursor::{WorkCursor, join, threads_for};

impl Project {
    /// Reads the sources of all specs of these kinds, on all cores, and computes their digests.
    ///
    /// Tests are compared with the digests of what they test, so [`Kind::Test`] needs
    /// [`Kind::Build`] beside it.
    ///
    /// # Errors
    ///
    /// Fails if the registry and the sources contradict each other; see [`ProjectError`]. All faulty
    /// source files are reported, not the first.
    pub fn load(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
    ) -> Result<Self, ProjectError> {
        let wanted = Wanted { texts: true, on_disk: false };
        Request::new(root, registry, layout, kinds, wanted).load().map(|loaded| loaded.project().0)
    }

    /// Loads a project and [reads its generated files](Survey::read_on_disk) in one go: one core can
    /// read while another one parses.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_with_on_disk(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
    ) -> Result<(Self, BTreeMap<ModuleName, OnDisk>), ProjectError> {
        let wanted = Wanted { texts: true, on_disk: true };
        Request::new(root, registry, layout, kinds, wanted).load().map(Loaded::project)
    }
}

impl Survey {
    /// Loads what a plan needs: digests from the sources, without their texts, and the generated
    /// files.
    ///
    /// # Errors
    ///
    /// As [`Project::load`].
    pub fn load_with_on_disk(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        kinds: &[Kind],
    ) -> Result<(Self, BTreeMap<ModuleName, OnDisk>), ProjectError> {
        let wanted = Wanted { texts: false, on_disk: true };
        Request::new(root, registry, layout, kinds, wanted).load().map(Loaded::survey)
    }

    /// Loads a part of the product code. `known` has the [graph digests](Survey::graph_digest) of
    /// specs whose dependencies are left out of the registry.
    ///
    /// # Errors
    ///
    /// As [`Project::load`].
    pub fn load_part(
        root: &Utf8Path,
        registry: &Registry,
        layout: &Layout,
        known: &BTreeMap<SpecRef, Digest>,
    ) -> Result<Self, ProjectError> {
        let wanted = Wanted { texts: false, on_disk: false };
        let request = Request::new(root, registry, layout, &[Kind::Build], wanted);
        Request { known: Some(known), ..request }.load().map(|loaded| loaded.survey().0)
    }
}

/// What is wanted beside modules and digests.
#[derive(Clone, Copy)]
struct Wanted {
    /// The texts of the sources, and stamps and digests of generated files.
    texts: bool,
    on_disk: bool,
}

/// What to load.
struct Request<'a> {
    root: &'a Utf8Path,
    registry: &'a Registry,
    layout: &'a Layout,
    kinds: &'a [Kind],
    wanted: Wanted,
    known: Option<&'a BTreeMap<SpecRef, Digest>>,
}

/// What was loaded, as far as it was wanted.
struct Loaded {
    survey: Survey,
    texts: SourceTexts,
    on_disk: BTreeMap<ModuleName, OnDisk>,
}

impl Loaded {
    fn survey(self) -> (Survey, BTreeMap<ModuleName, OnDisk>) {
        (self.survey, self.on_disk)
    }

    fn project(self) -> (Project, BTreeMap<ModuleName, OnDisk>) {
        let SourceTexts { files, file_of } = self.texts;
        (Project { survey: self.survey, sources: files, file_of }, self.on_disk)
    }
}

impl<'a> Request<'a> {
    fn new(
        root: &'a Utf8Path,
        registry: &'a Registry,
        layout: &'a Layout,
        kinds: &'a [Kind],
        wanted: Wanted,
    ) -> Self {
        Self { root, registry, layout, kinds, wanted, known: None }
    }

    fn load(&self) -> Result<Loaded, ProjectError> {
        let specs = &self.registry.specs;
        let modules = module_specs(specs)?;
        let files = spec_files(specs, self.kinds);
        let n_read = if self.wanted.on_disk { modules.len() } else { 0 };
        let job = Job {
            request: self,
            files_left: WorkCursor::new(files.len()),
            modules_left: WorkCursor::new(n_read),
            modules,
            files,
        };
        let (all_destinations, first_reader) = (OnceLock::new(), OnceLock::new());
        thread::scope(|scope| {
            // Whatever ends this early leaves no work to others.
            let _cancel = (job.files_left.cancel_on_drop(), job.modules_left.cancel_on_drop());
            let (sender, receiver) = mpsc::channel();
            let workers: Vec<_> = (1..threads_for(job.files.len()))
                .map(|_| {
                    let (job, sender) = (&job, sender.clone());
                    let (go_on, gone_on) = mpsc::channel();
                    let worker = scope.spawn(move || {
                        sender.send(job.read_sources()).ok();
                        drop(sender);
                        // Nothing comes if the project cannot be loaded.
                        gone_on.recv().map_or_else(|_| Vec::new(), |it| job.read_on_disk(it))
                    });
                    (worker, go_on)
                })
                .collect();
            drop(sender);

            let destinations = destinations(self.registry, self.layout, &job.modules)?;
            let destinations = all_destinations.get_or_init(|| destinations);
            let reader = first_reader.get_or_init(|| job.reader(destinations));
            for (_, go_on) in &workers {
                go_on.send((destinations, reader)).ok();
            }
            // The graphs need no source, so they are made before others are waited for.
            let dags = self.kinds.iter().map(|kind| spec_dag(*kind, specs, self.kinds));
            let dags: Vec<_> = dags.collect();
            let own_share = job.read_sources();
            let shares = receiver.into_iter().chain([own_share]).collect();
            let sources = sources::join(specs, &job.files, shares)?;
            let survey = self.survey(&job.modules, destinations, sources.locals, dags)?;

            let mut found = job.read_on_disk((destinations, reader));
            found.extend(workers.into_iter().flat_map(|(worker, _)| join(worker)));
            Ok(Loaded { survey, texts: sources.texts, on_disk: job.by_name(found) })
        })
    }
}

impl Request<'_> {
    /// Computes the digests of specs, and makes modules of them.
    fn survey(
        &self,
        modules: &Table<ModuleIdx, ModuleSpecs<'_>>,
        destinations: &Table<ModuleIdx, Destination>,
        locals: Table<SpecIdx, Option<Digest>>,
        dags: Vec<Result<Dag<SpecIdx>, ProjectError>>,
    ) -> Result<Survey, ProjectError> {
        let Self { root, registry, kinds, known, .. } = *self;
        let specs = &registry.specs;
        let mut graphs = vec![None; specs.len()].into();
        for (kind, dag) in kinds.iter().zip(dags) {
            let known = known.filter(|_| *kind == Kind::Build);
            fold(&dag?, specs, &locals, known, &mut graphs);
        }
        let inputs = ModuleInputs { registry, kinds, modules, destinations, graphs: &graphs };
        let (modules, units) = inputs.make();
        let (root, kinds, specs) = (root.to_owned(), kinds.to_vec(), specs.clone());
        Ok(Survey { root, kinds, specs, modules, locals, graphs, units })
    }
}

/// What the threads of one load share.
struct Job<'a> {
    request: &'a Request<'a>,
    modules: Table<ModuleIdx, ModuleSpecs<'a>>,
    files: Table<FileIdx, SpecFile<'a>>,
    files_left: WorkCursor<FileIdx>,
    modules_left: WorkCursor<ModuleIdx>,
}

impl Job<'_> {
    /// Reads source files until none is left.
    fn read_sources(&self) -> SourceShare {
        let Request { root, registry, wanted, .. } = self.request;
        let (mut bytes, mut share) = (Vec::new(), SourceShare::new(wanted.texts));
        self.files_left.each(|idx| {
            share.read(root, &registry.specs, (idx, &self.files[idx]), &mut bytes);
        });
        share
    }

    /// Makes a reader of the generated files of the kinds that are loaded.
    fn reader<'a>(&'a self, destinations: &'a Table<ModuleIdx, Destination>) -> OnDiskReader<'a> {
        let loaded = destinations.iter().filter(|(idx, _)| self.is_read(*idx));
        let paths = loaded.map(|(_, destination)| &destination.path);
        OnDiskReader::new(self.request.root, paths, self.request.wanted.texts)
    }

    /// Reads generated files until none is left.
    fn read_on_disk(
        &self,
        (destinations, reader): (&Table<ModuleIdx, Destination>, &OnDiskReader<'_>),
    ) -> Vec<(ModuleIdx, OnDisk)> {
        let (mut reader, mut found) = (reader.clone(), Vec::new());
        self.modules_left.each(|idx| {
            if self.is_read(idx) {
                found.push((idx, reader.read(&destinations[idx].path)));
            }
        });
        found
    }

    /// Checks whether the generated file of a module is read.
    fn is_read(&self, idx: ModuleIdx) -> bool {
        self.request.wanted.on_disk && self.request.kinds.contains(&self.modules[idx].kind)
    }

    fn by_name(&self, mut found: Vec<(ModuleIdx, OnDisk)>) -> BTreeMap<ModuleName, OnDisk> {
        found.sort_unstable_by_key(|(idx, _)| *idx);
        found.into_iter().map(|(idx, it)| (self.modules[idx].name.clone(), it)).collect()
    }
}
