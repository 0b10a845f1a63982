//! Parts of definitions, found among tokens and in the syntax tree.

use std::borrow::Cow;

use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};
use ruff_text_size::{Ranged as _, TextSize};

/// Decorators that tell jaunt something and mean nothing to a caller.
const JAUNT_DECORATORS: [&str; 5] = ["contract", "magic", "preserve", "sig", "test"];

/// Returns the start of the first keyword of a definition at or after an offset.
pub(super) fn keyword_after(tokens: &[Token], offset: TextSize) -> TextSize {
    let from = tokens.partition_point(|token| token.start() < offset);
    let is_keyword = |token: &&Token| {
        matches!(token.kind(), TokenKind::Def | TokenKind::Async | TokenKind::Class)
    };
    tokens[from..].iter().find(is_keyword).expect("a definition has a keyword").start()
}

/// Returns the end of the last token of code before an offset (or the end of the file).
///
/// A `;` is code; a comment is not.
pub(super) fn end_before(tokens: &[Token], offset: Option<TextSize>) -> TextSize {
    let to = offset
        .map_or(tokens.len(), |offset| tokens.partition_point(|token| token.start() < offset));
    let is_code = |token: &&Token| {
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
    tokens[..to].iter().rev().find(is_code).expect("a definition has tokens").end()
}

/// Returns the indentation of a statement, given the text before it; if it does not start its line,
/// one level more than `outer`.
pub(super) fn indent_before<'a>(before: &'a str, outer: &str) -> Cow<'a, str> {
    let line = before.rsplit('\n').next().unwrap_or(before);
    if line.trim_start().is_empty() { line.into() } else { format!("{outer}    ").into() }
}

/// Returns the end of a function's return annotation, or of its parameters.
pub(super) fn signature_end(function: &StmtFunctionDef) -> TextSize {
    function.returns.as_ref().map_or(function.parameters.end(), |it| it.end())
}

/// Returns the colon that ends the header of a definition.
pub(super) fn colon_after(tokens: &[Token], signature_end: TextSize) -> &Token {
    let from = tokens.partition_point(|token| token.start() < signature_end);
    let colon = tokens[from..].iter().find(|token| token.kind() == TokenKind::Colon);
    colon.expect("the header of a definition ends with a colon")
}

/// Returns the docstring that a body begins with.
pub(super) fn docstring(body: &[Stmt]) -> Option<&Stmt> {
    let is_string = |stmt: &&Stmt| match stmt {
        Stmt::Expr(it) => it.value.is_string_literal_expr(),
        _ => false,
    };
    body.first().filter(is_string)
}

/// Checks whether a decorator is one of jaunt's, by its usual spelling.
pub(super) fn is_for_jaunt(expression: &Expr) -> bool {
    let expression = expression.as_call_expr().map_or(expression, |call| &call.func);
    match expression {
        Expr::Attribute(it) => it.value.as_name_expr().is_some_and(|it| it.id == "jaunt"),
        Expr::Name(it) => JAUNT_DECORATORS.contains(&it.id.as_str()),
        _ => false,
    }
}

/// Returns the last part of a dotted name.
pub(super) fn last_name(expression: &Expr) -> Option<&str> {
    match expression {
        Expr::Attribute(it) => Some(&it.attr),
        Expr::Name(it) => Some(&it.id),
        _ => None,
    }
}
