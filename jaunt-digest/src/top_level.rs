//! The names that a module binds at its top level, and the definitions that it shadows.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Decorator, Expr, Identifier, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use crate::python::{self, Module, SyntaxError};
use crate::source::Source;
use crate::text::nfkc;

/// The names that a module binds at its top level, after NFKC normalization, as Python compares them.
///
/// ```
/// let module = jaunt_digest::TopLevel::parse("def f(): ...\nX = 1\ndef f(): ...\n")?;
/// assert!(module.names().iter().eq(["X", "f"]));
/// assert_eq!((module.shadowed()[0].line, module.shadowed()[0].shadowed_on), (1, 3));
/// # Ok::<(), jaunt_digest::SyntaxError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopLevel {
    names: BTreeSet<String>,
    definitions: BTreeMap<String, usize>,
    shadowed: Vec<Shadowed>,
}

/// A function or class that nobody can reach, because a later statement redefines or deletes its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadowed {
    /// The name.
    pub name: String,
    /// The line where it is defined, counted from 1.
    pub line: usize,
    /// The line where it is redefined or deleted, counted from 1.
    pub shadowed_on: usize,
    /// Whether it is deleted, which nobody does by mistake.
    pub is_deleted: bool,
}

impl TopLevel {
    /// Parses a module.
    ///
    /// # Errors
    ///
    /// If the text does not parse.
    pub fn parse(source: &str) -> Result<Self, SyntaxError> {
        let source = Source::new(source);
        let module = python::parse(source.text())?;
        let mut scanner = Scanner {
            text: source.text(),
            module: &module,
            line_ends: source.text().match_indices('\n').map(|(at, _)| at).collect(),
            aliased: BTreeSet::new(),
            decorators: BTreeMap::new(),
            found: Self::default(),
        };
        for stmt in module.body() {
            scanner.statement(stmt);
        }
        Ok(scanner.found)
    }

    /// Returns the names that the module defines.
    ///
    /// `def`, `async def`, `class`, `NAME = …` (every name of a chain) and `NAME: T = …` define a
    /// name. Imports, unpacking, and statements inside `if` or `try` do not. A name that is deleted
    /// again is not defined.
    pub fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// Returns the line of each function and class that the module defines, counted from 1.
    pub fn definitions(&self) -> &BTreeMap<String, usize> {
        &self.definitions
    }

    /// Returns the definitions that nobody can reach, methods as `Class.method`.
    ///
    /// A definition stays reachable if the later statement uses it (`f = cache(f)`, `@f.register`,
    /// `class A(A)`), if it has another name by then (`g = f`), if it is an overload, and if both
    /// definitions have the same decorator, which may collect them.
    pub fn shadowed(&self) -> &[Shadowed] {
        &self.shadowed
    }
}

/// Reads the statements of a module in order.
struct Scanner<'a> {
    text: &'a str,
    module: &'a Module,
    /// The positions of all LF.
    line_ends: Vec<usize>,
    /// Definitions that have another name as well.
    aliased: BTreeSet<String>,
    /// The texts of the decorators of each definition.
    decorators: BTreeMap<String, Vec<&'a str>>,
    found: TopLevel,
}

