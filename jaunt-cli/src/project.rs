//! The project that a command works on: its root, its configuration, its registry.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Kind, Layout, ModuleName, Registry};

use crate::args::CommonArgs;
use crate::config::{EngineConfig, JauntConfig};
use crate::error::{CommandError, CommandResult, ErrorKind};
use crate::python::interpreter;
use crate::signals::Stop;
use crate::ui::Ui;

/// What the process was started with, read once.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) cwd: Utf8PathBuf,
    pub(crate) vars: BTreeMap<String, String>,
}

/// Everything that every command needs.
pub(crate) struct Session {
    pub(crate) ui: Ui,
    pub(crate) common: CommonArgs,
    pub(crate) env: Environment,
    pub(crate) stop: Stop,
}

/// The root and the configuration, before any registry is read.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Absolute.
    pub(crate) root: Utf8PathBuf,
    pub(crate) config: JauntConfig,
    pub(crate) engine: EngineConfig,
    /// Relative to the root, or absolute where `--config` says so.
    pub(crate) config_file: Utf8PathBuf,
    /// The project's interpreter.
    pub(crate) python: Utf8PathBuf,
}

/// What applies after registry and configuration were put together.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) source_roots: Vec<String>,
    pub(crate) test_roots: Vec<String>,
    pub(crate) generated_dir: String,
    pub(crate) layout: Layout,
    pub(crate) build_jobs: NonZeroUsize,
    pub(crate) test_jobs: NonZeroUsize,
    pub(crate) pytest_args: Vec<String>,
}

impl Session {
    /// A path of the command line: relative to where the user is.
    pub(crate) fn path(&self, path: &Utf8Path) -> Utf8PathBuf {
        self.env.cwd.join(path)
    }
}

impl Workspace {
    /// Finds the root and reads both configuration files.
    pub(crate) fn open(session: &Session) -> CommandResult<Self> {
        let common = &session.common;
        let root = match &common.root {
            Some(root) => {
                let root = session.path(root);
                if !root.is_dir() {
                    return Err(CommandError::new(
                        ErrorKind::Usage,
                        format!("`--root {root}` is not a folder"),
                    ));
                }
                root
            }
            None => find_root(&session.env.cwd)?,
        };
        let root = root.canonicalize_utf8().map_err(|err| CommandError::io("read", &root, &err))?;
        let config_file = match &common.config {
            Some(file) => session.path(file),
            None => root.join("jaunt.toml"),
        };
        let config = match read_optional(&config_file)? {
            Some(text) => JauntConfig::parse(relative(&root, &config_file), &text)?,
            None if common.config.is_some() => {
                return Err(CommandError::new(
                    ErrorKind::Config,
                    format!("`--config {config_file}` does not exist"),
                ));
            }
            None => JauntConfig::default(),
        };
        let engine_file = root.join("jaunt-engine.toml");
        let engine = match read_optional(&engine_file)? {
            Some(text) => EngineConfig::parse(relative(&root, &engine_file), &text)?,
            None => EngineConfig::default(),
        };
        let python =
            interpreter(common.python.as_deref(), &session.env.cwd, &root, &session.env.vars);
        let config_file = relative(&root, &config_file).to_owned();
        Ok(Self { root, config, engine, config_file, python })
    }

    /// What the registry says, else `jaunt.toml`, else the defaults of the Python package.
    pub(crate) fn settings(&self, registry: &Registry) -> CommandResult<Settings> {
        let given = &registry.settings;
        let config = &self.config;
        let texts = |given: &Option<Vec<String>>, own: &Option<Vec<String>>, default: &[&str]| {
            let texts = given.as_ref().or(own.as_ref()).cloned();
            texts.unwrap_or_else(|| default.iter().map(|&text| text.to_owned()).collect())
        };
        let generated_dir = given
            .generated_dir
            .clone()
            .or_else(|| config.generated_dir.clone())
            .unwrap_or_else(|| "__generated__".to_owned());
        let layout = Layout::new(&generated_dir).map_err(|err| {
            CommandError::of(ErrorKind::Config, &err)
                .hint("`generated_dir` is the name of one folder, such as `__generated__`")
        })?;
        let jobs = |given: Option<NonZeroUsize>, own: Option<NonZeroUsize>, default| {
            let default = NonZeroUsize::new(default).expect("it is a literal above 0");
            given.or(own).unwrap_or(default)
        };
        let settings = Settings {
            source_roots: texts(&given.source_roots, &config.source_roots, &["src", "."]),
            test_roots: texts(&given.test_roots, &config.test_roots, &["tests"]),
            generated_dir,
            layout,
            build_jobs: jobs(given.build_jobs, config.build_jobs, 8),
            test_jobs: jobs(given.test_jobs, config.test_jobs, 4),
            pytest_args: texts(&given.pytest_args, &config.pytest_args, &["-q"]),
        };
        for root in settings.source_roots.iter().chain(&settings.test_roots) {
            let path = Utf8Path::new(root);
            if path.is_absolute() || path.components().any(|part| part.as_str() == "..") {
                return Err(CommandError::new(
                    ErrorKind::Config,
                    format!("the root `{root}` is not inside the project"),
                )
                .hint("`source_roots` and `test_roots` are relative to the project root"));
            }
        }
        Ok(settings)
    }
}

