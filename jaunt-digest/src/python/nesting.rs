//! How deep a text is nested, by its tokens.

use ruff_python_ast::token::TokenKind;

/// The nested brackets that CPython's tokenizer accepts (its `MAXLEVEL`).
const MAX_BRACKETS: usize = 200;

/// The levels of indentation that CPython's tokenizer accepts (its `MAXINDENT`, less one).
const MAX_INDENTS: usize = 99;

/// The operators in a row that are accepted, a few more than by CPython 3.13, which raises a
/// `RecursionError` after 9,995 additions. Earlier versions do so after 3,000.
const MAX_CHAIN: usize = 10_000;

/// An upper bound for the depth of the tree of a valid text, found in one pass over its tokens.
///
/// Depth comes from indentation, from brackets, and from chains: operators without a comma or the end
/// of a statement between them, as in `1+1+1`, `a.b.c`, `not not x`.
#[derive(Debug)]
pub(super) struct Nesting {
    /// The level of indentation.
    indents: usize,
    /// One level outside of all brackets, and one for each open bracket.
    levels: Vec<Level>,
    /// The total length of all chains.
    chained: usize,
    deepest: usize,
}

/// What is known between one pair of brackets.
#[derive(Debug, Default)]
struct Level {
    /// The length of the chain so far.
    chain: usize,
    /// Lambdas whose parameters have not ended: commas between parameters end no chain.
    lambdas: usize,
}

/// Why a text is rejected before its tree is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooDeep {
    #[error("too many nested parentheses")]
    Brackets,
    #[error("too many levels of indentation")]
    Indents,
    #[error("too deeply nested: more than {MAX_CHAIN} operators in one expression")]
    Chain,
}

impl Default for Nesting {
    fn default() -> Self {
        Self { indents: 0, levels: vec![Level::default()], chained: 0, deepest: 0 }
    }
}

impl Nesting {
    /// Adds the next token.
    ///
    /// # Errors
    ///
    /// If the text is nested too deeply.
    pub(super) fn push(&mut self, kind: TokenKind) -> Result<(), TooDeep> {
        match kind {
            TokenKind::Indent => {
                self.indents += 1;
                if self.indents > MAX_INDENTS {
                    return Err(TooDeep::Indents);
                }
            }
            TokenKind::Dedent => self.indents = self.indents.saturating_sub(1),
            TokenKind::Newline | TokenKind::Semi => self.end_chain(),
            TokenKind::Comma if self.level().lambdas == 0 => self.end_chain(),
            TokenKind::Colon => self.level().lambdas = self.level().lambdas.saturating_sub(1),
            TokenKind::Lambda => {
                self.level().lambdas += 1;
                self.extend_chain()?;
            }
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                self.extend_chain()?;
                if self.levels.len() > MAX_BRACKETS {
                    return Err(TooDeep::Brackets);
                }
                self.levels.push(Level::default());
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                self.end_chain();
                // The first level is not a bracket.
                if self.levels.len() > 1 {
                    self.levels.pop();
                }
            }
            _ if nests(kind) => self.extend_chain()?,
            _ => {}
        }
        Ok(())
    }

    /// Returns the depth so far.
    pub(super) fn deepest(&self) -> usize {
        self.deepest
    }

    /// Returns the innermost level.
    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the first level stays")
    }

    /// Adds an operator to the chain.
    fn extend_chain(&mut self) -> Result<(), TooDeep> {
        self.level().chain += 1;
        self.chained += 1;
        self.deepest = self.deepest.max(self.chained + self.indents);
        if self.chained > MAX_CHAIN { Err(TooDeep::Chain) } else { Ok(()) }
    }

    /// Ends the chain at a comma, a bracket or the end of a statement.
    fn end_chain(&mut self) {
        self.chained -= self.level().chain;
        *self.level() = Level::default();
    }
}

/// Checks whether one more of these, among the same brackets, may make the tree one level deeper.
///
/// Comparisons, `and`, `or`, commas and statements in a row make it wider.
fn nests(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Amper
            | TokenKind::At
            | TokenKind::CircumFlex
            | TokenKind::ColonEqual
            | TokenKind::Dot
            | TokenKind::DoubleSlash
            | TokenKind::DoubleStar
            | TokenKind::Else
            | TokenKind::LeftShift
            | TokenKind::Minus
            | TokenKind::Not
            | TokenKind::Percent
            | TokenKind::Plus
            | TokenKind::RightShift
            | TokenKind::Slash
            | TokenKind::Star
            | TokenKind::Tilde
            | TokenKind::Vbar
    )
}
