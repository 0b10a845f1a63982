//! `jaunt.toml`, which the Python package owns, and `jaunt-engine.toml`, which is ours.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::error::{CommandError, CommandResult, ErrorKind};
use jaunt_backends::{BackendName, Input, Output};

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
    /// `[agent] engine`, which decides where no backend is named.
    pub(crate) agent_engine: Option<String>,
    pub(crate) codex_model: Option<String>,
    pub(crate) codex_reasoning_effort: Option<String>,
}

/// `jaunt-engine.toml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EngineConfig {
    pub(crate) registry: RegistryConfig,
    pub(crate) backend: BackendConfig,
    pub(crate) prompts: BTreeMap<String, Utf8PathBuf>,
    pub(crate) pytest: PytestConfig,
}

/// `[registry]`: a file, or a command whose standard output it is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RegistryConfig {
    pub(crate) file: Option<Utf8PathBuf>,
    pub(crate) command: Option<Vec<String>>,
}

/// `[backend]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BackendConfig {
    pub(crate) name: Option<BackendName>,
    pub(crate) command: Option<Vec<String>>,
    /// What `command` reads.
    pub(crate) input: Option<Input>,
    /// What `command` prints.
    pub(crate) output: Option<Output>,
    /// Further arguments for the programs that jaunt knows.
    pub(crate) args: Vec<String>,
    /// What is added to the environment of the program.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) store: Option<Utf8PathBuf>,
    pub(crate) model: Option<String>,
    /// Seconds.
    pub(crate) timeout: Option<f64>,
    /// Bytes.
    pub(crate) max_output: Option<usize>,
    pub(crate) max_attempts: Option<u32>,
}

/// `[pytest]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PytestConfig {
    /// Seconds.
    pub(crate) timeout: Option<f64>,
}

