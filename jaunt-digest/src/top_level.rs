//! What a generated module binds at its top level, and what it loses again.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Decorator, Expr, Identifier, Stmt};
use ruff_text_size::Ranged;

use crate::python::{self, Module, SyntaxError};
use crate::source::Source;
use crate::text::nfkc;

/// The names that a module binds at its top level. They are as Python compares them, after NFKC
/// normalization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopLevel {
    names: BTreeSet<String>,
    definitions: BTreeMap<String, usize>,
    lost: Vec<Lost>,
}

/// A function or class that nobody can reach, because its name was bound anew or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The name.
    pub name: String,
    /// The line where it was defined, counted from 1.
    pub line: usize,
    /// The line where that was undone, counted from 1.
    pub by_line: usize,
}

impl TopLevel {
    /// Reads a module.
    ///
    /// # Errors
    ///
    /// If the text does not parse.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        let source = Source::new(source);
        let module = python::parse(source.text())?;
        let mut reader = Reader {
            text: source.text(),
            module: &module,
            counted: 0,
            line: 1,
            found: Self::default(),
        };
        for stmt in module.body() {
            reader.read(stmt);
        }
        Ok(reader.found)
    }

    /// Returns the names that the module defines.
    ///
    /// What counts: `def`, `async def`, `class`, `NAME = …` (every name of a chain), and
    /// `NAME: T = …`. Imports, unpacking, and whatever stands inside `if` or `try` do not, nor
    /// does what is deleted again.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Returns the functions and classes that it defines, with the line of each, counted from 1.
    pub fn definitions(&self) -> &BTreeMap<String, usize> {
        &self.definitions
    }

    /// Returns the definitions that do not last.
    ///
    /// One that the later statement makes use of does: `f = cache(f)`, `@f.register`,
    /// `class A(A)`. So does an overload.
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }
}

struct Reader<'a> {
    text: &'a str,
    module: &'a Module,
    /// Up to where lines are counted, and the line of that place.
    counted: usize,
    line: usize,
    found: TopLevel,
}

impl Reader<'_> {
    fn read(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::FunctionDef(it) => self.define(&it.name, &it.decorator_list, &[]),
            Stmt::ClassDef(it) => {
                let arguments: Vec<Range<usize>> =
                    it.arguments.iter().map(|it| place(&**it)).collect();
                self.define(&it.name, &it.decorator_list, &arguments);
            }
            Stmt::Assign(it) => {
                for name in it.targets.iter().filter_map(name_of) {
                    self.rebind(&name, place(stmt).start, Some(place(&*it.value)));
                    self.found.names.insert(name);
                }
            }
            Stmt::AnnAssign(it) => {
                if let (Some(name), Some(value)) = (name_of(&it.target), &it.value) {
                    self.rebind(&name, place(stmt).start, Some(place(&**value)));
                    self.found.names.insert(name);
                }
            }
            Stmt::Import(it) => {
                for alias in &it.names {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    let name = alias.asname.as_ref().map_or(first, Identifier::as_str);
                    self.rebind(&nfkc(name), place(stmt).start, None);
                }
            }
            Stmt::ImportFrom(it) => {
                for alias in &it.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.rebind(&nfkc(name), place(stmt).start, None);
                }
            }
            Stmt::Delete(it) => {
                for name in it.targets.iter().filter_map(name_of) {
                    self.rebind(&name, place(stmt).start, None);
                    self.found.names.remove(&name);
                }
            }
            _ => {}
        }
    }

    fn define(&mut self, name: &Identifier, decorators: &[Decorator], uses: &[Range<usize>]) {
        let at = place(name).start;
        let name = nfkc(name).into_owned();
        let decorators: Vec<Range<usize>> = decorators.iter().map(place).collect();
        let is_used = |name| decorators.iter().chain(uses).any(|part| self.mentions(part, name));
        let (keeps_last, is_overload) = (is_used(&name), is_used("overload"));
        if !keeps_last {
            self.rebind(&name, at, None);
        }
        if is_overload {
            self.found.definitions.remove(&name);
        } else {
            let line = self.line(at);
            self.found.definitions.insert(name.clone(), line);
        }
        self.found.names.insert(name);
    }

    /// A statement gives a name another value, which may come from the one it had.
    fn rebind(&mut self, name: &str, at: usize, value: Option<Range<usize>>) {
        let by_line = self.line(at);
        if let Some(line) = self.found.definitions.remove(name)
            && !value.is_some_and(|value| self.mentions(&value, name))
        {
            self.found.lost.push(Lost { name: name.to_owned(), line, by_line });
        }
    }

    /// Whether a name stands in a part of the text. Tokens are asked: a tree can be deep.
    fn mentions(&self, part: &Range<usize>, name: &str) -> bool {
        let tokens = self.module.tokens();
        let first = tokens.partition_point(|token| token.start().to_usize() < part.start);
        let mut inside =
            tokens[first..].iter().take_while(|token| token.end().to_usize() <= part.end);
        inside
            .any(|token| token.kind() == TokenKind::Name && nfkc(&self.text[place(token)]) == name)
    }

    /// The line of a place, which is not before the last one that was asked for.
    fn line(&mut self, at: usize) -> usize {
        self.line += self.text[self.counted..at].matches('\n').count();
        self.counted = at;
        self.line
    }
}

