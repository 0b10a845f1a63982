//! The Python parser. Nothing else in the crate knows which one it is.

use ruff_python_ast::ModModule;
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::{Ranged as _, TextSize};

/// Why a text is not a Python module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SyntaxError: {message} (line {line})")]
pub struct SyntaxError {
    /// What is wrong, without the place.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

pub(crate) fn parse(text: &str) -> Result<Parsed<ModModule>, SyntaxError> {
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module))
        .try_into_module()
        .expect("module mode yields a module");
    if let Some(err) = parsed.errors().first() {
        return Err(error_at(text, err.start(), err.error.to_string()));
    }
    Ok(parsed)
}

fn error_at(text: &str, at: TextSize, message: String) -> SyntaxError {
    let before = &text[..at.to_usize().min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
    SyntaxError { message, line, column }
}