impl JauntConfig {
    /// Reads the text of a `jaunt.toml`.
    pub(crate) fn parse(file: &Utf8Path, text: &str) -> CommandResult<Self> {
        let raw: RawConfig = toml::from_str(text).map_err(|err| malformed(file, &err))?;
        let py = raw.target.py;
        let is_v2 = raw.version == Some(2);
        if !matches!(raw.version, None | Some(1 | 2)) {
            return Err(CommandError::new(
                ErrorKind::Config,
                format!("`{file}` has `version = {}`", raw.version.unwrap_or_default()),
            )
            .hint("versions 1 and 2 are known"));
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

impl EngineConfig {
    /// Reads the text of a `jaunt-engine.toml`. A key that we do not know is an error: it may be a
    /// misspelling of one that matters.
    pub(crate) fn parse(file: &Utf8Path, text: &str) -> CommandResult<Self> {
        let config: Self = toml::from_str(text).map_err(|err| malformed(file, &err))?;
        let wrong = |key: &str, what: &str| {
            Err(CommandError::new(ErrorKind::Config, format!("`{key}` in `{file}` {what}")))
        };
        if config.registry.file.is_some() && config.registry.command.is_some() {
            return wrong("registry", "has both `file` and `command`; keep one");
        }
        if config.registry.command.as_ref().is_some_and(Vec::is_empty) {
            return wrong("registry.command", "is empty");
        }
        for (key, value) in
            [("backend.timeout", config.backend.timeout), ("pytest.timeout", config.pytest.timeout)]
        {
            if value.is_some_and(|seconds| !(seconds > 0.0 && seconds <= 1e9)) {
                return wrong(key, "is not a number of seconds above 0");
            }
        }
        if config.backend.max_attempts == Some(0) {
            return wrong("backend.max_attempts", "is 0; a module needs at least one attempt");
        }
        Ok(config)
    }
}

fn malformed(file: &Utf8Path, err: &toml::de::Error) -> CommandError {
    CommandError::new(ErrorKind::Config, format!("cannot read `{file}`"))
        .because(err.to_string().trim_end())
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use proptest::sample::select;

    use super::*;

    fn jaunt(text: &str) -> JauntConfig {
        JauntConfig::parse(Utf8Path::new("jaunt.toml"), text).unwrap()
    }

    fn message(err: &CommandError) -> String {
        format!("{}: {}", err.message, err.causes.join("; "))
    }

    #[test]
    fn both_versions_of_jaunt_toml_say_the_same() {
        let one = jaunt(
            "
            version = 1
            [paths]
            source_roots = ['lib']
            test_roots = ['checks']
            generated_dir = 'made'
            [build]
            jobs = 3
            infer_deps = false
            async_runner = 'anyio'
            [test]
            jobs = 2
            pytest_args = ['-x']
            [prompts]
            build_system = 'prompts/system.md'
            ",
        );
        let two = jaunt(
            "
            version = 2
            [target.py]
            source_roots = ['lib']
            test_roots = ['checks']
            generated_dir = 'made'
            infer_deps = false
            async_runner = 'anyio'
            pytest_args = ['-x']
            [build]
            jobs = 3
            [test]
            jobs = 2
            [prompts.py]
            build_system = 'prompts/system.md'
            ",
        );
        assert_eq!(one, two);
        assert_eq!(one.source_roots, Some(vec!["lib".to_owned()]));
        assert_eq!(one.prompts["build_system"], "prompts/system.md");
    }

    #[test]
    fn what_is_not_ours_in_jaunt_toml_is_left_alone() {
        let config = jaunt(
            "[daemon]\nmax_jobs = 'many'\n[llm]\nprovider = 'x'\n[agent]\nengine = 'codex'\n",
        );
        assert_eq!(config.agent_engine.as_deref(), Some("codex"));
    }

    #[test]
    fn an_unknown_version_is_refused() {
        let err = JauntConfig::parse(Utf8Path::new("jaunt.toml"), "version = 3\n").unwrap_err();
        assert_eq!(err.message, "`jaunt.toml` has `version = 3`");
    }

    #[test]
    fn faults_of_the_engines_file_name_the_key() {
        for (text, part) in [
            ("[registry]\nfile = 'a'\ncommand = ['b']\n", "both `file` and `command`"),
            ("[registry]\ncommand = []\n", "`registry.command`"),
            ("[backend]\ntimeout = -1\n", "`backend.timeout`"),
            ("[backend]\nmax_attempts = 0\n", "`backend.max_attempts`"),
            ("[backend]\nname = 'gpt'\n", "unknown variant `gpt`"),
            ("[bakcend]\n", "unknown field `bakcend`"),
        ] {
            let file = Utf8Path::new("jaunt-engine.toml");
            let err = EngineConfig::parse(file, text).unwrap_err();
            assert!(message(&err).contains(part), "{}", message(&err));
        }
    }

    const SETTINGS: &[&str] = &[
        "version = 1\n[paths]\nsource_roots = ['src']\ngenerated_dir = 'gen'\n[build]\njobs = 3\n\
         instructions = ['be kind']\n[prompts]\nbuild_system = 'p.md'\n",
        "version = 2\n[target.py]\nsource_roots = ['src']\n[prompts.py]\nbuild_system = 'p.md'\n[codex]\nmodel = 'm'\n",
        "[registry]\ncommand = ['make', 'it']\n[backend]\nname = 'command'\ntimeout = 1.5\nmax_attempts = 2\n\
         [backend.env]\nA = 'b'\n[pytest]\ntimeout = 3\n",
    ];

    proptest! {
        #[test]
        fn any_settings_are_read_or_refused_by_name(
            text in select(SETTINGS),
            at in any::<Index>(),
            goes in 0..20usize,
            comes in "([\\[\\]{}\"'=#.,\n\\\\-]|[0-9]{1,25}|1e999|nan|inf|\\PC|\\p{Cc}|\\[{200}){0,6}",
        ) {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let to = text.floor_char_boundary((at + goes).min(text.len()));
            let mut text = text.to_owned();
            text.replace_range(at..to, &comes);
            let file = Utf8Path::new("some.toml");
            for result in [
                JauntConfig::parse(file, &text).map(drop),
                EngineConfig::parse(file, &text).map(drop),
            ] {
                if let Err(err) = result {
                    prop_assert!(message(&err).contains("some.toml"), "{}", message(&err));
                }
            }
        }
    }
}
