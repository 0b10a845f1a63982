//! Fast path: the API of a function without decorators, cut out of the source.
//!
//! Nearly all specs are such functions. Copying the parts takes a fraction of the time that it takes
//! to parse the function again.

use std::borrow::Cow;
use std::ops::Range;

use ruff_python_ast::token::Token;
use ruff_python_ast::{Decorator, StmtFunctionDef};
use ruff_text_size::Ranged as _;

use super::syntax::{
    colon_after, docstring, indent_before, is_for_jaunt, last_name, signature_end,
};
use crate::text::trim_line_ends;

/// The parts of a function that has no decorators but jaunt's, as positions in the source.
#[derive(Clone, Debug)]
pub(super) struct SimpleFunction {
    /// The end of the header, after the colon.
    header_end: usize,
    docstring: Option<Range<usize>>,
}

impl SimpleFunction {
    /// Locates the parts, or returns `None` if the function is not simple.
    pub(super) fn of(function: &StmtFunctionDef, tokens: &[Token]) -> Option<Self> {
        // An overload is shown with the definitions that follow it.
        let is_simple = |it: &Decorator| {
            is_for_jaunt(&it.expression) && last_name(&it.expression) != Some("overload")
        };
        function.decorator_list.iter().all(is_simple).then(|| Self {
            header_end: colon_after(tokens, signature_end(function)).end().to_usize(),
            docstring: docstring(&function.body)
                .map(|doc| doc.start().to_usize()..doc.end().to_usize()),
        })
    }

    /// Copies the parts. `keyword` is the start of `def` or `async`.
    pub(super) fn render(&self, text: &str, keyword: usize) -> String {
        let header = &text[keyword..self.header_end];
        let api = match &self.docstring {
            Some(doc) => {
                let inner = indent_before(&text[..doc.start], "");
                format!("{header}\n{inner}{}\n{inner}...", &text[doc.clone()])
            }
            None => format!("{header} ..."),
        };
        match trim_line_ends(&api) {
            Cow::Borrowed(_) => api,
            Cow::Owned(trimmed) => trimmed,
        }
    }
}
