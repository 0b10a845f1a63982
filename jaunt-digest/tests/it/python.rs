//! Python itself as the judge.

use std::collections::BTreeMap;

use jaunt_digest::{Kwargs, Outline, Registry, Source};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::stdlib::{Found, Stdlib, kind_name, python};

/// Prints what the top level of each text defines. A line is a place in the standard library, or
/// a text as JSON.
const OUTLINES: &str = r#"
import ast, json, pathlib, sys, sysconfig
root = pathlib.Path(sysconfig.get_path("stdlib"))
KINDS = {ast.FunctionDef: "def", ast.AsyncFunctionDef: "async", ast.ClassDef: "class"}
for line in sys.stdin.read().splitlines():
    try:
        is_text = line.startswith('"')
        text = json.loads(line) if is_text else (root / line).read_text(encoding="utf-8")
        body = ast.parse(text).body
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        print("null")
        continue
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    print(json.dumps([
        [node.name, KINDS[type(node)], starts[node.lineno - 1] + node.col_offset,
         starts[node.end_lineno - 1] + node.end_col_offset]
        for node in body if type(node) in KINDS
    ]))
"#;

#[test]
fn what_python_accepts_has_the_outline_that_python_gives_it() {
    let stdlib = Stdlib::read();
    let ours = stdlib.map(outline);
    let places: Vec<&str> = stdlib.files.keys().map(|it| it.as_str()).collect();
    let answer = python(OUTLINES, &places.join("\n"));
    let theirs = answer.lines().map(|line| serde_json::from_str::<Option<Found>>(line).unwrap());

    let (mut n_accepted, mut n_definitions) = (0, 0);
    for ((place, ours), theirs) in ours.into_iter().zip(theirs) {
        if let Some(theirs) = theirs {
            let ours = ours.unwrap_or_else(|| panic!("{place}: refused, but Python accepts it"));
            assert_eq!(ours, theirs, "{place}");
            n_accepted += 1;
            n_definitions += ours.len();
        }
    }
    assert!(n_accepted > 100 && n_definitions > 1000, "{n_accepted} {n_definitions}");
}

fn outline(bytes: &[u8]) -> Option<Found> {
    let outline = Outline::parse(&Source::decode(bytes).ok()?).ok()?;
    let found = outline
        .definitions()
        .map(|it| (it.name().to_owned(), kind_name(it.kind()), it.range().start, it.range().end));
    Some(found.collect())
}

#[test]
fn changed_texts_that_python_accepts_have_its_outline_too() {
    let stdlib = Stdlib::read();
    let small = |bytes: &&Vec<u8>| (200..6_000).contains(&bytes.len());
    let good: Vec<String> = stdlib
        .files
        .values()
        .filter(small)
        .filter_map(|bytes| Some(String::from_utf8(bytes.clone()).ok()?.replace('\r', "")))
        .collect();
    let texts = samples(changed(good), 1500);
    let lines: Vec<String> = texts.iter().map(|it| json!(it).to_string()).collect();
    let answer = python(OUTLINES, &lines.join("\n"));
    assert_eq!(answer.lines().count(), texts.len());

    let mut n_accepted = 0;
    for (text, line) in texts.iter().zip(answer.lines()) {
        if let Some(theirs) = serde_json::from_str::<Option<Found>>(line).unwrap() {
            assert_eq!(outline(text.as_bytes()), Some(theirs), "{text}");
            n_accepted += 1;
        }
    }
    assert!((100..texts.len() - 100).contains(&n_accepted), "{n_accepted} of {}", texts.len());
}

/// A good text with a few changes.
fn changed(good: Vec<String>) -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "",
        "",
        " ",
        "\n",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "=",
        "\\\n",
        "'",
        "\"\"\"",
        "#",
        "@",
        "*",
        "    ",
        "\t",
        ";",
        "def f(): pass\n",
        "class ",
        "async ",
        "lambda: ",
        "if 1:\n ",
        "é",
        "𝓍",
        "\x0c",
        "f'{x!r:>{3}}'",
        "0x_1",
        "not ",
        "yield ",
        "await ",
        "x := 1",
        "...",
        "\u{feff}",
        "match x:\n case _: ",
    ]);
    let edit = (any::<prop::sample::Index>(), 0..8usize, pieces);
    (prop::sample::select(good), prop::collection::vec(edit, 1..4)).prop_map(|(mut text, edits)| {
        for (at, goes, comes) in edits {
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            let to = text.floor_char_boundary((at + goes).min(text.len()));
            text.replace_range(at..to, comes);
        }
        text
    })
}

/// Reads JSON objects, one a line, and prints what the original digests.
const KEYWORD_TEXTS: &str = r#"
import json, sys

def normalize(ref):
    ref = ref.strip()
    module, separator, qualname = ref.partition(":") if ":" in ref else ref.rpartition(".")
    assert separator and all(part.isidentifier() for part in module.split("."))
    assert all(part == "<locals>" or part.isidentifier() for part in qualname.split("."))
    return f"{module}:{qualname}"

