//! What a Python source file defines at its top level.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::sync::Arc;

use ruff_python_ast::Stmt;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_text_size::{Ranged as _, TextSize};

use crate::digest::Digest;
use crate::python::{self, SyntaxError};
use crate::source::Source;
use crate::text::{nfkc, trim_line_ends};

mod api;

/// The functions and classes that stand directly at the top level of a source file.
///
/// Definitions inside `if`, `try`, `with`, other functions or classes do not count, nor do
/// assignments.
#[derive(Clone)]
pub struct Outline {
    text: Arc<str>,
    items: Vec<Item>,
    /// Indices of `items`, sorted by name and then by place.
    by_name: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Item {
    /// As Python sees it: after NFKC.
    name: Box<str>,
    kind: DefinitionKind,
    /// From the first decorator, or the keyword, to the last token.
    decorated: Range<usize>,
    /// Where the keyword `def`, `async` or `class` starts.
    keyword: usize,
    /// Where what its users have to know stands, if that is easily told.
    plain: Option<api::Plain>,
}

impl Outline {
    /// Parses a source file, once, whatever the number of specs in it.
    ///
    /// # Errors
    ///
    /// If the file does not parse. Problems that only Python's compiler reports, such as
    /// `return` at the top level, are no errors here.
    pub fn parse(source: &Source) -> Result<Self, SyntaxError> {
        let parsed = python::parse(source.text())?;
        let (tokens, body) = (parsed.tokens(), parsed.body());
        let mut items = Vec::new();
        for (idx, stmt) in body.iter().enumerate() {
            let (name, kind, decorators) = match stmt {
                Stmt::FunctionDef(it) if it.is_async => {
                    (&it.name, DefinitionKind::AsyncFunction, &it.decorator_list)
                }
                Stmt::FunctionDef(it) => (&it.name, DefinitionKind::Function, &it.decorator_list),
                Stmt::ClassDef(it) => (&it.name, DefinitionKind::Class, &it.decorator_list),
                _ => continue,
            };
            let after = decorators.last().map_or(stmt.start(), |it| it.end());
            let keyword = keyword_after(tokens, after);
            let plain = match stmt {
                Stmt::FunctionDef(it) => api::Plain::of(it, tokens),
                _ => None,
            };
            let end = end_before(tokens, body.get(idx + 1).map(|next| next.start()));
            items.push(Item {
                name: nfkc(name.as_str()).into(),
                kind,
                decorated: stmt.start().to_usize()..end.to_usize(),
                keyword: keyword.to_usize(),
                plain,
            });
        }
        let mut by_name: Vec<usize> = (0..items.len()).collect();
        by_name.sort_by(|a, b| items[*a].name.cmp(&items[*b].name));
        Ok(Self { text: source.share(), items, by_name })
    }

    /// Finds what a qualified name stands for.
    ///
    /// A plain name is the first definition of that name, whatever its kind. A dotted name
    /// stands for the whole class that its first part names.
    pub fn definition(&self, qualname: &str) -> Option<Definition<'_>> {
        match qualname.split_once('.') {
            None => self.named(qualname).next(),
            Some((class, _)) => self.named(class).find(|it| it.kind() == DefinitionKind::Class),
        }
    }

    /// Returns the text that was parsed: that of the [`Source`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns every definition, in the order of the file; a name may occur more than once.
    pub fn definitions(&self) -> impl ExactSizeIterator<Item = Definition<'_>> {
        self.items.iter().map(|item| Definition { outline: self, item })
    }

    fn named(&self, name: &str) -> impl Iterator<Item = Definition<'_>> {
        let start = self.by_name.partition_point(|idx| *self.items[*idx].name < *name);
        let items = self.by_name[start..].iter().map(|idx| &self.items[*idx]);
        items
            .take_while(move |item| *item.name == *name)
            .map(|item| Definition { outline: self, item })
    }
}

impl Debug for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.definitions()).finish()
    }
}

/// Returns where the keyword of a definition starts, at or after an offset.
fn keyword_after(tokens: &[Token], offset: TextSize) -> TextSize {
    let from = tokens.partition_point(|token| token.start() < offset);
    let is_keyword = |token: &&Token| {
        matches!(token.kind(), TokenKind::Def | TokenKind::Async | TokenKind::Class)
    };
    tokens[from..].iter().find(is_keyword).expect("a definition has a keyword").start()
}

/// Returns the end of the last token before an offset (or the end of the file) that counts.
///
/// A `;` counts; a comment does not.
fn end_before(tokens: &[Token], offset: Option<TextSize>) -> TextSize {
    let to = offset
        .map_or(tokens.len(), |offset| tokens.partition_point(|token| token.start() < offset));
    let counts = |token: &&Token| {
        !matches!(
            token.kind(),
            TokenKind::Comment
                | TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
                | TokenKind::EndOfFile
        )
    };
    tokens[..to].iter().rev().find(counts).expect("a definition has tokens").end()
}

/// What a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DefinitionKind {
    /// `def`
    Function,
    /// `async def`
    AsyncFunction,
    /// `class`
    Class,
}

/// A function or class of an [`Outline`].
#[derive(Clone, Copy)]
pub struct Definition<'a> {
    outline: &'a Outline,
    item: &'a Item,
}

impl<'a> Definition<'a> {
    /// Returns the name as Python compares it, after NFKC normalization.
    pub fn name(&self) -> &'a str {
        &self.item.name
    }

    /// Returns what it is.
    pub fn kind(&self) -> DefinitionKind {
        self.item.kind
    }

    /// Returns its place in [`Source::text`], in bytes: from the keyword to the last token.
    ///
    /// Decorators and comments around it are outside, a trailing `;` is inside. These are the
    /// positions of CPython's `ast`.
    pub fn range(&self) -> Range<usize> {
        self.item.keyword..self.item.decorated.end
    }

    /// Returns the text that scheme 1 digests, with trailing blanks removed from each line.
    pub fn segment(&self) -> Cow<'a, str> {
        trim_line_ends(&self.outline.text[self.range()])
    }

    /// Returns the digest of a spec that has this definition; see [`Digest::local`].
    pub fn local_digest(&self, kwargs_text: &str) -> Digest {
        Digest::local(&self.segment(), kwargs_text)
    }

    /// Returns what a user of the definition has to know, as valid Python.
    ///
    /// A function is its signature, its docstring and `...` for the body. A class is its header,
    /// docstring, attributes, nested classes and every method. Decorators stay, except those
    /// of jaunt. An overloaded function is shown with all its overloads.
    pub fn api(&self) -> String {
        api::render(self)
    }
}

impl Debug for Definition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = self.range();
        write!(f, "{:?} {} {}..{}", self.kind(), self.name(), range.start, range.end)
    }
}

#[cfg(test)]
mod tests;
