//! `jaunt-engine.toml`, which is ours.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_backends::{AnswerFormat, BackendName, RequestFormat};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::config::error::ConfigError;

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
    #[serde(deserialize_with = "command_line")]
    pub(crate) command: Option<Vec<String>>,
}

/// `[backend]`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BackendConfig {
    pub(crate) name: Option<BackendName>,
    #[serde(deserialize_with = "command_line")]
    pub(crate) command: Option<Vec<String>>,
    /// What `command` reads.
    pub(crate) input: Option<RequestFormat>,
    /// What `command` prints.
    pub(crate) output: Option<AnswerFormat>,
    /// Further arguments for the programs that jaunt knows.
    pub(crate) args: Vec<String>,
    /// What is added to the environment of the program.
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) store: Option<Utf8PathBuf>,
    pub(crate) model: Option<String>,
    /// Seconds.
    #[serde(deserialize_with = "seconds")]
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
    #[serde(deserialize_with = "seconds")]
    pub(crate) timeout: Option<f64>,
}

impl EngineConfig {
    /// Reads the text of a `jaunt-engine.toml`. A key that we do not know is an error: it may be a
    /// misspelling of one that matters.
    pub(crate) fn parse(file: &Utf8Path, text: &str) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|err| ConfigError::malformed(file, &err))?;
        let wrong = |key: &str, what: &str| {
            Err(ConfigError::Key {
                key: key.to_owned(),
                file: file.to_owned(),
                fault: what.to_owned(),
            })
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

/// Reads a number of seconds, and says so in words if it is something else.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Float(seconds) => Ok(Some(seconds)),
        toml::Value::Integer(seconds) => Ok(Some(seconds as f64)),
        _ => Err(D::Error::custom("`timeout` must be a number of seconds")),
    }
}

/// Reads a command, and says in words what one looks like if it is something else.
fn command_line<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let toml::Value::Array(words) = toml::Value::deserialize(deserializer)? else {
        return Err(D::Error::custom(COMMAND));
    };
    let words = words.into_iter().map(|word| match word {
        toml::Value::String(word) => Ok(word),
        _ => Err(D::Error::custom(COMMAND)),
    });
    words.collect::<Result<_, _>>().map(Some)
}

const COMMAND: &str = "`command` must be a list, such as `[\"python3\", \"gen.py\"]`";
