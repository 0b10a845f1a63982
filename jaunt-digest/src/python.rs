//! The Python parser. Nothing else in the crate decides what is valid Python.
//!
//! The verdict is Ruff's, with two additions. Ruff accepts what CPython's tokenizer rejects: a NUL,
//! more than 200 nested brackets, more than 99 levels of indentation. And a deep tree could overflow
//! the stack, because parsing and dropping it are recursive. So the nesting of every text is
//! measured; see [`Nesting`].

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, ModModule, Stmt};
use ruff_python_parser::lexer::lex;
use ruff_python_parser::{Mode, ParseOptions, Parsed, parse_unchecked};
use ruff_text_size::Ranged as _;

use self::nesting::{Nesting, TooDeep};
use crate::text::{BOM, excerpt};

mod nesting;

/// Texts up to this size, in bytes, are parsed before their nesting is measured.
///
/// The worst of them, nothing but brackets, takes 2 KB of stack per byte.
const MAX_UNMEASURED_LEN: usize = 32 * 1024;

/// Trees up to this depth are dropped without growing the stack.
const SHALLOW: usize = 50;

/// The stack for dropping one level of a tree, in bytes: at least five times what an unoptimized
/// build needs.
const STACK_PER_LEVEL: usize = 1024;

/// Why a text is not a Python module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SyntaxError: {message} (line {line})")]
pub struct SyntaxError {
    /// What is wrong, without the position.
    pub message: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

impl SyntaxError {
    /// Creates an error about a position in a text.
    fn new(text: &str, at: usize, message: &str) -> Self {
        let before = &text[..text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            // Messages quote the text, which is foreign.
            message: excerpt(message),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// A parsed module of any depth.
pub(crate) struct Module {
    /// `None` only during drop.
    parsed: Option<Parsed<ModModule>>,
    /// Whether the tree is at most [`SHALLOW`] levels deep.
    is_shallow: bool,
}

/// Parses a text whose lines end with LF.
pub(crate) fn parse(text: &str) -> Result<Module, SyntaxError> {
    if u32::try_from(text.len()).is_err() {
        return Err(SyntaxError::new("", 0, "source code of 4 GiB or more"));
    }
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        return Err(SyntaxError::new(text, at, "source code cannot contain null bytes"));
    }
    // The caller has removed one already, and Ruff would remove another.
    if text.starts_with(BOM) {
        return Err(SyntaxError::new(text, 0, "invalid non-printable character U+FEFF"));
    }
    if text.len() > MAX_UNMEASURED_LEN
        && let Err(err) = measure(text)
    {
        return Err(SyntaxError::new(text, find_excess(text), &err.to_string()));
    }
    let parsed = parse_unchecked(text, ParseOptions::from(Mode::Module))
        .try_into_module()
        .expect("module mode yields a module");
    let mut module = Module { parsed: Some(parsed), is_shallow: false };

    let mut nesting = Nesting::default();
    for token in module.tokens() {
        if let Err(err) = nesting.push(token.kind()) {
            return Err(SyntaxError::new(text, token.start().to_usize(), &err.to_string()));
        }
    }
    // The tree of a faulty text may be deeper than its tokens suggest.
    if let Some(err) = module.parsed().errors().first() {
        return Err(SyntaxError::new(text, err.start().to_usize(), &err.error.to_string()));
    }
    module.is_shallow = nesting.deepest() <= SHALLOW;
    Ok(module)
}

impl Module {
    /// Returns the statements at the top level.
    pub(crate) fn body(&self) -> &[Stmt] {
        &self.parsed().syntax().body
    }

    /// Returns all tokens, comments among them.
    pub(crate) fn tokens(&self) -> &[Token] {
        self.parsed().tokens()
    }

    fn parsed(&self) -> &Parsed<ModModule> {
        self.parsed.as_ref().expect("only `drop` takes it")
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if !self.is_shallow {
            let stack = depth(self.parsed().syntax()) * STACK_PER_LEVEL;
            let parsed = self.parsed.take();
            stacker::maybe_grow(stack, stack, || drop(parsed));
        }
    }
}

/// Measures the nesting of a text without parsing it.
fn measure(text: &str) -> Result<(), TooDeep> {
    let mut lexer = lex(text, Mode::Module);
    let mut nesting = Nesting::default();
    loop {
        match lexer.next_token() {
            TokenKind::EndOfFile => return Ok(()),
            kind => nesting.push(kind)?,
        }
    }
}

/// Returns the position at which a text becomes too deep.
fn find_excess(text: &str) -> usize {
    // The lexer does not give positions, but prefixes of the text can be measured.
    let (mut fits, mut exceeds) = (0, text.len());
    while exceeds - fits > 1 {
        let middle = fits.midpoint(exceeds);
        match measure(&text[..text.floor_char_boundary(middle)]) {
            Ok(()) => fits = middle,
            Err(_) => exceeds = middle,
        }
    }
    fits
}

/// Returns the depth of a tree, without recursion.
fn depth(module: &ModModule) -> usize {
    let mut deepest = 0;
    let mut waiting = vec![(AnyNodeRef::from(module), 1)];
    let mut children = Children::default();
    while let Some((node, depth)) = waiting.pop() {
        deepest = deepest.max(depth);
        node.visit_source_order(&mut children);
        waiting.extend(children.nodes.drain(..).map(|child| (child, depth + 1)));
    }
    deepest
}

/// Collects the direct children of a node.
#[derive(Default)]
struct Children<'a> {
    nodes: Vec<AnyNodeRef<'a>>,
}

impl<'a> SourceOrderVisitor<'a> for Children<'a> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        self.nodes.push(node);
        TraversalSignal::Skip
    }
}

#[cfg(test)]
mod tests;
