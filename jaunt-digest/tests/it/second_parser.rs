//! A second opinion on every outline: an independent parser.
//!
//! The law: what both parsers accept has the same outline for both, once two known mistakes of the
//! second are corrected. What either refuses is a snapshot, for those standard libraries that are
//! listed here.

use std::fmt::Write as _;
use std::io::{Write as _, stderr};

use insta::assert_snapshot;
use jaunt_digest::{Outline, Source};
use rustpython_parser::Parse as _;
use rustpython_parser::ast::{Stmt, Suite};
use unicode_normalization::UnicodeNormalization as _;

use crate::stdlib::{Found, Stdlib, kind_name};

/// The standard libraries with a snapshot. To add one, name it here and run the test with
/// `INSTA_UPDATE=always`.
const KNOWN: [&str; 3] = ["3.11.7-300a2885", "3.12.1-06c5997d", "3.13.0-a5eb9946"];

#[test]
fn two_parsers_find_the_same_definitions() {
    let stdlib = Stdlib::read();
    let opinions = stdlib.map(|bytes| {
        let source = Source::decode(bytes).ok()?;
        Some((production(&source), second(&source)))
    });
    let (mut refused, mut n_agreed) = (String::new(), 0);
    for (place, opinions) in opinions {
        let by_whom = match opinions {
            Some((Some(production), Some(second))) => {
                assert_eq!(production, second, "{place}");
                n_agreed += 1;
                continue;
            }
            Some((Some(_), None)) => "refused by the second parser",
            Some((None, Some(_))) => "refused by the production parser",
            Some((None, None)) => "refused by both",
            None => "not UTF-8",
        };
        writeln!(refused, "{place}: {by_whom}").unwrap();
    }
    assert!(n_agreed > 100, "only {n_agreed} files compared");

    let id = stdlib.id();
    if KNOWN.contains(&id.as_str()) {
        assert_snapshot!(id, refused);
    } else {
        writeln!(stderr(), "{id}: no snapshot of what is refused; {n_agreed} files agree").unwrap();
    }
}

#[test]
fn two_parsers_find_the_same_definitions_in_odd_places() {
    let odd = "
class A: pass; y = 2 ;  # c
class B: x = 1
@d  # c
@(lambda f: f)

# c
async \\
  def c(a, *, b=(1,
 2), **k) -> 'x': # c
    # c
    return '''
def fake(): ...
'''  # c
\x0cdef 𝓍(): return '日本語😀é'  # c
if 1:
    def inner(): ...
def last():
    x = 1 ; y = 2 ;

# c";
    let source = Source::new(odd);
    let found = production(&source).unwrap();
    assert_eq!(found.len(), 5);
    assert_eq!(Some(found), second(&source));
}

#[test]
fn the_second_parser_is_known_to_be_wrong() {
    let mut table = String::new();
    for text in [
        "f() = 1",
        "None = 1",
        "f(x for x in y, 1)",
        "f((x)=2)",
        "try: pass\nexcept A, B: pass",
        "def f[T = int](): ...",
        "x = f'{\"a\"}'",
        "x = f'{'a'}'",
        "with (a as b, c as d): ...",
        "match x:\n    case {**rest}: ...",
        "type X = int",
        "x = t'{a}'",
        "return",
        "await x",
        "print 'x'",
        "x = 1_000_; y = 2",
        "def f(a, a): ...",
        "f(a=1, a=2)",
    ] {
        let source = Source::new(text);
        let verdict = |found: Option<Found>| if found.is_some() { "takes" } else { "refuses" };
        let (first, second) = (verdict(production(&source)), verdict(second(&source)));
        if first != second {
            writeln!(table, "{text:?}: production {first} it, the second {second} it").unwrap();
        }
    }
    assert_snapshot!(table, @r#"
    "f() = 1": production refuses it, the second takes it
    "None = 1": production refuses it, the second takes it
    "f(x for x in y, 1)": production refuses it, the second takes it
    "f((x)=2)": production takes it, the second refuses it
    "try: pass\nexcept A, B: pass": production takes it, the second refuses it
    "def f[T = int](): ...": production takes it, the second refuses it
    "x = f'{'a'}'": production takes it, the second refuses it
    "x = t'{a}'": production takes it, the second refuses it
    "def f(a, a): ...": production takes it, the second refuses it
    "f(a=1, a=2)": production takes it, the second refuses it
    "#);
}

fn production(source: &Source) -> Option<Found> {
    let outline = Outline::parse(source).ok()?;
    let found = outline
        .definitions()
        .map(|it| (it.name().to_owned(), kind_name(it.kind()), it.range().start, it.range().end));
    Some(found.collect())
}

fn second(source: &Source) -> Option<Found> {
    let text = source.text();
    let body = Suite::parse(text, "module").ok()?;
    let found = body.into_iter().filter_map(|stmt| {
        let (name, kind, range) = match stmt {
            Stmt::FunctionDef(it) => (it.name, "def", it.range),
            Stmt::AsyncFunctionDef(it) => (it.name, "async", it.range),
            Stmt::ClassDef(it) => (it.name, "class", it.range),
            _ => return None,
        };
        // CPython normalizes names, and a `;` is part of the body that it ends.
        let name = name.nfkc().collect();
        let end = range.end().to_usize();
        let after = text[end..].trim_start_matches([' ', '\t']);
        let end = after.strip_prefix(';').map_or(end, |rest| text.len() - rest.len());
        Some((name, kind.to_owned(), range.start().to_usize(), end))
    });
    Some(found.collect())
}