fn place(node: &impl Ranged) -> Range<usize> {
    node.start().to_usize()..node.end().to_usize()
}

fn name_of(target: &Expr) -> Option<String> {
    target.as_name_expr().map(|it| nfkc(it.id.as_str()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top_level(text: &str) -> TopLevel {
        TopLevel::parse(text).unwrap()
    }

    fn lost(text: &str) -> String {
        let lost = top_level(text).lost;
        let lines = lost.iter().map(|it| format!("{} {} by {}", it.name, it.line, it.by_line));
        lines.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_module_defines_what_it_assigns() {
        let found = top_level(
            "
import os, sys as system
from a import b
def f(): inner = 1
async def g(): ...
class C: attribute = 1
X = Y = 1
a, b = 1, 2
[c] = d
obj.attr = table[0] = Z = 3
T: int = 4
U: int
(V): int = 5
augmented += 1
if True:
    nested = 1
for loop in range(3): ...
type Alias = int
(walrus := 1)
𝓍 = 1
",
        );
        let names: Vec<_> = found.names().iter().collect();
        assert_eq!(names, ["C", "T", "V", "X", "Y", "Z", "f", "g", "x"]);
        assert_eq!(format!("{:?}", found.definitions()), r#"{"C": 6, "f": 4, "g": 5}"#);
    }

    #[test]
    fn any_line_end_and_a_byte_order_mark_will_do() {
        let found = top_level("\u{feff}x = 1\ry = 2\r\nz = 3");
        assert_eq!(found.names().iter().collect::<Vec<_>>(), ["x", "y", "z"]);
        let err = TopLevel::parse("x = 1\r\ry = (\r").unwrap_err();
        assert_eq!(err.to_string(), "SyntaxError: unexpected EOF while parsing (line 4)");
    }

    #[test]
    fn a_definition_is_lost_to_a_later_one() {
        assert_eq!(lost("def f(): ...\n\n@other\ndef f(): f()\n"), "f 1 by 4");
        assert_eq!(lost("class C: ...\nasync def C(): ...\nC = 1\n"), "C 1 by 2, C 2 by 3");
        assert_eq!(lost("def ﬁ(): ...\nfrom a import x as fi\n"), "fi 1 by 2");
        assert_eq!(lost("def os(): ...\nimport os.path\n"), "os 1 by 2");
        assert_eq!(lost("def f(): ...\nf: int = 3\n"), "f 1 by 2");
    }

    #[test]
    fn what_is_deleted_is_not_defined() {
        let found = top_level("def f(): ...\nx = 1\ndel f, x\n");
        assert!(found.names().is_empty() && found.definitions().is_empty());
        assert_eq!(lost("def f(): ...\nx = 1\ndel f, x\n"), "f 1 by 3");
    }

    #[test]
    fn what_makes_use_of_a_definition_does_not_lose_it() {
        for text in [
            "def f(): ...\nf = cache(maxsize=1)(f)\n",
            "def f(): ...\n@f.register\ndef f(): ...\n",
            "class A: ...\nclass A(A): ...\n",
            "@overload\ndef f(a): ...\n@typing.overload\ndef f(b): ...\ndef f(c): ...\n",
            "f = None\ndef f(): ...\n",
            "from a import f\ndef f(): ...\n",
            "def f(): ...\nif fast:\n    def f(): ...\n",
            "def f(): ...\nf: int\nf.cache = {}\n",
        ] {
            assert_eq!(lost(text), "", "{text}");
        }
    }
}
