//! What a user of a definition has to know, cut out of its source.
//!
//! Everything is copied as it was written, at its old indentation, so that continued lines and
//! strings stay right. Only bodies, comments and jaunt's decorators are left out.

use std::borrow::Cow;
use std::ops::Range;

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{Decorator, Expr, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::{Ranged, TextSize};

use super::{Definition, keyword_after};
use crate::python;
use crate::text::trim_line_ends;

/// Decorators that speak to jaunt and mean nothing to a caller.
const OURS: [&str; 5] = ["contract", "magic", "preserve", "sig", "test"];

/// The parts of a function that has no decorators but jaunt's: those of nearly all specs. To cut them
/// out takes a fraction of the time that it takes to parse the function again.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    /// Where the header ends, behind the colon.
    header_end: usize,
    docstring: Option<Range<usize>>,
}

impl Plain {
    pub(super) fn of(function: &StmtFunctionDef, tokens: &[Token]) -> Option<Self> {
        // An overload is shown with those that follow it.
        let is_plain =
            |it: &Decorator| is_ours(&it.expression) && name_of(&it.expression) != Some("overload");
        function.decorator_list.iter().all(is_plain).then(|| Self {
            header_end: colon_after(tokens, signature_end(function)).end().to_usize(),
            docstring: docstring(&function.body)
                .map(|doc| doc.start().to_usize()..doc.end().to_usize()),
        })
    }

    fn render(&self, text: &str, keyword: usize) -> String {
        let header = &text[keyword..self.header_end];
        match &self.docstring {
            Some(doc) => {
                let inner = indent_before(&text[..doc.start], "");
                format!("{header}\n{inner}{}\n{inner}...", &text[doc.clone()])
            }
            None => format!("{header} ..."),
        }
    }
}

pub(super) fn render(definition: &Definition<'_>) -> String {
    match &definition.item.plain {
        Some(plain) => {
            let text = plain.render(&definition.outline.text, definition.item.keyword);
            match trim_line_ends(&text) {
                Cow::Borrowed(_) => text,
                Cow::Owned(trimmed) => trimmed,
            }
        }
        None => parse_and_render(definition),
    }
}

pub(super) fn parse_and_render(definition: &Definition<'_>) -> String {
    let outline = definition.outline;
    let mut out = String::new();
    let mut is_overloaded = true;
    let rest = outline.named(definition.name()).skip_while(|it| it.range() != definition.range());
    for it in rest.take_while(|it| it.kind() == definition.kind()) {
        let text = &outline.text[it.item.decorated.clone()];
        let Ok(module) = python::parse(text) else { return definition.segment().into_owned() };
        let mut printer = Printer { text, tokens: module.tokens(), out };
        for stmt in module.body() {
            is_overloaded = printer.definition(stmt, "");
        }
        out = printer.out;
        if !is_overloaded {
            break;
        }
    }
    trim_line_ends(out.trim_end()).into_owned()
}

struct Printer<'a> {
    /// The source of one definition.
    text: &'a str,
    tokens: &'a [Token],
    out: String,
}

impl Printer<'_> {
    /// Prints a function or class; tells whether it is an overload.
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
        it.decorator_list.iter().any(|it| name_of(&it.expression) == Some("overload"))
    }

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
                // The string after an attribute says what the attribute is.
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

    fn decorators(&mut self, decorators: &[Decorator], indent: &str) {
        for decorator in decorators.iter().filter(|it| !is_ours(&it.expression)) {
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

    fn line(&mut self, indent: &str, node: &impl Ranged) {
        self.out.push_str(indent);
        self.out.push_str(&self.text[node.start().to_usize()..node.end().to_usize()]);
        self.out.push('\n');
    }

    /// Closes a header that nothing follows.
    fn ellipsis(&mut self) {
        self.out.truncate(self.out.trim_end().len());
        self.out.push_str(" ...\n");
    }

    fn indent_of(&self, stmt: &Stmt, outer: &str) -> String {
        indent_before(&self.text[..stmt.start().to_usize()], outer).into_owned()
    }
}

/// Returns the blanks at the end of a text that goes up to a statement, or deeper ones than `outer` if
/// the statement does not start its line.
fn indent_before<'a>(before: &'a str, outer: &str) -> Cow<'a, str> {
    let line = before.rsplit('\n').next().unwrap_or(before);
    if line.trim_start().is_empty() { line.into() } else { format!("{outer}    ").into() }
}

/// Returns where the parameters of a function, or what it returns, end.
fn signature_end(function: &StmtFunctionDef) -> TextSize {
    function.returns.as_ref().map_or(function.parameters.end(), |it| it.end())
}

/// Returns the colon that ends the header of a definition.
fn colon_after(tokens: &[Token], signature_end: TextSize) -> &Token {
    let from = tokens.partition_point(|token| token.start() < signature_end);
    let colon = tokens[from..].iter().find(|token| token.kind() == TokenKind::Colon);
    colon.expect("the header of a definition ends with a colon")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Member {
    /// Nothing was printed yet.
    None,
    Docstring,
    Attribute,
    Definition,
}

fn docstring(body: &[Stmt]) -> Option<&Stmt> {
    let is_string = |stmt: &&Stmt| match stmt {
        Stmt::Expr(it) => it.value.is_string_literal_expr(),
        _ => false,
    };
    body.first().filter(is_string)
}

/// Tells a decorator of jaunt by how it is usually written.
fn is_ours(expression: &Expr) -> bool {
    let expression = expression.as_call_expr().map_or(expression, |call| &call.func);
    match expression {
        Expr::Attribute(it) => it.value.as_name_expr().is_some_and(|it| it.id == "jaunt"),
        Expr::Name(it) => OURS.contains(&it.id.as_str()),
        _ => false,
    }
}

/// The last part of a dotted name.
fn name_of(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Attribute(it) => Some(&it.attr),
        Expr::Name(it) => Some(&it.id),
        _ => None,
    }
}
