//! A dummy project in a temporary directory, and a backend that makes code without a model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{
    Attempt, Attempts, BackendError, BoxFuture, BuildEvent, BuildOptions, BuildReport, Generation,
    Generator, GeneratorBackend, Lookup, ModuleOutcome, ModuleSpecContext, Plan, PlanOptions,
    Problem, Project, ProjectError,
};
use jaunt_digest::{Kind, Layout, ModuleName, Registry};
use serde_json::json;

#[expect(dead_code, reason = "shared with the tests of other crates")]
#[path = "../../../tests/support/files.rs"]
mod files;

/// A project on disk.
///
/// Its specs are written in one notation, a line each: `app.a:f` is a product spec,
/// `app.b:g <- app.a:f` depends on another, and `tests.t:test_f tests app.a:f` is a test spec.
/// Sources go to `src/`, or to the root where the module is below `tests`.
pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    specs: Vec<(String, Vec<String>, Kind)>,
    /// The decorator's arguments, by ref, of specs that have any.
    pub(crate) kwargs: serde_json::Value,
    pub(crate) modules: serde_json::Value,
}

impl Fixture {
    pub(crate) fn new(notation: &str) -> Self {
        // The tests need files, but no disk whose every sync takes time.
        let memory = Utf8Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let (kwargs, modules) = (json!({}), json!({}));
        let mut fixture = Self { dir: dir.unwrap(), specs: Vec::new(), kwargs, modules };
        fixture.respec(notation);
        fixture
    }