/// The modules that targets name, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    pub(crate) build: Vec<ModuleName>,
    pub(crate) test: Vec<ModuleName>,
}

impl Targets {
    /// Finds the module of every `MODULE[:QUALNAME]`.
    pub(crate) fn resolve(registry: &Registry, targets: &[String]) -> CommandResult<Self> {
        let mut found = Self::default();
        for target in targets {
            let (module, qualname) = match target.split_once(':') {
                Some((module, qualname)) => (module, Some(qualname)),
                None => (target.as_str(), None),
            };
            let mut specs = registry.specs.iter().filter(|(spec, _)| {
                spec.module().as_str() == module
                    && qualname.is_none_or(|it| spec.qualname() == it || spec.definition() == it)
            });
            let Some((spec, entry)) = specs.next() else {
                return Err(unknown_target(registry, target));
            };
            match entry.kind {
                Kind::Build => found.build.push(spec.module().clone()),
                Kind::Test => found.test.push(spec.module().clone()),
            }
        }
        Ok(found)
    }
}

fn unknown_target(registry: &Registry, target: &str) -> CommandError {
    let has_qualname = target.contains(':');
    let mut names: Vec<String> = registry
        .specs
        .keys()
        .map(|spec| if has_qualname { spec.to_string() } else { spec.module().to_string() })
        .collect();
    names.dedup();
    let mut near: Vec<(f64, &String)> = names
        .iter()
        .map(|name| (strsim::jaro_winkler(target, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(right.1)));
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();

    let what = if has_qualname { "spec" } else { "module with specs" };
    let err = CommandError::new(ErrorKind::Target, format!("there is no {what} `{target}`"));
    if near.is_empty() {
        err.hint("`jaunt status` lists the modules")
    } else {
        err.hint(format!("did you mean {}?", near.join(" or ")))
    }
}

/// The nearest folder upwards with a `jaunt.toml`.
fn find_root(cwd: &Utf8Path) -> CommandResult<Utf8PathBuf> {
    let found = cwd.ancestors().find(|dir| dir.join("jaunt.toml").is_file());
    found.map(Utf8Path::to_owned).ok_or_else(|| {
        CommandError::new(
            ErrorKind::Config,
            format!("there is no `jaunt.toml` in `{cwd}` or in any folder above it"),
        )
        .hint("go to the project, or name it with `--root DIR`")
    })
}

/// A path as the user knows it: relative to the root where it lies below.
pub(crate) fn relative<'a>(root: &Utf8Path, path: &'a Utf8Path) -> &'a Utf8Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Fails for what would be read for ever, as a link to a device is.
pub(crate) fn regular(meta: &fs::Metadata) -> io::Result<()> {
    if meta.is_file() {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// The text of a file; none where there is no such file.
fn read_optional(path: &Utf8Path) -> CommandResult<Option<String>> {
    match fs::metadata(path).and_then(|meta| regular(&meta)).and_then(|()| fs::read_to_string(path))
    {
        Ok(text) => Ok(Some(text)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) if err.kind() == io::ErrorKind::InvalidData => {
            Err(CommandError::new(ErrorKind::Config, format!("`{path}` is not UTF-8")))
        }
        Err(err) if err.kind() == io::ErrorKind::InvalidInput => {
            let mut error = CommandError::io("read", path, &err);
            error.kind = ErrorKind::Config;
            Err(error)
        }
        Err(err) => Err(CommandError::io("read", path, &err)),
    }
}
