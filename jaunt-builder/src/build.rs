//! The run: generates what a plan names.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_dag::Dag;
use jaunt_digest::{Digest, GeneratedPath, HeaderFields, Kind, ModuleName, SpecRef};
use jaunt_sched::{Event, Outcome};
use jaunt_text::one_line;
use jaunt_write::{Tree, WriteError};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::backend::{
    Checked, Generated, Generation, GeneratorBackend, ModuleSpecContext, in_background, judge,
};
use crate::check::Problem;
use crate::on_disk::{OnDisk, classify, read_one};
use crate::plan::Plan;
use crate::project::Project;
use crate::report::{BuildReport, ModuleOutcome};
use crate::spec_module::SpecModule;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// How many modules are generated at once.
    pub jobs: NonZeroUsize,
    /// How many attempts a module gets.
    pub max_attempts: u32,
    /// Start nothing more after the first failure.
    pub fail_fast: bool,
    /// Overwrite files that jaunt did not write.
    pub adopt: bool,
    /// The version that goes into the header.
    pub tool_version: String,
}

/// What happens during a run, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEvent {
    /// A module is being generated.
    Started {
        /// The module.
        module: ModuleName,
    },
    /// An attempt did not pass; another one follows.
    Retrying {
        /// The module.
        module: ModuleName,
        /// The number of the attempt that follows.
        attempt: u32,
        /// What was wrong with the last one.
        problems: Vec<String>,
    },
    /// What became of a module. Every stale module gets exactly one of these.
    Finished {
        /// The module.
        module: ModuleName,
        /// Never `Fresh`.
        outcome: ModuleOutcome,
    },
}

/// Generates what the plan names, dependencies first, at most `jobs` modules at a time.
///
/// `on_events` is told of what has happened, of several events at once where they come fast: within 20 ms
/// if the backend has its answers [at hand](crate::AtHand), which needs a runtime with a clock, else
/// at once.
///
/// When `stop` completes, nothing more is started; what runs is waited for, so a backend that should
/// be cut short has to be told by other means. Every module that finishes is written at once.
/// Failures, panics of the backend and files that cannot be written are outcomes in the report.
/// Dropping the future abandons what runs; no file is left half written by that.
pub async fn build<B: GeneratorBackend + 'static>(
    project: &Arc<Project>,
    plan: &Plan,
    backend: &Arc<B>,
    options: &BuildOptions,
    mut weight: impl FnMut(&ModuleName) -> u64,
    mut on_events: impl FnMut(&[BuildEvent]),
    stop: impl Future<Output = ()>,
) -> BuildReport {
    let (events, mut received) = mpsc::unbounded_channel();
    let run = Arc::new(Run {
        project: Arc::clone(project),
        kind: plan.kind(),
        backend: Arc::clone(backend),
        options: options.clone(),
        refusals: plan
            .stale()
            .filter_map(|(name, planned)| Some((name.clone(), planned.refusal.clone()?)))
            .collect(),
        missing: match backend.at_hand() {
            Some(_) => plan
                .stale()
                .filter(|(_, planned)| planned.is_missing())
                .map(|(name, _)| name.clone())
                .collect(),
            None => BTreeSet::new(),
        },
        trees: Mutex::default(),
        inits: Mutex::default(),
        apis: project.specs().keys().map(|_| OnceLock::new()).collect(),
        bodies: Mutex::default(),
        outcomes: Mutex::default(),
        calls: AtomicU64::new(0),
        is_stopping: AtomicBool::new(false),
        events,
    });
    let _abandon = StopOnDrop(&run.is_stopping);

    let units = project.units(plan.kind());
    let weight = |unit: &ModuleName| units.members(unit).iter().map(&mut weight).sum();
    let stop = async {
        stop.await;
        run.is_stopping.store(true, Ordering::Relaxed);
    };
    let settled = if backend.at_hand().is_some() {
        run.on_threads(plan.units(), weight, || tell_all(&mut received, &mut on_events), stop).await
    } else {
        let mut scheduled = pin!(run.on_tasks(plan.units(), weight, stop));
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                _ = received.recv_many(&mut batch, MANY) => {
                    on_events(&batch);
                    batch.clear();
                }
                settled = &mut scheduled => break settled,
            }
        }
    };
    run.settle(settled);
    tell_all(&mut received, &mut on_events);

    let mut outcomes = std::mem::take(&mut *lock(&run.outcomes));
    outcomes.extend(plan.fresh().map(|name| (name.clone(), ModuleOutcome::Fresh)));
    BuildReport { outcomes, backend_calls: run.calls.load(Ordering::Relaxed) }
}

