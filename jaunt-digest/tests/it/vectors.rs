//! The original's results on the same inputs; see `tests/data/vectors/README.md`.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use jaunt_digest::{
    Digest, Header, HeaderFields, Kwargs, Layout, ModuleName, Outline, Registry, Source, SpecRef,
};
use serde_json::Value;

const DIGEST: [&str; 12] = [
    include_str!("../data/vectors/digest/definitions.json"),
    include_str!("../data/vectors/digest/errors.json"),
    include_str!("../data/vectors/digest/graph-large.json"),
    include_str!("../data/vectors/digest/graph.json"),
    include_str!("../data/vectors/digest/kwargs.json"),
    include_str!("../data/vectors/digest/layout.json"),
    include_str!("../data/vectors/digest/lookup.json"),
    include_str!("../data/vectors/digest/newlines.json"),
    include_str!("../data/vectors/digest/strings.json"),
    include_str!("../data/vectors/digest/syntax.json"),
    include_str!("../data/vectors/digest/unicode.json"),
    include_str!("../data/vectors/digest/whitespace.json"),
];
const HEADER: &str = include_str!("../data/vectors/header.json");
const PATHS: &str = include_str!("../data/vectors/paths.json");

#[test]
fn digests_are_those_of_the_original() {
    let mut n_values = 0;
    for case in digest_cases() {
        let project = Project::new(&case["files"], &case["registry"]);
        let expected = case.get("expect_1.7.14").unwrap_or(&case["expect"]);
        for what in ["segment", "local", "graph", "module"] {
            for (name, expected) in expected[what].as_object().unwrap() {
                let id = &case["id"];
                assert_eq!(project.result(what, name), *expected, "{id}: {what} of {name}");
                n_values += 1;
            }
        }
    }
    assert!(n_values > 250, "only {n_values} values compared");
}

#[test]
fn keyword_texts_are_those_of_the_original() {
    for case in digest_cases() {
        for mut spec in case["registry"]["specs"].as_array().unwrap().iter().cloned() {
            let Some(kwargs) = spec["decorator_kwargs"].as_object() else {
                // Not a number, and the infinities: no JSON, so no map.
                assert_eq!(case["id"], "kw-float-nonfinite");
                continue;
            };
            let text = spec["decorator_kwargs_json"].as_str().unwrap().to_owned();
            assert_eq!(Kwargs::from(kwargs).text(), text, "{}", case["id"]);

            spec.as_object_mut().unwrap().remove("decorator_kwargs_json");
            spec["dependencies"] = Value::Array(Vec::new());
            let document = serde_json::json!({ "version": 1, "specs": [spec] }).to_string();
            let registry = Registry::from_json(document.as_bytes()).unwrap();
            assert_eq!(registry.specs.values().next().unwrap().kwargs.text(), text);
        }
    }
}

/// The first difference on purpose: the original reads a mark as part of the text and fails.
#[test]
fn a_byte_order_mark_does_not_count() {
    let with_mark = Source::decode(b"\xef\xbb\xbfdef f():\n    return 1\n").unwrap();
    let without = Source::decode(b"def f():\n    return 1\n").unwrap();
    let segment = |source| {
        let outline = Outline::parse(source).unwrap();
        outline.definition("f").unwrap().segment().into_owned()
    };
    assert_eq!(segment(&with_mark), segment(&without));
}

/// The second one: the original stops at Python's recursion limit, at a chain of about 900.
#[test]
fn a_chain_of_any_length_has_a_digest() {
    let local = Digest::local("def f(): ...", "{}");
    let top = (0..100_000).fold(Digest::graph(&local, []), |dep, _| Digest::graph(&local, [&dep]));
    insta::assert_snapshot!(top, @"ce8e8d51ce67df320bc1952ff8696be62e4255cc8b41370fa598f2c977e440b5");
}

fn digest_cases() -> impl Iterator<Item = Value> {
    DIGEST.into_iter().flat_map(|text| cases(text, "cases"))
}

fn cases(text: &str, key: &str) -> Vec<Value> {
    let mut document: Value = serde_json::from_str(text).unwrap();
    document[key].as_array_mut().unwrap().drain(..).collect()
}

/// The files and the registry of a case.
struct Project {
    outlines: BTreeMap<Utf8PathBuf, Result<Outline, &'static str>>,
    registry: Registry,
}

impl Project {
    fn new(files: &Value, registry: &Value) -> Self {
        let files = files.as_object().unwrap();
        let outlines = files
            .iter()
            .map(|(path, file)| {
                let outline = Source::decode(&bytes(file))
                    .map_err(|_| "decode")
                    .and_then(|source| Outline::parse(&source).map_err(|_| "syntax"));
                (path.into(), outline)
            })
            .collect();
        Self { outlines, registry: Registry::from_json(registry.to_string().as_bytes()).unwrap() }
    }

    fn result(&self, what: &str, name: &str) -> Value {
        let result = match what {
            "segment" => self.segment(&name.parse().unwrap()),
            "local" => self.local(&name.parse().unwrap()).map(|it| it.to_string()),
            "graph" => self.graph(&name.parse().unwrap(), &mut Vec::new()).map(|it| it.to_string()),
            _ => self.module(&name.parse().unwrap()).map(|it| it.to_string()),
        };
        match result {
            Ok(text) => serde_json::json!({ "ok": text }),
            Err(kind) => serde_json::json!({ "error": kind }),
        }
    }

