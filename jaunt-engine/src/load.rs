//! The registry, the settings that apply, and the project made of both.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use camino::Utf8Path;
use jaunt_builder::{FindOptions, GeneratedFiles, OnDisk, Project, Survey, find_generated};
use jaunt_digest::{Kind, Layout, ModuleName, Registry};

use crate::config::ConfigError;
use crate::engine::Engine;
use crate::error::{EngineError, MissingSpecs};
use crate::notice::Notice;
use crate::registry::Document;

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

/// Everything that a plan is made from.
pub(crate) struct Loaded {
    pub(crate) registry: Registry,
    pub(crate) settings: Settings,
    pub(crate) project: Arc<Project>,
}

impl Engine {
    /// Reads the registry and the sources of all specs of these kinds.
    pub(crate) async fn load(&self, kinds: &[Kind]) -> Result<Loaded, EngineError> {
        let mut document = self.find_registry().await?;
        let (registry, settings) = self.read_registry(&mut document)?;
        let project = Project::load(self.root(), &registry, &settings.layout, kinds)?;
        Ok(Loaded { registry, settings, project: Arc::new(project) })
    }

    /// Reads a registry that was found, the sources, and the files generated for them.
    pub(crate) fn load_with_on_disk(
        &self,
        document: &mut Document,
        kinds: &[Kind],
    ) -> Result<(Loaded, BTreeMap<ModuleName, OnDisk>), EngineError> {
        let (registry, settings) = self.read_registry(document)?;
        let (project, on_disk) =
            Project::load_with_on_disk(self.root(), &registry, &settings.layout, kinds)?;
        Ok((Loaded { registry, settings, project: Arc::new(project) }, on_disk))
    }

    /// Reads a registry that was found, and passes its warnings on.
    pub(crate) fn read_registry(
        &self,
        document: &mut Document,
    ) -> Result<(Registry, Settings), EngineError> {
        let registry = document.registry()?;
        for text in &registry.warnings {
            self.notice(Notice::RegistryWarning { text });
        }
        let settings = self.effective_settings(&registry)?;
        Ok((registry, settings))
    }

    /// Returns what the registry says, else `jaunt.toml`, else the defaults of the Python package.
    fn effective_settings(&self, registry: &Registry) -> Result<Settings, ConfigError> {
        let (given, own) = (&registry.settings, &self.config);
        let texts = |given: &Option<Vec<String>>, own: &[String]| {
            given.clone().unwrap_or_else(|| own.to_vec())
        };
        let generated_dir =
            given.generated_dir.clone().unwrap_or_else(|| own.generated_dir().to_owned());
        let layout =
            Layout::new(&generated_dir).map_err(|source| ConfigError::GeneratedDir { source })?;
        let settings = Settings {
            source_roots: texts(&given.source_roots, &own.source_roots()),
            test_roots: texts(&given.test_roots, &own.test_roots()),
            generated_dir,
            layout,
            build_jobs: given.build_jobs.unwrap_or(own.build_jobs()),
            test_jobs: given.test_jobs.unwrap_or(own.test_jobs()),
            pytest_args: texts(&given.pytest_args, &own.pytest_args()),
        };
        for root in settings.source_roots.iter().chain(&settings.test_roots) {
            let path = Utf8Path::new(root);
            if path.is_absolute() || path.components().any(|part| part.as_str() == "..") {
                return Err(ConfigError::RootOutside { root: root.clone() });
            }
        }
        Ok(settings)
    }
}

impl Loaded {
    /// Fails unless there are specs, or none were expected.
    pub(crate) fn expect_any_specs(&self, allow_empty: bool) -> Result<(), EngineError> {
        expect_any_specs(&self.registry, allow_empty)
    }

    /// Fails unless there are specs of this kind, or none were expected.
    pub(crate) fn expect_specs(&self, kind: Kind, allow_empty: bool) -> Result<(), EngineError> {
        if allow_empty || self.project.of_kind(kind).next().is_some() {
            return Ok(());
        }
        Err(EngineError::Empty(MissingSpecs::OfKind(kind)))
    }
}

/// Fails unless there are specs, or none were expected.
pub(crate) fn expect_any_specs(registry: &Registry, allow_empty: bool) -> Result<(), EngineError> {
    if allow_empty || !registry.specs.is_empty() {
        return Ok(());
    }
    Err(EngineError::Empty(MissingSpecs::Any))
}

/// Returns what is below the generated directories of the project's roots. Files that are `known` are not read again.
pub(crate) fn generated_files(
    survey: &Survey,
    registry: &Registry,
    settings: &Settings,
    known: Option<&BTreeMap<ModuleName, OnDisk>>,
) -> Result<GeneratedFiles, EngineError> {
    let roots: Vec<String> =
        settings.source_roots.iter().chain(&settings.test_roots).cloned().collect();
    let options = FindOptions {
        roots: &roots,
        generated_dir: &settings.generated_dir,
        also_expected: &registry.auto_tests,
        known,
    };
    Ok(find_generated(survey, &options)?)
}
