//! From JSON to a registry, with a place for every complaint.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::str::FromStr;

use camino::Utf8PathBuf;
use serde_json::value::RawValue;

use super::specs::Specs;
use super::{ModuleEntry, Producer, Registry, RegistryError, Settings, SpecEntry};
use crate::digest::Digest;
use crate::json::{self, Node, Object};
use crate::kwargs::Kwargs;
use crate::name::{Kind, ModuleName, SpecRef};
use crate::text::shown;

const DIGEST: &str = "a SHA-256 digest of 64 hexadecimal digits";
const KIND: &str = "`magic` or `test`";
const MODULE: &str = "a module name";
const OBJECT: &str = "an object";
const PATH: &str = "a relative path inside the project";
const SPEC: &str = "of the form `module:qualname`";
const STRING: &str = "a string";
const STRINGS: &str = "a list of strings";

pub(super) fn document(text: &str) -> Result<Registry, RegistryError> {
    let raw = serde_json::from_str(text)?;
    let document = Fields::of(Place::Document, raw)?;
    complete(&document, || specs(&document))
}

/// The same where the specs have been read already; `members` is all else in the document.
pub(super) fn with_specs(
    members: Vec<(Cow<'_, str>, &RawValue)>,
    specs: Specs,
) -> Result<Registry, RegistryError> {
    let object = members.into_iter().map(|(key, value)| (key.into(), value)).collect();
    complete(&Fields { place: Place::Document, object }, || Ok(specs))
}

fn complete(
    document: &Fields<'_>,
    specs: impl FnOnce() -> Result<Specs, RegistryError>,
) -> Result<Registry, RegistryError> {
    let version = document.get("version");
    if version.is_none_or(|it| it.get() != "1") {
        return Err(document.wrong("version", "1", version));
    }
    let registry = Registry {
        producer: document.get("producer").map(producer).transpose()?,
        specs: specs()?,
        modules: modules(document)?,
        settings: document.get("settings").map(settings).transpose()?.unwrap_or_default(),
        auto_tests: auto_tests(document)?,
        warnings: document.optional("warnings", STRINGS, as_strings)?.unwrap_or_default(),
    };
    // Without modules there is nothing to compare with.
    for (spec, entry) in registry.specs.iter().take_while(|_| !registry.modules.is_empty()) {
        let module = registry.modules.get(spec.module());
        if let Some(module) = module.filter(|it| it.kind != entry.kind) {
            return Err(RegistryError::Kind {
                module: spec.module().clone(),
                kind: module.kind,
                spec: spec.clone(),
                spec_kind: entry.kind,
            });
        }
    }
    Ok(registry)
}

fn producer(raw: &RawValue) -> Result<Producer, RegistryError> {
    let fields = Fields::of(Place::Producer, raw)?;
    Ok(Producer {
        name: fields.required("name", STRING, as_string)?,
        version: fields.optional("version", STRING, as_string)?,
    })
}

fn settings(raw: &RawValue) -> Result<Settings, RegistryError> {
    let fields = Fields::of(Place::Settings, raw)?;
    let jobs = |field| fields.optional(field, "a positive integer", |raw| raw.get().parse().ok());
    let strings = |field| fields.optional(field, STRINGS, as_strings);
    Ok(Settings {
        source_roots: strings("source_roots")?,
        test_roots: strings("test_roots")?,
        generated_dir: fields.optional("generated_dir", STRING, as_string)?,
        build_jobs: jobs("build_jobs")?,
        test_jobs: jobs("test_jobs")?,
        pytest_args: strings("pytest_args")?,
    })
}

fn auto_tests(document: &Fields<'_>) -> Result<BTreeSet<Utf8PathBuf>, RegistryError> {
    let list = document.optional("auto_tests", "a list", as_list)?.unwrap_or_default();
    let paths = list
        .into_iter()
        .map(|raw| Fields::of(Place::AutoTests, raw)?.required("path", PATH, as_file));
    paths.collect()
}

fn specs(document: &Fields<'_>) -> Result<Specs, RegistryError> {
    let list = document.required("specs", "a list", as_objects)?;
    let mut specs = Vec::with_capacity(list.len());
    let mut places = BTreeMap::new();
    for (idx, object) in list.into_iter().enumerate() {
        let place = Place::Index(idx);
        let object = object.map_err(|found| not_an_object(&place, found))?;
        let mut fields = Fields { place, object };
        let spec: SpecRef = fields.required("spec_ref", SPEC, as_parsed)?;
        if let Some(first) = places.insert(spec.clone(), idx) {
            return Err(RegistryError::Duplicate { spec, first, second: idx });
        }
        fields.place = Place::Spec(spec.clone());
        specs.push((spec, fields));
    }
    let entries = specs.into_iter().map(|(spec, fields)| {
        let entry = entry(&spec, &fields, &places)?;
        Ok((spec, entry))
    });
    entries.collect()
}

fn entry(
    spec: &SpecRef,
    fields: &Fields<'_>,
    known: &BTreeMap<SpecRef, usize>,
) -> Result<SpecEntry, RegistryError> {
    for (field, part) in [("module", spec.module().as_str()), ("qualname", spec.qualname())] {
        let found = fields.get(field);
        if found.and_then(as_str).is_none_or(|text| text != part) {
            return Err(fields.wrong(field, &format!("`{part}`, as in its ref"), found));
        }
    }
    let object = fields.optional("decorator_kwargs", OBJECT, as_object)?;
    let exact_text = fields.optional("decorator_kwargs_json", STRING, as_str)?;
    // Arguments without a strict JSON form, like `nan`, may come as the text alone.
    let either = object.or_else(|| serde_json::from_str(exact_text.as_deref()?).ok());
    if either.is_some_and(json::is_too_deep) {
        let expected = format!("nested at most {} levels deep", json::MAX_DEPTH);
        return Err(fields.wrong("decorator_kwargs", &expected, either));
    }
    let kwargs = Kwargs::of_document(object, exact_text)?;
    let mut dependencies = BTreeSet::new();
    for text in fields.optional("dependencies", STRINGS, as_strs)?.unwrap_or_default() {
        let Some((dependency, _)) = known.get_key_value(&*text) else {
            return Err(RegistryError::UnknownDependency {
                spec: spec.clone(),
                dependency: text.into_owned(),
            });
        };
        dependencies.insert(dependency.clone());
    }
    Ok(SpecEntry {
        kind: fields.required("kind", KIND, as_kind)?,
        source_file: fields.required("source_file", PATH, as_file)?.into(),
        kwargs,
        dependencies: dependencies.into_iter().collect(),
        class_name: fields.optional("class_name", STRING, as_string)?,
    })
}

fn modules(document: &Fields<'_>) -> Result<BTreeMap<ModuleName, ModuleEntry>, RegistryError> {
    let members = document.optional("modules", OBJECT, as_members)?.unwrap_or_default();
    let entries = members.into_iter().map(|(name, raw)| {
        let Ok(module) = name.parse() else {
            return Err(document.wrong(
                &format!("modules.{}", shown(&name)),
                "under a module name",
                Some(raw),
            ));
        };
        let fields = Fields::of(Place::Module(name), raw)?;
        let entry = ModuleEntry {
            kind: fields.required("kind", KIND, as_kind)?,
            generated_module: fields.optional("generated_module", MODULE, as_parsed)?,
            generated_relpath: fields.optional("generated_relpath", PATH, as_file)?,
            output_base: fields.optional("output_base", PATH, as_dir)?,
            digests: digests(&fields)?,
        };
        Ok((module, entry))
    });
    entries.collect()
}

fn digests(module: &Fields<'_>) -> Result<BTreeMap<u32, Digest>, RegistryError> {
    let members = module.optional("digests", OBJECT, as_members)?.unwrap_or_default();
    let digests = members.into_iter().map(|(scheme, raw)| match (scheme.parse(), as_parsed(raw)) {
        (Ok(scheme), Some(digest)) => Ok((scheme, digest)),
        (Err(_), _) => Err(module.wrong(
            &format!("digests.{}", shown(&scheme)),
            "under the number of a scheme",
            Some(raw),
        )),
        (_, None) => Err(module.wrong(&format!("digests.{}", shown(&scheme)), DIGEST, Some(raw))),
    });
    digests.collect()
}

/// An object of the document, and what messages call it.
struct Fields<'a> {
    place: Place<'a>,
    object: Object<'a>,
}

