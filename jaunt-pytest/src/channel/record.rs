//! The records that the plugin writes. `src/plugin/events.py` is the writer.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::event::Outcome;
use crate::result::Phase;

/// What every line of the event file has.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    /// Marks a record as one of this run.
    pub(crate) token: String,
    /// The number of the record; a process starts at 0.
    pub(crate) seq: u64,
    /// The ids of tests that passed since the record before.
    #[serde(default)]
    pub(crate) passed: Vec<String>,
}

/// What a line says. The fields of [`Head`] are in the same object, and are passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Body {
    /// The plugin was imported. pytest may still refuse to run.
    Loaded,
    Session {
        pytest: String,
        python: String,
        /// Whether xdist runs several tests at once.
        parallel: bool,
    },
    Collected {
        tests: u64,
        deselected: u64,
        /// How many tests came from each file, by absolute path.
        files: BTreeMap<String, u64>,
    },
    /// What an xdist worker had collected.
    Worker {
        files: BTreeMap<String, u64>,
        deselected: u64,
    },
    Begin {
        #[serde(rename = "id")]
        node_id: String,
    },
    End {
        #[serde(rename = "id")]
        node_id: String,
    },
    /// Nothing but what [`Head::passed`] says.
    Passed,
    Report(Report),
    Interrupt {
        kind: String,
        reason: String,
    },
    Internal {
        text: String,
    },
    Finish {
        exit: i32,
        stop: String,
        error: Option<String>,
        warnings: u64,
        /// How many of the collected tests have no outcome.
        pending: u64,
        examples: Vec<String>,
    },
}

/// A report that counts. That of a failure has all that is known about it.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    #[serde(rename = "id")]
    pub(crate) node_id: String,
    pub(crate) phase: Phase,
    pub(crate) outcome: Outcome,
    /// The absolute path, of failures and of what could not be collected.
    #[serde(default)]
    pub(crate) file: Option<String>,
    #[serde(default)]
    pub(crate) line: Option<u32>,
    #[serde(default)]
    pub(crate) sub: Option<String>,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) text: String,
    #[serde(default)]
    pub(crate) out: String,
    #[serde(default)]
    pub(crate) err: String,
    #[serde(default)]
    pub(crate) log: String,
}