    /// Replaces all specs. Sources of specs that are gone stay where they are.
    pub(crate) fn respec(&mut self, notation: &str) {
        self.specs = notation
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| {
                let words: Vec<&str> = line.split_whitespace().collect();
                let kind = if words.get(1) == Some(&"tests") { Kind::Test } else { Kind::Build };
                (words[0].to_owned(), words.iter().skip(2).map(|&it| it.to_owned()).collect(), kind)
            })
            .collect();
        let mut sources: BTreeMap<Utf8PathBuf, String> = BTreeMap::new();
        for (spec, _, _) in &self.specs {
            let (module, name) = spec.split_once(':').unwrap();
            let source = sources.entry(self.source_file(module)).or_default();
            write!(source, "def {name}():\n    \"\"\"Spec {spec}.\"\"\"\n\n").unwrap();
        }
        for (path, source) in sources {
            self.write(path.as_str(), &source);
        }
    }

    fn source_file(&self, module: &str) -> Utf8PathBuf {
        let is_package =
            self.specs.iter().any(|(spec, _, _)| spec.starts_with(&format!("{module}.")));
        let base = if module.starts_with("tests") { "" } else { "src/" };
        let path = module.replace('.', "/");
        let tail = if is_package { "/__init__.py" } else { ".py" };
        Utf8PathBuf::from(format!("{base}{path}{tail}"))
    }

    pub(crate) fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.dir.path()).unwrap()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    pub(crate) fn write_bytes(&self, path: &str, bytes: &[u8]) {
        files::write(self.root(), path, bytes);
    }

    pub(crate) fn read(&self, path: &str) -> String {
        files::read(self.root(), path)
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.root().join(path).symlink_metadata().is_ok()
    }

    /// Replaces text in a file that has it.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        files::edit(self.root(), path, from, to);
    }

    pub(crate) fn registry(&self) -> Registry {
        Registry::from_json(self.document().as_bytes()).unwrap()
    }

    /// Returns the registry document.
    pub(crate) fn document(&self) -> String {
        let specs: Vec<_> = self
            .specs
            .iter()
            .map(|(spec, deps, kind)| {
                let (module, qualname) = spec.split_once(':').unwrap();
                json!({
                    "kind": kind.registry_str(), "spec_ref": spec, "module": module,
                    "qualname": qualname, "source_file": self.source_file(module),
                    "decorator_kwargs": self.kwargs.get(spec).unwrap_or(&json!({})),
                    "dependencies": deps,
                })
            })
            .collect();
        json!({"version": 1, "specs": specs, "modules": self.modules}).to_string()
    }

    pub(crate) fn load(&self) -> Result<Arc<Project>, ProjectError> {
        let layout = Layout::new("__generated__").unwrap();
        let kinds = [Kind::Build, Kind::Test];
        Project::load(self.root(), &self.registry(), &layout, &kinds).map(Arc::new)
    }

    pub(crate) fn plan(&self, kind: Kind, options: &PlanOptions) -> (Arc<Project>, Plan) {
        let project = self.load().unwrap();
        let plan = Plan::new(&project, kind, &project.read_on_disk(), options);
        (project, plan)
    }

    /// Plans and builds all product modules.
    pub(crate) fn build(&self, backend: &Arc<FakeBackend>) -> Run {
        self.build_with(Kind::Build, backend, &PlanOptions::default(), &options())
    }

    pub(crate) fn build_with(
        &self,
        kind: Kind,
        backend: &Arc<FakeBackend>,
        plan_options: &PlanOptions,
        options: &BuildOptions,
    ) -> Run {
        let (project, plan) = self.plan(kind, plan_options);
        backend.log.lock().unwrap().clear();
        let mut events = Vec::new();
        let report = block_on(jaunt_builder::build(
            &project,
            &plan,
            &backend.generator(),
            options,
            |_| 1,
            |more| events.extend_from_slice(more),
            pending(),
        ));
        let planned: BTreeSet<_> = plan.stale().map(|(name, _)| name.clone()).collect();
        let refused = plan.stale().filter(|(_, it)| it.refusal.is_some()).count();
        let done: BTreeSet<_> = report
            .outcomes
            .iter()
            .filter(|(_, outcome)| **outcome != ModuleOutcome::Fresh)
            .map(|(name, _)| name.clone())
            .collect();
        assert_eq!(planned, done, "plan and run agree");
        let calls = backend.log.lock().unwrap().clone();
        assert!(calls.len() + refused <= planned.len() * options.attempts.max.get() as usize);
        Run { report, events, calls }
    }

    /// Returns a line for each module: that it is fresh, or a reason why it is stale.
    pub(crate) fn status(&self, kind: Kind) -> String {
        let (_, plan) = self.plan(kind, &PlanOptions::default());
        let mut text = String::new();
        for (name, planned) in plan.modules() {
            if !planned.is_stale() {
                writeln!(text, "{name}: fresh").unwrap();
            }
            for reason in &planned.reasons {
                writeln!(text, "{name}: {reason}").unwrap();
            }
        }
        text
    }

    /// Returns every file, directory and link below a folder, with its content and time of modification.
    pub(crate) fn tree(&self, below: &str) -> BTreeMap<Utf8PathBuf, (String, SystemTime)> {
        let mut found = BTreeMap::new();
        let mut pending = vec![self.root().join(below)];
        while let Some(dir) = pending.pop() {
            for entry in dir.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                let metadata = path.symlink_metadata().unwrap();
                let content = if metadata.is_symlink() {
                    format!("-> {}", path.read_link_utf8().unwrap())
                } else if metadata.is_dir() {
                    pending.push(path.clone());
                    "directory".to_owned()
                } else {
                    format!("{:?}", fs::read(&path).unwrap())
                };
                found.insert(path, (content, metadata.modified().unwrap()));
            }
        }
        found
    }

    /// Returns the paths of all files below `__generated__` directories.
    pub(crate) fn generated(&self) -> Vec<String> {
        let tree = self.tree("");
        let files = tree.iter().filter(|(_, (content, _))| content != "directory");
        let paths = files.map(|(path, _)| path.strip_prefix(self.root()).unwrap().to_string());
        paths.filter(|path| path.contains("__generated__")).collect()
    }
}

/// The result of a build.
pub(crate) struct Run {
    pub(crate) report: BuildReport,
    pub(crate) events: Vec<BuildEvent>,
    /// The modules that the backend was asked for, in order, once for each attempt.
    pub(crate) calls: Vec<String>,
}

impl Run {
    /// Counts the attempts for a module, from the events.
    fn attempts(&self, name: &ModuleName) -> u32 {
        let attempts = self.events.iter().map(|event| match event {
            BuildEvent::Retrying { module, attempt, .. } if module == name => *attempt,
            _ => 1,
        });
        attempts.max().unwrap_or(1)
    }

    /// Returns one line for each module.
    pub(crate) fn outcomes(&self) -> String {
        let mut text = String::new();
        for (name, outcome) in &self.report.outcomes {
            let outcome = match outcome {
                ModuleOutcome::Generated => format!("generated ({})", self.attempts(name)),
                ModuleOutcome::Fresh => "fresh".to_owned(),
                ModuleOutcome::Failed(problems) => {
                    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
                    format!("failed: {}", problems.join("; "))
                }
                ModuleOutcome::Blocked { cause } => format!("blocked by {cause}"),
                ModuleOutcome::Cancelled => "cancelled".to_owned(),
            };
            writeln!(text, "{name}: {outcome}").unwrap();
        }
        text
    }
}