/// How late an event may be told.
const TICK: Duration = Duration::from_millis(20);

/// How many events are told at once.
const MANY: usize = 64;

/// Tells of all that has happened by now.
fn tell_all(
    received: &mut mpsc::UnboundedReceiver<BuildEvent>,
    on_events: &mut impl FnMut(&[BuildEvent]),
) {
    let batch: Vec<BuildEvent> = iter::from_fn(|| received.try_recv().ok()).collect();
    if !batch.is_empty() {
        on_events(&batch);
    }
}

/// Lets nothing more be started once nobody waits for the run any more.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the jobs of one run share.
struct Run<B> {
    project: Arc<Project>,
    kind: Kind,
    backend: Arc<B>,
    options: BuildOptions,
    refusals: BTreeMap<ModuleName, String>,
    /// Modules of which the plan found no code, where answers are at hand: it looked a moment ago.
    missing: BTreeSet<ModuleName>,
    /// The directories that may be written to, each opened once.
    trees: Mutex<BTreeMap<Utf8PathBuf, Arc<Tree>>>,
    /// The `__init__.py` files that are there.
    inits: Mutex<BTreeSet<Utf8PathBuf>>,
    /// Signature and docstring of each spec, by its index.
    apis: Vec<OnceLock<Arc<str>>>,
    /// Generated code that was read or written in this run.
    bodies: Mutex<BTreeMap<ModuleName, Body>>,
    outcomes: Mutex<BTreeMap<ModuleName, ModuleOutcome>>,
    calls: AtomicU64,
    is_stopping: AtomicBool,
    events: mpsc::UnboundedSender<BuildEvent>,
}

/// Generated code, without its header.
#[derive(Clone, Debug)]
struct Body {
    text: Arc<str>,
    digest: Digest,
}

impl Body {
    fn new(text: &str) -> Self {
        Self { text: text.into(), digest: Digest::of(text) }
    }
}

/// A module of the unit failed; which one, and why, is among the outcomes.
struct UnitFailed;

/// How each unit ended.
type Settled = BTreeMap<ModuleName, Outcome<ModuleName, (), UnitFailed>>;

/// More threads than this only wait for the disk, each with a stack and several open files.
const MAX_THREADS: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

