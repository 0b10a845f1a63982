use std::fmt::Write as _;

use insta::assert_snapshot;

use super::*;

/// Parses a text on a small stack and says what came of it.
fn verdict(text: &str) -> String {
    let parse = || match parse(text) {
        Ok(module) => {
            let depth = depth(module.parsed().syntax());
            if depth > SHALLOW { format!("ok, {depth} levels") } else { "ok".to_owned() }
        }
        Err(err) => format!("{err}, column {}", err.column),
    };
    std::thread::scope(|scope| {
        let small = std::thread::Builder::new().stack_size(256 * 1024);
        small.spawn_scoped(scope, parse).unwrap().join().unwrap()
    })
}

/// Nests each of these constructs `n` times.
fn verdicts(n: usize) -> String {
    let constructs = [
        ("addition", "1+".repeat(n) + "1"),
        ("and", "1 and ".repeat(n) + "1"),
        ("assignment", "a=".repeat(n) + "1"),
        ("attribute", "a".to_owned() + &".b".repeat(n)),
        ("brackets", "[".repeat(n) + &"]".repeat(n)),
        ("call", "f".to_owned() + &"()".repeat(n)),
        ("comparison", "1<".repeat(n) + "1"),
        ("comprehension", format!("[x {}]", "for x in y ".repeat(n))),
        ("decorators", "@a\n".repeat(n) + "def f(): ..."),
        ("elif", "if 1: ...\n".to_owned() + &"elif 1: ...\n".repeat(n)),
        ("f-string", "f'{".repeat(n) + "1" + &"}'".repeat(n)),
        ("format spec", format!("f'{{a{}{}}}'", ":{a".repeat(n), "}".repeat(n))),
        ("if on one line", "if a, :".repeat(n) + "pass"),
        ("indentation", indented(n)),
        ("lambda", "lambda:".repeat(n) + "1"),
        ("lambda with commas", "lambda a, b: ".repeat(n) + "1"),
        ("list", format!("[{}]", "a.b+c(d), ".repeat(n))),
        ("list of conditions", format!("[{}]", "a if b else c, ".repeat(n))),
        ("list of lambdas", format!("[{}]", "lambda a, b: a+b, ".repeat(n))),
        ("minus", "-".repeat(n) + "1"),
        ("not", "not ".repeat(n) + "1"),
        ("only brackets that open", "(".repeat(n)),
        ("parentheses", "(".repeat(n) + "1" + &")".repeat(n)),
        ("pattern", format!("match x:\n case {}{}: ...", "[".repeat(n), "]".repeat(n))),
        ("pattern with names", format!("match x:\n case a{}: ...", ".b".repeat(n))),
        ("power", "1**".repeat(n) + "1"),
        ("statements", "a.b.c; ".repeat(n)),
        ("strings", "'a'".repeat(n)),
        ("subscript", "a".to_owned() + &"[0]".repeat(n)),
        ("ternary", "1 if 1 else ".repeat(n) + "1"),
        ("walrus", "(a:=".repeat(n) + "1" + &")".repeat(n)),
    ];
    let mut verdicts = String::new();
    for (name, text) in constructs {
        writeln!(verdicts, "{name}: {}", verdict(&text)).unwrap();
    }
    verdicts
}

/// As many levels as make less than two megabytes of blanks.
fn indented(n: usize) -> String {
    let mut text = String::new();
    for level in 0..n.min(2000) {
        writeln!(text, "{}if 1:", " ".repeat(level)).unwrap();
    }
    text + &" ".repeat(n.min(2000)) + "pass\n"
}

#[test]
fn what_python_accepts_is_accepted() {
    assert_snapshot!(verdicts(99));
}

#[test]
fn chains_may_be_as_long_as_in_python() {
    assert_snapshot!(verdicts(9_990));
}

#[test]
fn no_depth_crashes_the_parser() {
    assert_snapshot!(verdicts(50_000));
}

#[test]
fn the_limits_are_those_of_cpython() {
    for (n, expected) in [(200, "ok"), (201, "too many nested parentheses")] {
        let text = format!("x = 1\ny = {}1{}\n", "(".repeat(n), ")".repeat(n));
        assert!(verdict(&text).contains(expected), "{}", verdict(&text));
    }
    for (n, expected) in [(99, "ok"), (100, "too many levels of indentation")] {
        assert!(verdict(&indented(n)).contains(expected), "{}", verdict(&indented(n)));
    }
}

#[test]
fn the_column_of_an_error_is_counted_in_characters() {
    assert_snapshot!(verdict("é = '日本' +\n"), @"SyntaxError: Expected an expression (line 1), column 11");
    assert_snapshot!(verdict("x = 1\n\n  y = 2\n"), @"SyntaxError: Unexpected indentation (line 3), column 1");
    assert_snapshot!(verdict("def f(:\n    pass\n"), @"SyntaxError: Expected a parameter or the end of the parameter list (line 1), column 7");
    assert_snapshot!(verdict("def f():\n    return '''\n"), @"SyntaxError: missing closing quote in string literal (line 2), column 12");
    assert_snapshot!(verdict("x = 'a\0b'\n"), @"SyntaxError: source code cannot contain null bytes (line 1), column 7");
    assert_snapshot!(verdict("\u{feff}x = 1\n"), @"SyntaxError: invalid non-printable character U+FEFF (line 1), column 1");
    assert_snapshot!(verdict("x = 1\n\u{1a}"), @r"SyntaxError: Got unexpected token \u{1a} (line 2), column 1");
    let deep = "#\n".repeat(MAX_UNMEASURED_LEN) + "é = " + &"(".repeat(300);
    assert_snapshot!(verdict(&deep), @"SyntaxError: too many nested parentheses (line 32769), column 205");
    let shallow_and_large = "x = 1\n".repeat(MAX_UNMEASURED_LEN) + "y = = 2\n";
    assert_snapshot!(verdict(&shallow_and_large), @"SyntaxError: Expected an expression (line 32769), column 5");
}

#[test]
fn what_only_the_compiler_rejects_is_no_error() {
    for text in [
        "return 1\n",
        "def f(a, a): ...\n",
        "break\n",
        "x = 1\nglobal x\n",
        "def f():\n    x = 1\n    nonlocal x\n",
        "from __future__ import nonsense\n",
        "class C[T]: ...\nlazy = 1\ntype X = int\n",
    ] {
        assert_eq!(verdict(text), "ok", "{text}");
    }
}

#[test]
fn the_verdict_is_known_to_differ_from_cpython() {
    // Taken, though CPython 3.13 refuses them; from 3.14 on it takes all but the first.
    for text in ["f((x)=2)\n", "try: pass\nexcept A, B: pass\n", "try: pass\nexcept* A, B: pass\n"]
    {
        assert_eq!(verdict(text), "ok");
    }
    // Refused, though CPython 3.13 takes them.
    for text in ["f'{\n    x:d\n}'\n", "match x:\n    case {f'': _}: ...\n"] {
        assert!(verdict(text).starts_with("SyntaxError: "));
    }
}