pub(crate) fn options() -> BuildOptions {
    BuildOptions {
        jobs: NonZeroUsize::new(4).unwrap(),
        attempts: Attempts::at_most(2),
        fail_fast: false,
        adopt: false,
        tool_version: "0.1.0".to_owned(),
    }
}

pub(crate) fn name(text: &str) -> ModuleName {
    text.parse().unwrap()
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// The answer of a backend for a module.
type Answer =
    Box<dyn Fn(&ModuleSpecContext, &[String]) -> Result<String, BackendError> + Send + Sync>;

/// Makes the same code for the same context, unless a test gives it another answer.
#[derive(Default)]
pub(crate) struct FakeBackend {
    log: Mutex<Vec<String>>,
    contexts: Mutex<BTreeMap<String, ModuleSpecContext>>,
    answers: BTreeMap<String, Answer>,
    lookup: LookupMode,
}

/// The modules whose answers can be looked up.
#[derive(Default)]
enum LookupMode {
    #[default]
    None,
    All,
    /// These.
    Some(BTreeSet<String>),
}

impl FakeBackend {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Makes a backend with another answer for one module.
    pub(crate) fn answering(
        module: &str,
        answer: impl Fn(&ModuleSpecContext, &[String]) -> Result<String, BackendError>
        + Send
        + Sync
        + 'static,
    ) -> Arc<Self> {
        let answers = BTreeMap::from([(module.to_owned(), Box::new(answer) as Answer)]);
        Arc::new(Self { answers, ..Self::default() })
    }

    /// Lets all answers be looked up.
    pub(crate) fn with_lookup(self: Arc<Self>) -> Arc<Self> {
        let backend = Arc::into_inner(self).expect("nobody else has it yet");
        Arc::new(Self { lookup: LookupMode::All, ..backend })
    }

    /// Lets the answers for these modules be looked up.
    pub(crate) fn with_lookup_of(self: Arc<Self>, modules: &[&str]) -> Arc<Self> {
        let backend = Arc::into_inner(self).expect("nobody else has it yet");
        let modules = modules.iter().map(|&it| it.to_owned()).collect();
        Arc::new(Self { lookup: LookupMode::Some(modules), ..backend })
    }

    /// Returns the generator of a build.
    pub(crate) fn generator(self: &Arc<Self>) -> Generator {
        let backend: Arc<dyn GeneratorBackend> = self.clone();
        match self.lookup {
            LookupMode::None => Generator::new(backend),
            _ => Generator { backend, lookup: Some(self.clone()) },
        }
    }

    /// Returns the context of the last request for a module.
    pub(crate) fn context(&self, module: &str) -> ModuleSpecContext {
        self.contexts.lock().unwrap()[module].clone()
    }
}

/// Makes code that is a function of the whole context.
pub(crate) fn code(ctx: &ModuleSpecContext) -> String {
    let digest = jaunt_builder::canonical_digest(ctx);
    let mut text = format!("# made from {digest}\n");
    for name in &ctx.expected_names {
        write!(text, "\n\ndef {name}():\n    return {name:?}\n").unwrap();
    }
    text
}

impl GeneratorBackend for FakeBackend {
    fn generate<'a>(
        &'a self,
        ctx: &'a ModuleSpecContext,
        attempt: Attempt<'a>,
    ) -> BoxFuture<'a, Result<Generation, BackendError>> {
        Box::pin(async move { self.ask(ctx, attempt.error_context) })
    }
}

impl Lookup for FakeBackend {
    fn look_up(&self, ctx: &ModuleSpecContext) -> Option<Result<Generation, BackendError>> {
        let is_known = match &self.lookup {
            LookupMode::None => false,
            LookupMode::All => true,
            LookupMode::Some(modules) => modules.contains(ctx.spec_module.as_str()),
        };
        is_known.then(|| self.ask(ctx, &[]))
    }

    /// Fails if all answers can be looked up; otherwise the backend is asked.
    fn error_for_invalid(
        &self,
        _ctx: &ModuleSpecContext,
        problems: &[Problem],
    ) -> Option<BackendError> {
        matches!(self.lookup, LookupMode::All).then(|| BackendError::fatal(problems[0].to_string()))
    }
}

impl FakeBackend {
    fn ask(
        &self,
        ctx: &ModuleSpecContext,
        error_context: &[String],
    ) -> Result<Generation, BackendError> {
        let module = ctx.spec_module.to_string();
        self.log.lock().unwrap().push(module.clone());
        self.contexts.lock().unwrap().insert(module.clone(), ctx.clone());
        let source = match self.answers.get(&module) {
            Some(answer) => answer(ctx, error_context)?,
            None => code(ctx),
        };
        Ok(Generation { source, usage: None })
    }
}