impl<'a> Fields<'a> {
    fn of(place: Place<'a>, raw: &'a RawValue) -> Result<Self, RegistryError> {
        match Node::of(raw)? {
            Node::Object(object) => Ok(Self { place, object }),
            _ => Err(not_an_object(&place, raw)),
        }
    }

    /// Returns a field that is there and not `null`.
    fn get(&self, field: &str) -> Option<&'a RawValue> {
        self.object.get(field).filter(|raw| raw.get() != "null")
    }

    fn optional<T>(
        &self,
        field: &str,
        expected: &str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<Option<T>, RegistryError> {
        let Some(raw) = self.get(field) else { return Ok(None) };
        read(raw).map(Some).ok_or_else(|| self.wrong(field, expected, Some(raw)))
    }

    fn required<T>(
        &self,
        field: &str,
        expected: &str,
        read: impl FnOnce(&'a RawValue) -> Option<T>,
    ) -> Result<T, RegistryError> {
        self.optional(field, expected, read)?.ok_or_else(|| self.wrong(field, expected, None))
    }

    fn wrong(&self, field: &str, expected: &str, found: Option<&RawValue>) -> RegistryError {
        RegistryError::Field {
            place: self.place.to_string(),
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.map_or_else(|| "nothing".to_owned(), describe),
        }
    }
}

fn not_an_object(place: &Place<'_>, found: &RawValue) -> RegistryError {
    RegistryError::Object { place: place.to_string(), found: describe(found) }
}

/// What messages call an object of the document.
enum Place<'a> {
    Document,
    Producer,
    Settings,
    AutoTests,
    Index(usize),
    Spec(SpecRef),
    Module(Cow<'a, str>),
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("registry document"),
            Self::Producer => f.write_str("producer"),
            Self::Settings => f.write_str("settings"),
            Self::AutoTests => f.write_str("auto_tests"),
            Self::Index(idx) => write!(f, "specs[{idx}]"),
            Self::Spec(spec) => write!(f, "spec `{spec}`"),
            Self::Module(module) => write!(f, "module `{}`", shown(module)),
        }
    }
}

