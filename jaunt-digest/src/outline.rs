//! What a Python source file defines at its top level.

use std::borrow::Cow;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::sync::Arc;

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged as _;

use self::simple::SimpleFunction;
use self::syntax::{end_before, keyword_after};
use crate::digest::Digest;
use crate::python::{self, SyntaxError};
use crate::source::Source;
use crate::text::{nfkc, trim_line_ends};

mod api;
mod simple;
mod syntax;

/// The functions and classes directly at the top level of a source file.
///
/// Definitions inside `if`, `try`, `with`, functions or classes do not count, nor do assignments.
///
/// ```
/// use jaunt_digest::{Outline, Source};
///
/// let outline = Outline::parse(&Source::new("@jaunt.magic()\ndef total(x) -> int:\n    return x\n"))?;
/// let total = outline.definition("total").unwrap();
/// assert_eq!(total.segment(), "def total(x) -> int:\n    return x");
/// assert_eq!(total.api(), "def total(x) -> int: ...");
/// # Ok::<(), jaunt_digest::SyntaxError>(())
/// ```
#[derive(Clone)]
pub struct Outline {
    text: Arc<str>,
    items: Vec<Item>,
    /// Indices of `items`, sorted by name and then by position.
    by_name: Vec<usize>,
}

/// A definition, by its positions in the text.
#[derive(Clone, Debug)]
struct Item {
    /// After NFKC normalization, as Python compares it.
    name: Box<str>,
    kind: DefinitionKind,
    /// From the first decorator, or the keyword, to the last token.
    decorated: Range<usize>,
    /// The start of `def`, `async` or `class`.
    keyword: usize,
    /// `None` if its API takes the slow path.
    simple: Option<SimpleFunction>,
}

impl Outline {
    /// Parses a source file.
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
            let simple = match stmt {
                Stmt::FunctionDef(it) => SimpleFunction::of(it, tokens),
                _ => None,
            };
            let end = end_before(tokens, body.get(idx + 1).map(|next| next.start()));
            items.push(Item {
                name: nfkc(name.as_str()).into(),
                kind,
                decorated: stmt.start().to_usize()..end.to_usize(),
                keyword: keyword.to_usize(),
                simple,
            });
        }
        let mut by_name: Vec<usize> = (0..items.len()).collect();
        by_name.sort_by(|a, b| items[*a].name.cmp(&items[*b].name));
        Ok(Self { text: source.share(), items, by_name })
    }

    /// Finds the definition of a qualified name.
    ///
    /// For a plain name that is the first definition of the name, whatever its kind; for a dotted
    /// name, the whole class that the first part names.
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

    /// Returns the definitions of a name, in the order of the file.
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

    /// Returns its range in [`Source::text`], in bytes: from the keyword to the last token.
    ///
    /// Decorators and surrounding comments are outside, a trailing `;` is inside. These are the
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
    /// That is the signature of a function, its docstring, and `...` for the body; and the header of
    /// a class, its docstring, attributes, nested classes and methods. Decorators stay, except those
    /// of jaunt. An overloaded function comes with all its overloads.
    pub fn api(&self) -> String {
        match &self.item.simple {
            Some(function) => function.render(&self.outline.text, self.item.keyword),
            None => self.parsed_api(),
        }
    }

    /// Returns the API by the slow path.
    fn parsed_api(&self) -> String {
        let named = self.outline.named(self.name());
        let rest = named.skip_while(|it| it.range() != self.range());
        let overloads = rest.take_while(|it| it.kind() == self.kind());
        let texts = overloads.map(|it| &self.outline.text[it.item.decorated.clone()]);
        api::render(texts).unwrap_or_else(|| self.segment().into_owned())
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