    fn segment(&self, spec: &SpecRef) -> Result<String, &'static str> {
        let file = &self.registry.specs[spec].source_file;
        let outline = self.outlines.get(&**file).ok_or("io")?.as_ref().map_err(|kind| *kind)?;
        let definition = outline.definition(spec.qualname()).ok_or("not_found")?;
        assert_eq!(definition.name(), spec.definition());
        Ok(definition.segment().into_owned())
    }

    fn local(&self, spec: &SpecRef) -> Result<Digest, &'static str> {
        Ok(Digest::local(&self.segment(spec)?, self.registry.specs[spec].kwargs.text()))
    }

    fn graph(&self, spec: &SpecRef, below: &mut Vec<SpecRef>) -> Result<Digest, &'static str> {
        if below.contains(spec) {
            return Err("cycle");
        }
        let local = self.local(spec)?;
        below.push(spec.clone());
        let deps = &self.registry.specs[spec].dependencies;
        let deps = deps.iter().map(|dep| self.graph(dep, below)).collect::<Result<Vec<_>, _>>()?;
        below.pop();
        Ok(Digest::graph(&local, &deps))
    }

    fn module(&self, module: &ModuleName) -> Result<Digest, &'static str> {
        let specs = self.registry.specs.keys().filter(|spec| spec.module() == module);
        let graphs = specs.map(|spec| self.graph(spec, &mut Vec::new()));
        Ok(Digest::module(&graphs.collect::<Result<Vec<_>, _>>()?))
    }
}

/// The bytes of a file: `{"text": …}` or `{"base64": …}`.
fn bytes(file: &Value) -> Vec<u8> {
    if let Some(text) = file["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = file["base64"].as_str().unwrap().trim_end_matches('=').bytes();
    let values: Vec<usize> =
        digits.map(|digit| alphabet.iter().position(|it| *it == digit).unwrap()).collect();
    let bits: Vec<usize> =
        values.iter().flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1)).collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect()
}

#[test]
fn headers_are_written_as_by_the_original() {
    for case in cases(HEADER, "format_cases") {
        let input = &case["input"];
        if input.get("digest_scheme").is_some() {
            // Fields of 1.7 which jaunt reads and never writes.
            assert_eq!(case["id"], "fmt2-all");
            continue;
        }
        let fields = HeaderFields {
            tool_version: input["tool_version"].as_str().unwrap(),
            kind: input["kind"].as_str().unwrap().parse().unwrap(),
            source_module: input["source_module"].as_str().unwrap(),
            module_digest: input["module_digest"].as_str().unwrap(),
            spec_refs: strings(&input["spec_refs"]),
            body_digest: None,
            spec_local_digests: BTreeMap::new(),
            dependency_bodies: BTreeMap::new(),
            dependency_digests: BTreeMap::new(),
        };
        assert_eq!(fields.to_string(), case["expect"].as_str().unwrap(), "{}", case["id"]);
    }
}

#[test]
fn headers_are_read_as_by_the_original() {
    let written = cases(HEADER, "format_cases").into_iter().map(|case| {
        let header = Header::parse(case["expect"].as_str().unwrap()).unwrap();
        assert_eq!(header.source_module(), case["input"]["source_module"].as_str());
        assert_eq!(header.spec_refs(), strings(&case["input"]["spec_refs"]));
    });
    assert!(written.count() > 3);
    for case in cases(HEADER, "parse_cases") {
        let header = Header::parse(case["text"].as_str().unwrap());
        let fields = header.as_ref().map(Header::fields);
        assert_eq!(serde_json::json!(fields), case["expect_fields"], "{}", case["id"]);
        let digest = header.as_ref().and_then(Header::module_digest);
        assert_eq!(digest, case["expect_normalized_digest"].as_str(), "{}", case["id"]);
    }
    for case in cases(HEADER, "file_cases") {
        let digest = match str::from_utf8(&bytes(&case["data"])) {
            Ok(text) => {
                let header = Header::parse(text);
                serde_json::json!({ "ok": header.as_ref().and_then(Header::module_digest) })
            }
            Err(_) => serde_json::json!({ "error": "decode" }),
        };
        assert_eq!(digest, case["expect"], "{}", case["id"]);
    }
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect()
}

#[test]
fn generated_modules_go_where_1_7_14_puts_them() {
    let mut refused = Vec::new();
    for case in cases(PATHS, "mapping_cases") {
        let layout = Layout::new(case["generated_dir"].as_str().unwrap()).unwrap();
        let Ok(module) = case["module"].as_str().unwrap().parse::<ModuleName>() else {
            assert_eq!(case["tags"][0], "degenerate");
            refused.push(case["id"].as_str().unwrap().to_owned());
            continue;
        };
        let expected = &case["expect_1.7.14"];
        let generated = layout.generated_module(&module);
        assert_eq!(generated.as_str(), expected["generated_module"]["ok"], "{}", case["id"]);
        let relpath = layout.generated_relpath(&generated, false);
        assert_eq!(
            relpath,
            *expected["generated_relpath"]["ok"].as_str().unwrap(),
            "{}",
            case["id"]
        );
    }
    assert_eq!(refused, ["path-EMPTY-__generated__", "path-EMPTY-gen", "path-pkg.-__generated__"]);

    for case in cases(PATHS, "relpath_cases") {
        let layout = Layout::new(case["generated_dir"].as_str().unwrap()).unwrap();
        let module: ModuleName = case["module"].as_str().unwrap().parse().unwrap();
        let expected = &case["expect_1.7.14"]["generated_module_to_relpath"]["ok"];
        let relpath = layout.generated_relpath(&module, false);
        assert_eq!(relpath, *expected.as_str().unwrap(), "{}", case["id"]);
    }
}
