//! What must hold of generated code before it is written.

use std::fmt;

use jaunt_digest::SyntaxError;
use jaunt_digest::top_level_names;

/// A fault in generated code, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The source does not parse.
    Syntax(SyntaxError),
    /// A spec has no definition at top level.
    MissingName(String),
    /// The backend gave no source.
    Backend(String),
    /// The file could not be written, or is not ours to overwrite.
    Write(String),
    /// The code that runs the backend panicked.
    Panic(String),
    /// The run was stopped before there was an answer.
    Interrupted,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(err) => write!(f, "{err}"),
            Self::MissingName(name) => write!(f, "Missing top-level definition: {name}"),
            Self::Backend(message) | Self::Write(message) => f.write_str(message),
            Self::Panic(message) => write!(f, "the backend panicked: {message}"),
            Self::Interrupted => f.write_str("the run was stopped"),
        }
    }
}

/// The faults of generated source: a syntax error, or each expected name that is not defined at
/// top level by `def`, `async def`, `class`, `NAME = …` or `NAME: T = …`.
pub fn check(source: &str, expected_names: &[String]) -> Vec<Problem> {
    if source.trim().is_empty() {
        return vec![Problem::Backend("the backend returned no code".to_owned())];
    }
    match top_level_names(source) {
        Err(err) => vec![Problem::Syntax(err)],
        Ok(names) => expected_names
            .iter()
            .filter(|name| !names.contains(*name))
            .map(|name| Problem::MissingName(name.clone()))
            .collect(),
    }
}
