//! `jaunt.toml`, which the Python package owns.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::config::error::ConfigError;

/// What we read of `jaunt.toml`, in either of its versions. The rest is left alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct JauntConfig {
    pub(crate) source_roots: Option<Vec<String>>,
    pub(crate) test_roots: Option<Vec<String>>,
    pub(crate) generated_dir: Option<String>,
    pub(crate) build_jobs: Option<NonZeroUsize>,
    pub(crate) test_jobs: Option<NonZeroUsize>,
    pub(crate) infer_deps: Option<bool>,
    pub(crate) test_infer_deps: Option<bool>,
    pub(crate) pytest_args: Option<Vec<String>>,
    pub(crate) instructions: Vec<String>,
    /// How asynchronous tests are run: `asyncio` or `anyio`.
    pub(crate) async_runner: Option<String>,
    /// Template files, by the name of the template.
    pub(crate) prompts: BTreeMap<String, Utf8PathBuf>,
    /// `[agent] engine`, which decides if no backend is named.
    pub(crate) agent_engine: Option<String>,
    pub(crate) codex_model: Option<String>,
    pub(crate) codex_reasoning_effort: Option<String>,
}

impl JauntConfig {
    /// Returns the folders that product modules are imported from.
    pub(crate) fn source_roots(&self) -> Vec<String> {
        self.source_roots.clone().unwrap_or_else(|| texts(&["src", "."]))
    }

    /// Returns the folders that test modules are imported from.
    pub(crate) fn test_roots(&self) -> Vec<String> {
        self.test_roots.clone().unwrap_or_else(|| texts(&["tests"]))
    }

    /// Returns the name of the folders with generated code.
    pub(crate) fn generated_dir(&self) -> &str {
        self.generated_dir.as_deref().unwrap_or("__generated__")
    }

    /// Returns how many product modules are generated at once.
    pub(crate) fn build_jobs(&self) -> NonZeroUsize {
        self.build_jobs.unwrap_or(const { NonZeroUsize::new(8).expect("8 is not 0") })
    }

    /// Returns how many test modules are generated at once.
    pub(crate) fn test_jobs(&self) -> NonZeroUsize {
        self.test_jobs.unwrap_or(const { NonZeroUsize::new(4).expect("4 is not 0") })
    }

    /// Returns the project's own arguments for pytest.
    pub(crate) fn pytest_args(&self) -> Vec<String> {
        self.pytest_args.clone().unwrap_or_else(|| texts(&["-q"]))
    }

    /// Reads the text of a `jaunt.toml`.
    pub(crate) fn parse(file: &Utf8Path, text: &str) -> Result<Self, ConfigError> {
        let raw: RawConfig =
            toml::from_str(text).map_err(|err| ConfigError::malformed(file, &err))?;
        let py = raw.target.py;
        let is_v2 = raw.version == Some(2);
        if !matches!(raw.version, None | Some(1 | 2)) {
            let version = raw.version.unwrap_or_default();
            return Err(ConfigError::Version { file: file.to_owned(), version });
        }
        let prompts = if is_v2 { raw.prompts.py } else { raw.prompts.own };
        Ok(Self {
            source_roots: if is_v2 { py.source_roots } else { raw.paths.source_roots },
            test_roots: if is_v2 { py.test_roots } else { raw.paths.test_roots },
            generated_dir: if is_v2 { py.generated_dir } else { raw.paths.generated_dir },
            build_jobs: raw.build.jobs,
            test_jobs: raw.test.jobs,
            infer_deps: if is_v2 { py.infer_deps } else { raw.build.infer_deps },
            test_infer_deps: if is_v2 { py.test_infer_deps } else { raw.test.infer_deps },
            pytest_args: if is_v2 { py.pytest_args } else { raw.test.pytest_args },
            instructions: raw.build.instructions,
            async_runner: if is_v2 { py.async_runner } else { raw.build.async_runner },
            prompts: prompts
                .into_iter()
                .filter_map(|(name, value)| Some((name, Utf8PathBuf::from(value.as_str()?))))
                .filter(|(_, path)| !path.as_str().is_empty())
                .collect(),
            agent_engine: raw.agent.engine,
            codex_model: raw.codex.model,
            codex_reasoning_effort: raw.codex.reasoning_effort,
        })
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

/// The shape of `jaunt.toml`, both versions at once.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawConfig {
    version: Option<i64>,
    paths: RawPaths,
    target: RawTarget,
    build: RawBuild,
    test: RawTest,
    prompts: RawPrompts,
    agent: RawAgent,
    codex: RawCodex,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawPaths {
    source_roots: Option<Vec<String>>,
    test_roots: Option<Vec<String>>,
    generated_dir: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawTarget {
    py: RawPythonTarget,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawPythonTarget {
    source_roots: Option<Vec<String>>,
    test_roots: Option<Vec<String>>,
    generated_dir: Option<String>,
    infer_deps: Option<bool>,
    test_infer_deps: Option<bool>,
    async_runner: Option<String>,
    pytest_args: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawBuild {
    jobs: Option<NonZeroUsize>,
    infer_deps: Option<bool>,
    async_runner: Option<String>,
    instructions: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawTest {
    jobs: Option<NonZeroUsize>,
    infer_deps: Option<bool>,
    pytest_args: Option<Vec<String>>,
}

/// Version 1 has the templates in the table itself, version 2 in one table for each language.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawPrompts {
    py: BTreeMap<String, toml::Value>,
    #[serde(flatten)]
    own: BTreeMap<String, toml::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawAgent {
    engine: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawCodex {
    model: Option<String>,
    reasoning_effort: Option<String>,
}
