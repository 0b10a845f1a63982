//! Slow path: the API of any definition, by parsing it again.
//!
//! Everything is copied as it is written, at its old indentation, so that continued lines and strings
//! stay right. Only bodies, comments and jaunt's decorators are left out.

use ruff_python_ast::token::Token;
use ruff_python_ast::{Decorator, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextSize};

use super::syntax::{
    colon_after, docstring, indent_before, is_for_jaunt, keyword_after, last_name, signature_end,
};
use crate::python;
use crate::text::trim_line_ends;

/// Prints definitions of one name, up to the first that is not an overload.
///
/// `texts` are their sources with decorators. Returns `None` if one of them does not parse alone.
pub(super) fn render<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut out = String::new();
    for text in texts {
        let module = python::parse(text).ok()?;
        let mut printer = Printer { text, tokens: module.tokens(), out };
        let mut is_overload = true;
        for stmt in module.body() {
            is_overload = printer.definition(stmt, "");
        }
        out = printer.out;
        if !is_overload {
            break;
        }
    }
    Some(trim_line_ends(out.trim_end()).into_owned())
}

/// Prints APIs, one statement after the other.
struct Printer<'a> {
    /// The source of one definition.
    text: &'a str,
    tokens: &'a [Token],
    out: String,
}

impl Printer<'_> {
    /// Prints a function or class, and returns whether it is an overload.
    fn definition(&mut self, stmt: &Stmt, indent: &str) -> bool {
        match stmt {
            Stmt::FunctionDef(it) => self.function(it, indent),
            Stmt::ClassDef(it) => {
                self.class(it, indent);
                false
            }
            _ => false,
        }
    }

    /// Prints a function, and returns whether it is an overload.
    fn function(&mut self, it: &StmtFunctionDef, indent: &str) -> bool {
        self.decorators(&it.decorator_list, indent);
        self.header(it.start(), &it.decorator_list, signature_end(it), indent);
        match docstring(&it.body) {
            Some(doc) => {
                let inner = self.indent_of(doc, indent);
                self.line(&inner, doc);
                self.out.push_str(&inner);
                self.out.push_str("...\n");
            }
            None => self.ellipsis(),
        }
        it.decorator_list.iter().any(|it| last_name(&it.expression) == Some("overload"))
    }

    /// Prints a class with its members, and blank lines between members of different sorts.
    fn class(&mut self, it: &StmtClassDef, indent: &str) {
        self.decorators(&it.decorator_list, indent);
        let type_params_end = it.type_params.as_ref().map_or(it.name.end(), |it| it.end());
        let signature_end = it.arguments.as_ref().map_or(type_params_end, |it| it.end());
        self.header(it.start(), &it.decorator_list, signature_end, indent);

        let inner = it.body.first().map_or_else(String::new, |stmt| self.indent_of(stmt, indent));
        let mut last = Member::None;
        for stmt in &it.body {
            let member = match stmt {
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => Member::Definition,
                Stmt::Assign(_) | Stmt::AnnAssign(_) | Stmt::TypeAlias(_) => Member::Attribute,
                // A string after an attribute is its docstring.
                Stmt::Expr(it) if it.value.is_string_literal_expr() => match last {
                    Member::None => Member::Docstring,
                    Member::Attribute => Member::Attribute,
                    Member::Docstring | Member::Definition => continue,
                },
                _ => continue,
            };
            if last != Member::None && (member != last || member == Member::Definition) {
                self.out.push('\n');
            }
            if member == Member::Definition {
                self.definition(stmt, &inner);
            } else {
                self.line(&inner, stmt);
            }
            last = member;
        }
        if last == Member::None {
            self.ellipsis();
        }
    }

    /// Prints the decorators that are not jaunt's.
    fn decorators(&mut self, decorators: &[Decorator], indent: &str) {
        for decorator in decorators.iter().filter(|it| !is_for_jaunt(&it.expression)) {
            self.line(indent, decorator);
        }
    }

    /// Prints from the keyword to the colon.
    fn header(
        &mut self,
        start: TextSize,
        decorators: &[Decorator],
        signature_end: TextSize,
        indent: &str,
    ) {
        let after = decorators.last().map_or(start, |it| it.end());
        let keyword = keyword_after(self.tokens, after);
        let colon = colon_after(self.tokens, signature_end);
        self.out.push_str(indent);
        self.out.push_str(&self.text[keyword.to_usize()..colon.end().to_usize()]);
        self.out.push('\n');
    }

    /// Prints the text of a node, which may have several lines.
    fn line(&mut self, indent: &str, node: &impl Ranged) {
        self.out.push_str(indent);
        self.out.push_str(&self.text[node.start().to_usize()..node.end().to_usize()]);
        self.out.push('\n');
    }

    /// Completes a header that has no docstring and no members.
    fn ellipsis(&mut self) {
        self.out.truncate(self.out.trim_end().len());
        self.out.push_str(" ...\n");
    }

    /// Returns the indentation of a statement; see [`indent_before`].
    fn indent_of(&self, stmt: &Stmt, outer: &str) -> String {
        indent_before(&self.text[..stmt.start().to_usize()], outer).into_owned()
    }
}

/// The member of a class that was printed last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    /// Nothing is printed yet.
    None,
    Docstring,
    Attribute,
    Definition,
}