impl<'a> Scanner<'a> {
    /// Reads one statement at the top level.
    fn statement(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(it) => self.define(&it.name, &it.decorator_list, &[]),
            Stmt::ClassDef(it) => {
                let arguments: Vec<Range<usize>> =
                    it.arguments.iter().map(|it| range_of(&**it)).collect();
                self.define(&it.name, &it.decorator_list, &arguments);
                self.class(it);
            }
            Stmt::Assign(it) => {
                let targets: Vec<String> = it.targets.iter().filter_map(name_of).collect();
                self.assign(targets, range_of(stmt).start, &it.value);
            }
            Stmt::AnnAssign(it) => {
                if let (Some(name), Some(value)) = (name_of(&it.target), &it.value) {
                    self.assign(vec![name], range_of(stmt).start, value);
                }
            }
            Stmt::Import(it) => {
                for alias in &it.names {
                    let first = alias.name.split('.').next().unwrap_or_default();
                    let name = alias.asname.as_ref().map_or(first, Identifier::as_str);
                    self.rebind(&nfkc(name), range_of(stmt).start, false);
                }
            }
            Stmt::ImportFrom(it) => {
                for alias in &it.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name);
                    self.rebind(&nfkc(name), range_of(stmt).start, false);
                }
            }
            Stmt::Delete(it) => {
                for name in it.targets.iter().filter_map(name_of) {
                    self.rebind(&name, range_of(stmt).start, true);
                    self.found.names.remove(&name);
                }
            }
            _ => {}
        }
    }

    /// Reads the definition of a function or class. `uses` are further ranges whose names it uses.
    fn define(&mut self, name: &Identifier, decorators: &[Decorator], uses: &[Range<usize>]) {
        let at = range_of(name).start;
        let name = nfkc(name).into_owned();
        let decorators: Vec<Range<usize>> = decorators.iter().map(range_of).collect();
        let used: BTreeSet<_> =
            decorators.iter().chain(uses).flat_map(|range| self.names_in(range)).collect();
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
        self.aliased.remove(&name);
        self.found.names.insert(name);
    }

    /// Reads an assignment.
    fn assign(&mut self, targets: Vec<String>, at: usize, value: &'a Expr) {
        let is_known = |name: &String| self.found.definitions.contains_key(name);
        let used = if targets.iter().any(is_known) {
            self.names_in(&range_of(value))
        } else {
            BTreeSet::new()
        };
        self.aliased.extend(name_of(value));
        for name in targets {
            if used.contains(&*name) {
                self.found.definitions.remove(&name);
            } else {
                self.rebind(&name, at, false);
            }
            self.found.names.insert(name);
        }
    }

    /// Binds a name to another value, or deletes it.
    fn rebind(&mut self, name: &str, at: usize, is_deleted: bool) {
        let shadowed_on = self.line(at);
        if let Some(line) = self.found.definitions.remove(name)
            && !self.aliased.contains(name)
        {
            self.found.shadowed.push(Shadowed {
                name: name.to_owned(),
                line,
                shadowed_on,
                is_deleted,
            });
        }
    }

    /// Finds the methods of a class that later methods redefine.
    fn class(&mut self, class: &'a StmtClassDef) {
        let mut methods: BTreeMap<&str, &StmtFunctionDef> = BTreeMap::new();
        for method in class.body.iter().filter_map(Stmt::as_function_def_stmt) {
            // Decorated methods, such as properties and overloads, share a name by design.
            if let Some(first) = methods.insert(&method.name, method)
                && first.decorator_list.is_empty()
                && method.decorator_list.is_empty()
            {
                let line = self.line(range_of(&first.name).start);
                let shadowed_on = self.line(range_of(&method.name).start);
                let name = format!("{}.{}", class.name, method.name);
                self.found.shadowed.push(Shadowed { name, line, shadowed_on, is_deleted: false });
            }
        }
    }

    /// Returns the names in a range of the text, without those of attributes.
    ///
    /// It looks at tokens, because a tree can be deep.
    fn names_in(&self, range: &Range<usize>) -> BTreeSet<Cow<'a, str>> {
        let tokens = self.module.tokens();
        let first = tokens.partition_point(|token| token.start().to_usize() < range.start);
        let inside = tokens[first..].iter().take_while(|token| token.end().to_usize() <= range.end);
        let mut is_attribute = false;
        let names = inside.filter(|token| {
            let is_name = token.kind() == TokenKind::Name && !is_attribute;
            is_attribute = token.kind() == TokenKind::Dot;
            is_name
        });
        names.map(|token| nfkc(&self.text[range_of(token)])).collect()
    }

    /// Returns the line of a position, counted from 1.
    fn line(&self, at: usize) -> usize {
        self.line_ends.partition_point(|end| *end < at) + 1
    }
}

/// Returns the range of a node or token in the text, in bytes.
fn range_of(node: &impl Ranged) -> Range<usize> {
    node.start().to_usize()..node.end().to_usize()
}

/// Returns the name that an expression is, after NFKC normalization.
fn name_of(target: &Expr) -> Option<String> {
    target.as_name_expr().map(|it| nfkc(it.id.as_str()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn top_level(text: &str) -> TopLevel {
        TopLevel::parse(text).unwrap()
    }

    fn shadowed(text: &str) -> String {
        let shadowed = top_level(text).shadowed;
        let lines =
            shadowed.iter().map(|it| format!("{} {} on {}", it.name, it.line, it.shadowed_on));
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
    fn any_line_end_and_a_byte_order_mark_are_accepted() {
        let found = top_level("\u{feff}x = 1\ry = 2\r\nz = 3");
        assert_eq!(found.names().iter().collect::<Vec<_>>(), ["x", "y", "z"]);
        let err = TopLevel::parse("x = 1\r\ry = (\r").unwrap_err();
        assert_eq!(err.to_string(), "SyntaxError: unexpected EOF while parsing (line 4)");
    }

    #[test]
    fn a_later_definition_shadows_an_earlier_one() {
        assert_eq!(shadowed("def f(): ...\n\n@other\ndef f(): f()\n"), "f 1 on 4");
        assert_eq!(shadowed("class C: ...\nasync def C(): ...\nC = 1\n"), "C 1 on 2, C 2 on 3");
        assert_eq!(shadowed("def ﬁ(): ...\nfrom a import x as fi\n"), "fi 1 on 2");
        assert_eq!(shadowed("def os(): ...\nimport os.path\n"), "os 1 on 2");
        assert_eq!(shadowed("def f(): ...\nf: int = 3\n"), "f 1 on 2");
        assert_eq!(shadowed("def f(): ...\nf = a.f(f=1)\n"), "");
        assert_eq!(shadowed("def f(): ...\n@a.f\ndef f(): ...\n"), "f 1 on 3");
        assert_eq!(shadowed("class C:\n def m(): ...\n x = 1\n def m(): ...\n"), "C.m 2 on 4");
    }

    #[test]
    fn a_deleted_name_is_not_defined() {
        let found = top_level("def f(): ...\nx = 1\ndel f, x\n");
        assert!(found.names().is_empty() && found.definitions().is_empty());
        assert_eq!(shadowed("def f(): ...\nx = 1\ndel f, x\n"), "f 1 on 3");
    }

    #[test]
    fn a_statement_that_uses_a_definition_does_not_shadow_it() {
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
            assert_eq!(shadowed(text), "", "{text}");
        }
    }
}