def refs(value):
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    try:
        return sorted(normalize(item) for item in items)
    except (AssertionError, AttributeError):
        return sorted(str(item) for item in items)

for line in sys.stdin:
    kwargs = json.loads(line)
    kwargs = {key: refs(kwargs[key]) if key in ("deps", "targets") else kwargs[key] for key in kwargs}
    print(json.dumps(kwargs, sort_keys=True, separators=(",", ":"), ensure_ascii=True))
"#;

#[test]
fn keyword_texts_are_what_python_makes_of_the_same_json() {
    let documents = samples(arguments(), 2000);
    let answer = python(KEYWORD_TEXTS, &documents.join("\n"));
    assert_eq!(answer.lines().count(), documents.len());
    for (document, expected) in documents.iter().zip(answer.lines()) {
        assert_eq!(text_in_registry(document), expected, "{document}");
    }
}

#[test]
fn keyword_texts_of_values_are_what_python_makes_of_them() {
    let values = samples(prop::collection::btree_map(".*", values(), 0..4), 1000);
    let values: Vec<Map<String, Value>> =
        values.into_iter().map(|it| it.into_iter().collect()).collect();
    let documents: Vec<String> = values.iter().map(|it| json!(it).to_string()).collect();
    let answer = python(KEYWORD_TEXTS, &documents.join("\n"));
    assert_eq!(answer.lines().count(), documents.len());
    for (kwargs, expected) in values.iter().zip(answer.lines()) {
        assert_eq!(Kwargs::from(kwargs).text(), expected);
    }
}

/// Puts decorator arguments through a registry document.
fn text_in_registry(kwargs: &str) -> String {
    let document = format!(
        r#"{{"version": 1, "specs": [{{"kind": "magic", "spec_ref": "a:f", "module": "a", "qualname": "f",
            "source_file": "a.py", "decorator_kwargs": {kwargs}}}]}}"#
    );
    let registry = Registry::from_json(document.as_bytes()).unwrap();
    registry.specs.values().next().unwrap().kwargs.text().to_owned()
}

/// The same values in every run.
fn samples<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, n: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..n).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Decorator arguments as JSON, `deps` and `targets` among them.
fn arguments() -> impl Strategy<Value = String> {
    let refs = prop_oneof![
        leaves(),
        prop::collection::vec(strings(), 0..4).prop_map(|it| format!("[{}]", it.join(","))),
        prop::collection::vec(leaves(), 0..4).prop_map(|it| format!("[{}]", it.join(","))),
    ];
    let refs = prop::collection::vec((prop::sample::select(vec!["deps", "targets"]), refs), 0..3);
    (objects(json_texts()), refs).prop_map(|(object, refs)| {
        let refs: String =
            refs.into_iter().map(|(key, value)| format!("\"{key}\": {value},")).collect();
        let members = object.trim_start_matches('{');
        format!("{{{refs}\"last\": 0{}{members}", if members == "}" { "" } else { "," })
    })
}

/// JSON texts with all that `serde_json::Value` has no room for: lone surrogates, long integers.
fn json_texts() -> impl Strategy<Value = String> {
    leaves().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|it| format!("[{}]", it.join(" ,"))),
            objects(inner),
        ]
    })
}

fn leaves() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["null", "true", "false", "-0", "1e400", "-0.0", "1E-7", "1e22"])
            .prop_map(str::to_owned),
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,18})\\.[0-9]{1,18}([eE][+-]?[0-9]{1,3})?",
        any::<f64>()
            .prop_filter("JSON has no others", |it| it.is_finite())
            .prop_map(|it| format!("{it:?}")),
        strings(),
    ]
}

fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        ".*".prop_map(|it| json!(it).to_string()),
        "\"( |\\\\u(00[0-9a-f]{2}|[dD][89a-fA-F][0-9a-f]{2}|2028)|\\\\[bfnrt/\\\\\"]|[a-z🐅é\u{7f}]){0,6}\"",
        "\"[ab]([.:][cd]){0,3}\"",
        "\"( |\\\\u00a0)?[a-z]{1,3}(\\.[a-z]{1,2}){1,2}(:[a-z.]{1,5}|\\.<locals>)?\"",
    ]
}

/// Objects with every kind of key, repeated ones among them.
fn objects(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![strings(), Just("\"prompt\"".to_owned()), Just("\"a\"".to_owned())];
    prop::collection::vec((key, value), 0..5).prop_map(|members| {
        let members: Vec<String> =
            members.into_iter().map(|(key, value)| format!("{key}: {value}")).collect();
        format!("{{{}}}", members.join(", "))
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..4)
                .prop_map(|it: BTreeMap<String, Value>| Value::Object(it.into_iter().collect())),
        ]
    })
}
