//! `jaunt.error/1`

use serde::Serialize;

use crate::schema;

/// `jaunt.error/1`: why there is no other document.
#[derive(Debug, Serialize)]
pub struct ErrorDocument<'a> {
    schema: &'static str,
    ok: bool,
    exit_code: u8,
    error: ErrorBody<'a>,
}

/// What went wrong.
#[derive(Debug, Serialize)]
pub struct ErrorBody<'a> {
    /// A word for programs, such as `registry`.
    pub kind: &'static str,
    /// What went wrong, for a person.
    pub message: &'a str,
    /// What led to it, the nearest first.
    pub causes: &'a [String],
    /// What can be done.
    pub hints: &'a [String],
}

impl<'a> ErrorDocument<'a> {
    /// Describes an error.
    pub fn new(error: ErrorBody<'a>, exit_code: u8) -> Self {
        Self { schema: schema::ERROR, ok: false, exit_code, error }
    }
}
