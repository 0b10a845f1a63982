//! What a backend is made of.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::command::{AnswerFormat, RequestFormat};
use crate::name::BackendName;

/// Which backend is wanted, and how it is to work.
#[derive(Clone, Debug)]
pub struct BackendSettings {
    /// Which one.
    pub name: BackendName,
    /// The root of the project: programs run there, and relative paths start there.
    pub root: Utf8PathBuf,
    /// The program of `command`, with its arguments.
    pub command: Vec<String>,
    /// What `command` reads.
    pub request_format: RequestFormat,
    /// What `command` prints.
    pub answer_format: AnswerFormat,
    /// The model for the known programs. `None` for the default of each.
    pub model: Option<String>,
    /// How long the model thinks, in the words of the known programs that have such a setting.
    pub reasoning_effort: Option<String>,
    /// Further arguments for the known programs.
    pub args: Vec<String>,
    /// Variables that are added to the environment of a program.
    pub env: BTreeMap<String, String>,
    /// The directory of the recordings of `replay`.
    pub store: Option<Utf8PathBuf>,
    /// The directory that gets a recording of each answer.
    pub record: Option<Utf8PathBuf>,
    /// The time limit of one attempt.
    pub timeout: Duration,
    /// The time between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// The most bytes that a program may print.
    pub max_output: usize,
}

impl BackendSettings {
    /// Returns the settings of a backend about which nothing has been said.
    pub fn new(name: BackendName, root: Utf8PathBuf) -> Self {
        Self {
            name,
            root,
            command: Vec::new(),
            request_format: RequestFormat::default(),
            answer_format: AnswerFormat::default(),
            model: None,
            reasoning_effort: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            store: None,
            record: None,
            timeout: Duration::from_secs(600),
            grace: Duration::from_secs(3),
            max_output: 8 * 1024 * 1024,
        }
    }
}
