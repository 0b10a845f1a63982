//! What a generated module binds at its top level, and what it loses again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Decorator, Expr, Identifier, Stmt, StmtClassDef, StmtFunctionDef};
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
    /// Whether it was deleted, which nobody does by mistake.
    pub is_deleted: bool,
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
            line_ends: source.text().match_indices('\n').map(|(at, _)| at).collect(),
            saved: BTreeSet::new(),
            decorators: BTreeMap::new(),
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

    /// Returns the definitions that do not last. Methods of classes are among them, as `Class.method`.
    ///
    /// One that the later statement makes use of does: `f = cache(f)`, `@f.register`,
    /// `class A(A)`. So does one that has another name by then (`g = f`), an overload, and one of
    /// several with the same decorator, which may well collect them.
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }
}

struct Reader<'a> {
    text: &'a str,
    module: &'a Module,
    line_ends: Vec<usize>,
    /// Definitions with another name.
    saved: BTreeSet<String>,
    /// The texts of the decorators of each definition.
    decorators: BTreeMap<String, Vec<&'a str>>,
    found: TopLevel,
}

impl<'a> Reader<'a> {
    fn read(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(it) => self.define(&it.name, &it.decorator_list, &[]),
            Stmt::ClassDef(it) => {
                let arguments: Vec<Range<usize>> =
                    it.arguments.iter().map(|it| place(&**it)).collect();
                self.define(&it.name, &it.decorator_list, &arguments);
                self.read_class(it);
            }
            Stmt::Assign(it) => {
                let targets: Vec<String> = it.targets.iter().filter_map(name_of).collect();
                self.assign(targets, place(stmt).start, &it.value);
            }
            Stmt::AnnAssign(it) => {
                if let (Some(name), Some(value)) = (name_of(&it.target), &it.value) {
                    self.assign(vec![name], place(stmt).start, value);
                }
            }
            Stmt::Import(it) => {
                for alias in &it.names {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    let name = alias.asname.as_ref().map_or(first, Identifier::as_str);
                    self.rebind(&nfkc(name), place(stmt).start, false);
                }
            }
            Stmt::ImportFrom(it) => {
                for alias in &it.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.rebind(&nfkc(name), place(stmt).start, false);
                }
            }
            Stmt::Delete(it) => {
                for name in it.targets.iter().filter_map(name_of) {
                    self.rebind(&name, place(stmt).start, true);
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
        let used: BTreeSet<_> =
            decorators.iter().chain(uses).flat_map(|part| self.names_in(part)).collect();
        let decorators: Vec<&'a str> = decorators.into_iter().map(|it| &self.text[it]).collect();
        let before = self.decorators.insert(name.clone(), decorators.clone());
        let is_collected = before.is_some_and(|it| it.iter().any(|it| decorators.contains(it)));
        if !used.contains(&*name) && !is_collected {
            self.rebind(&name, at, false);
        }
        if decorators.iter().any(|it| it.ends_with("overload")) {
            self.found.definitions.remove(&name);
        } else {
            let line = self.line(at);
            self.found.definitions.insert(name.clone(), line);
        }
        self.saved.remove(&name);
        self.found.names.insert(name);
    }

    fn assign(&mut self, targets: Vec<String>, at: usize, value: &'a Expr) {
        let is_known = |name: &String| self.found.definitions.contains_key(name);
        let used = if targets.iter().any(is_known) {
            self.names_in(&place(value))
        } else {
            BTreeSet::new()
        };
        self.saved.extend(name_of(value));
        for name in targets {
            if used.contains(&*name) {
                self.found.definitions.remove(&name);
            } else {
                self.rebind(&name, at, false);
            }
            self.found.names.insert(name);
        }
    }

    /// A statement gives a name another value, or none.
    fn rebind(&mut self, name: &str, at: usize, is_deleted: bool) {
        let by_line = self.line(at);
        if let Some(line) = self.found.definitions.remove(name)
            && !self.saved.contains(name)
        {
            self.found.lost.push(Lost { name: name.to_owned(), line, by_line, is_deleted });
        }
    }

    /// The methods of a class that another one replaces.
    fn read_class(&mut self, class: &'a StmtClassDef) {
        let mut methods: BTreeMap<&str, &StmtFunctionDef> = BTreeMap::new();
        for method in class.body.iter().filter_map(Stmt::as_function_def_stmt) {
            // Properties, overloads and the like have several by design.
            if let Some(first) = methods.insert(&method.name, method)
                && first.decorator_list.is_empty()
                && method.decorator_list.is_empty()
            {
                let line = self.line(place(&first.name).start);
                let by_line = self.line(place(&method.name).start);
                let name = format!("{}.{}", class.name, method.name);
                self.found.lost.push(Lost { name, line, by_line, is_deleted: false });
            }
        }
    }

    /// The names in a part of the text, without those of attributes. Tokens are asked: a tree can be
    /// deep.
    fn names_in(&self, part: &Range<usize>) -> BTreeSet<Cow<'a, str>> {
        let tokens = self.module.tokens();
        let first = tokens.partition_point(|token| token.start().to_usize() < part.start);
        let inside = tokens[first..].iter().take_while(|token| token.end().to_usize() <= part.end);
        let mut is_attribute = false;
        let names = inside.filter(|token| {
            let is_name = token.kind() == TokenKind::Name && !is_attribute;
            is_attribute = token.kind() == TokenKind::Dot;
            is_name
        });
        names.map(|token| nfkc(&self.text[place(token)])).collect()
    }

    fn line(&self, at: usize) -> usize {
        self.line_ends.partition_point(|end| *end < at) + 1
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
        assert_eq!(lost("def f(): ...\nf = a.f(f=1)\n"), "");
        assert_eq!(lost("def f(): ...\n@a.f\ndef f(): ...\n"), "f 1 by 3");
        assert_eq!(lost("class C:\n def m(): ...\n x = 1\n def m(): ...\n"), "C.m 2 by 4");
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
            "def f(): ...\n_f = f\ndef f(): _f()\n",
            "@on(1)\ndef f(a: int): ...\n@on(1)\ndef f(a: str): ...\n",
            "class C:\n @property\n def m(): ...\n @m.setter\n def m(): ...\n",
            "from a import f\ndef f(): ...\n",
            "def f(): ...\nif fast:\n    def f(): ...\n",
            "def f(): ...\nf: int\nf.cache = {}\n",
        ] {
            assert_eq!(lost(text), "", "{text}");
        }
    }
}