/// Shows a value in a message.
fn describe(raw: &RawValue) -> String {
    match raw.get().as_bytes().first() {
        Some(b'[') => "a list".to_owned(),
        Some(b'{') => "an object".to_owned(),
        _ => format!("`{}`", shown(raw.get())),
    }
}

fn as_str(raw: &RawValue) -> Option<Cow<'_, str>> {
    match Node::of(raw).ok()? {
        Node::String(text) => text.into_str(),
        _ => None,
    }
}

fn as_string(raw: &RawValue) -> Option<String> {
    as_str(raw).map(Cow::into_owned)
}

fn as_parsed<T: FromStr>(raw: &RawValue) -> Option<T> {
    as_str(raw)?.parse().ok()
}

fn as_kind(raw: &RawValue) -> Option<Kind> {
    let text = as_str(raw)?;
    [Kind::Build, Kind::Test].into_iter().find(|kind| kind.registry_str() == text)
}

fn as_list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    match Node::of(raw).ok()? {
        Node::List(items) => Some(items),
        _ => None,
    }
}

/// The objects of a list, and what else is in it.
fn as_objects(raw: &RawValue) -> Option<Vec<Result<Object<'_>, &RawValue>>> {
    // All at once takes half the time, and nearly always that is all there is to do.
    if let Ok(objects) = serde_json::from_str::<Vec<Object<'_>>>(raw.get()) {
        return Some(objects.into_iter().map(Ok).collect());
    }
    let items = as_list(raw)?.into_iter();
    Some(items.map(|raw| serde_json::from_str(raw.get()).map_err(|_| raw)).collect())
}

fn as_strs(raw: &RawValue) -> Option<Vec<Cow<'_, str>>> {
    as_list(raw)?.into_iter().map(as_str).collect()
}

fn as_strings(raw: &RawValue) -> Option<Vec<String>> {
    as_list(raw)?.into_iter().map(as_string).collect()
}

fn as_object(raw: &RawValue) -> Option<&RawValue> {
    raw.get().starts_with('{').then_some(raw)
}

fn as_members(raw: &RawValue) -> Option<Vec<(Cow<'_, str>, &RawValue)>> {
    match Node::of(raw).ok()? {
        Node::Object(members) => members
            .into_sorted()
            .into_iter()
            .filter(|(_, value)| value.get() != "null")
            .map(|(key, value)| Some((key.into_str()?, value)))
            .collect(),
        _ => None,
    }
}

/// A path that stays inside the project. `.` and empty parts go.
fn as_dir(raw: &RawValue) -> Option<Utf8PathBuf> {
    dir_of(&as_str(raw)?)
}

pub(super) fn dir_of(text: &str) -> Option<Utf8PathBuf> {
    if text.starts_with('/') || text.contains(|c: char| c == '\\' || c.is_control()) {
        return None;
    }
    let mut is_clean = true;
    for part in text.split('/') {
        match part {
            ".." => return None,
            "" | "." => is_clean = false,
            _ => {}
        }
    }
    if is_clean {
        return Some(text.into());
    }
    Some(text.split('/').filter(|part| !matches!(*part, "" | ".")).collect())
}

fn as_file(raw: &RawValue) -> Option<Utf8PathBuf> {
    as_dir(raw).filter(|path| *path != "")
}