impl<B: GeneratorBackend + 'static> Run<B> {
    /// Generates all units on the runtime.
    async fn on_tasks(
        self: &Arc<Self>,
        units: &Dag<ModuleName>,
        weight: impl FnMut(&ModuleName) -> u64,
        stop: impl Future<Output = ()>,
    ) -> Settled {
        let start = |unit: &ModuleName| {
            let run = Arc::clone(self);
            let members = self.project.units(self.kind).members(unit).to_vec();
            async move { run.generate_unit(&members).await }
        };
        let on_event = |event: Event<'_, ModuleName>| self.go_on_after(event);
        jaunt_sched::run(units, self.options.jobs, weight, start, on_event, stop).await
    }

    /// Generates all units on threads of their own, and meanwhile calls `on_tick` every now and then.
    async fn on_threads(
        self: &Arc<Self>,
        units: &Dag<ModuleName>,
        weight: impl FnMut(&ModuleName) -> u64,
        mut on_tick: impl FnMut(),
        stop: impl Future<Output = ()>,
    ) -> Settled {
        // They may go on for a moment after this future was dropped.
        let (run, units) = (Arc::clone(self), units.clone());
        let weights: Vec<u64> = units.nodes().map(weight).collect();
        let threads = self.options.jobs.min(MAX_THREADS);
        let mut settled = pin!(in_background(move || jaunt_sched::run_on_threads(
            &units,
            threads,
            |unit| units.index_of(unit).map_or(1, |idx| weights[idx]),
            |unit| run.look_up_unit(run.project.units(run.kind).members(unit)),
            |event| run.go_on_after(event),
            || run.is_stopping.load(Ordering::Relaxed),
        )));
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop, if !self.is_stopping.load(Ordering::Relaxed) => {}
                settled = &mut settled => return settled,
                () = sleep(TICK) => on_tick(),
            }
        }
    }

    /// Whether a run goes on that has come to this.
    fn go_on_after(&self, event: Event<'_, ModuleName>) -> ControlFlow<()> {
        match event {
            Event::Failed { .. } | Event::Panicked { .. } if self.options.fail_fast => {
                self.is_stopping.store(true, Ordering::Relaxed);
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        }
    }

    /// Generates the modules of a unit, one after the other.
    async fn generate_unit(self: &Arc<Self>, members: &[ModuleName]) -> Result<(), UnitFailed> {
        for name in members {
            self.begin(name)?;
            let generated = self.generate_module(name).await;
            self.end(name, generated)?;
        }
        Ok(())
    }

    /// The same, where the backend has all answers at hand.
    fn look_up_unit(&self, members: &[ModuleName]) -> Result<(), UnitFailed> {
        for name in members {
            self.begin(name)?;
            self.end(name, self.look_up_module(name))?;
        }
        Ok(())
    }

    fn begin(&self, name: &ModuleName) -> Result<(), UnitFailed> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return Err(UnitFailed);
        }
        self.send(BuildEvent::Started { module: name.clone() });
        Ok(())
    }

    fn end(
        &self,
        name: &ModuleName,
        generated: Result<Generated, Vec<Problem>>,
    ) -> Result<(), UnitFailed> {
        match generated {
            Ok(generated) => {
                let outcome = ModuleOutcome::Generated {
                    attempts: generated.attempts,
                    usage: generated.generation.usage,
                };
                self.finish(name, outcome);
                Ok(())
            }
            Err(problems) if problems == [Problem::Interrupted] => Err(UnitFailed),
            Err(problems) => {
                self.finish(name, ModuleOutcome::Failed(problems));
                Err(UnitFailed)
            }
        }
    }

    async fn generate_module(
        self: &Arc<Self>,
        name: &ModuleName,
    ) -> Result<Generated, Vec<Problem>> {
        let (run, module) = (Arc::clone(self), name.clone());
        let ctx = in_background(move || run.context(&module)).await?;

        let on_attempt = |attempt: crate::backend::Attempt<'_>| {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if attempt.number > 1 {
                self.send(BuildEvent::Retrying {
                    module: name.clone(),
                    attempt: attempt.number,
                    problems: attempt.error_context.to_vec(),
                });
            }
        };
        let max_attempts = self.options.max_attempts;
        let generated = self
            .backend
            .generate_with_retry(&ctx, max_attempts, on_attempt)
            .await
            .map_err(|failure| failure.problems)?;

        let (run, module) = (Arc::clone(self), name.clone());
        in_background(move || {
            run.keep(&module, &ctx, &generated.generation)?;
            Ok(generated)
        })
        .await
    }

    fn look_up_module(&self, name: &ModuleName) -> Result<Generated, Vec<Problem>> {
        let at_hand = self.backend.at_hand().expect("who has no answers at hand is not looked up");
        let ctx = self.context(name)?;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = at_hand.answer(&ctx).map(|generation| Checked::new(generation, &ctx));
        let judged = judge(&*self.backend, &ctx, answer);
        let generation = judged.map_err(|fault| fault.problems)?;
        self.keep(name, &ctx, &generation)?;
        Ok(Generated { generation, attempts: 1 })
    }

    /// Writes code that passed the checks, and keeps it for those who depend on it.
    fn keep(
        &self,
        name: &ModuleName,
        ctx: &ModuleSpecContext,
        generation: &Generation,
    ) -> Result<(), Problem> {
        let body = Body::new(&jaunt_digest::normalize_body(&generation.source));
        self.write(name, ctx, &body)?;
        lock(&self.bodies).insert(name.clone(), body);
        Ok(())
    }

    /// Everything that decides the code of a module, unless its file is not ours to write.
    fn context(&self, name: &ModuleName) -> Result<ModuleSpecContext, Problem> {
        if let Some(refusal) = self.refusals.get(name) {
            return Err(Problem::Write(refusal.clone()));
        }
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

    /// Signature and docstring of a spec, made once for all that depend on it.
    fn api(&self, idx: usize) -> (SpecRef, Arc<str>) {
        let spec = self.project.specs().ref_at(idx);
        let api = self.apis[idx].get_or_init(|| self.project.api_at(idx).into());
        (spec.clone(), Arc::clone(api))
    }

    /// The specs of other modules that the specs of this one name, by index.
    fn direct_dependencies(&self, module: &SpecModule) -> Vec<usize> {
        let (specs, own) = (self.project.specs(), self.project.indices_of(module));
        let mut below: Vec<usize> = own
            .clone()
            .flat_map(|idx| specs.dependencies_at(idx).flatten())
            .filter(|dep| !own.contains(dep))
            .collect();
        if module.kind == Kind::Test {
            let tested = self.project.tested_specs(&module.specs);
            below.extend(tested.iter().filter_map(|spec| specs.index_of(spec)));
        }
        below.sort_unstable();
        below.dedup();
        below
    }

    /// The modules whose code is part of the context: not those of the same unit, of which some
    /// come later.
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

    /// The code of a module as it was just generated, or as it stands on disk.
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

    /// Writes the file of a module, with the package directories that it needs.
    fn write(
        &self,
        name: &ModuleName,
        ctx: &ModuleSpecContext,
        body: &Body,
    ) -> Result<(), Problem> {
        let module = self.project.module(name);
        let output = &module.destination;
        let tree = self.tree(output.tree())?;
        self.make_package(&tree, output)?;
        // The plan looked at this file; that may be minutes ago.
        tree.update(output.file(), |old| match old.map(|bytes| classify(&bytes)) {
            Some(OnDisk::Foreign) if !self.options.adopt => Err(Problem::Write(format!(
                "refusing to overwrite `{}`, which was not generated by jaunt",
                output.path()
            ))),
            _ => Ok(self.render(module, name, ctx, body).into_bytes()),
        })?;
        Ok(self.leave_old_shape(name, module, &tree)?)
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

    fn render(
        &self,
        module: &SpecModule,
        name: &ModuleName,
        ctx: &ModuleSpecContext,
        body: &Body,
    ) -> String {
        let locals = self.project.indices_of(module);
        let units = self.project.units(self.kind);
        let peers = units.members(units.unit_of(name)).iter().filter(|peer| *peer != name);
        let fields = HeaderFields {
            tool_version: &self.options.tool_version,
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
                .map(|(dep, body)| (dep.as_str(), self.digest_of(dep, body)))
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

    /// The digest of a body that is part of a context. Only of that very text it is known: somebody may
    /// have put another file there before another module was generated against it.
    fn digest_of(&self, name: &ModuleName, text: &Arc<str>) -> Digest {
        match lock(&self.bodies).get(name) {
            Some(body) if Arc::ptr_eq(&body.text, text) => body.digest,
            _ => Digest::of(&**text),
        }
    }

    /// Removes the code from where it was before the module became, or ceased to be, a package.
    fn leave_old_shape(
        &self,
        name: &ModuleName,
        module: &SpecModule,
        tree: &Tree,
    ) -> Result<(), WriteError> {
        if self.missing.contains(name) {
            return Ok(());
        }
        let Some(other) = module.destination.other_shape() else { return Ok(()) };
        if let OnDisk::Ours(file) = read_one(tree, other.file())
            && file.header().source_module() == Some(name.as_str())
        {
            tree.remove(other.file())?;
            // Bytecode of modules that are gone does not keep a directory.
            tree.prune(&["__pycache__"])?;
        }
        Ok(())
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

    /// Gives an outcome to every module that has none yet.
    fn settle(&self, settled: Settled) {
        let units = self.project.units(self.kind);
        // What was blocked needs to know of all that failed.
        for (unit, outcome) in &settled {
            if let Outcome::Panicked(message) = outcome {
                let problems = vec![Problem::Panic(message.clone())];
                if let Some(name) = self.unsettled(units.members(unit)).first() {
                    self.finish(name, ModuleOutcome::Failed(problems));
                }
            }
        }
        for (unit, outcome) in &settled {
            let cause = match outcome {
                Outcome::Blocked { cause } => self.culprit(units.members(cause)),
                _ => self.culprit(units.members(unit)),
            };
            for name in self.unsettled(units.members(unit)) {
                // Without a culprit the unit below was stopped, not failed.
                let outcome = match &cause {
                    Some(cause) => ModuleOutcome::Blocked { cause: cause.clone() },
                    None => ModuleOutcome::Cancelled,
                };
                self.finish(&name, outcome);
            }
        }
    }

    fn unsettled(&self, members: &[ModuleName]) -> Vec<ModuleName> {
        let outcomes = lock(&self.outcomes);
        members.iter().filter(|name| !outcomes.contains_key(*name)).cloned().collect()
    }

    /// The module of a unit that failed.
    fn culprit(&self, members: &[ModuleName]) -> Option<ModuleName> {
        let outcomes = lock(&self.outcomes);
        let mut failed = members
            .iter()
            .filter(|name| matches!(outcomes.get(*name), Some(ModuleOutcome::Failed(_))));
        failed.next().cloned()
    }

    fn finish(&self, name: &ModuleName, outcome: ModuleOutcome) {
        lock(&self.outcomes).insert(name.clone(), outcome.clone());
        self.send(BuildEvent::Finished { module: name.clone(), outcome });
    }

    fn send(&self, event: BuildEvent) {
        // The receiver is gone only when the run was abandoned.
        self.events.send(event).ok();
    }
}

impl From<Problem> for Vec<Problem> {
    fn from(problem: Problem) -> Self {
        vec![problem]
    }
}

/// What a job that panicked left behind is whole: every change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
