//! Slow path: reads value by value and locates errors.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde_json::value::RawValue;

use super::entry::{ModuleEntry, Settings, SpecEntry};
use super::error::RegistryError;
use super::fields::{
    Fields, Location, as_dir, as_file, as_kind, as_list, as_members, as_object, as_objects,
    as_parsed, as_str, as_string, as_strings, as_strs, not_an_object,
};
use super::model::Registry;
use super::specs::Specs;
use crate::digest::Digest;
use crate::json::{MAX_DEPTH, is_too_deep};
use crate::kwargs::Kwargs;
use crate::name::{ModuleName, SpecRef};
use crate::text::excerpt;

const DIGEST: &str = "a SHA-256 digest of 64 hexadecimal digits";
const KIND: &str = "`magic` or `test`";
const MODULE: &str = "a module name";
const OBJECT: &str = "an object";
const PATH: &str = "a relative path inside the project";
const SPEC: &str = "of the form `module:qualname`";
const STRING: &str = "a string";
const STRINGS: &str = "a list of strings";

/// Reads a document.
pub(super) fn document(text: &str) -> Result<Registry, RegistryError> {
    let raw = serde_json::from_str(text)?;
    let document = Fields::of(Location::Document, raw)?;
    registry(&document, || specs(&document))
}

/// Reads a document whose specs have been read already; `members` are all others of the document.
pub(super) fn with_specs(
    members: Vec<(Cow<'_, str>, &RawValue)>,
    specs: Specs,
) -> Result<Registry, RegistryError> {
    let object = members.into_iter().map(|(key, value)| (key.into(), value)).collect();
    registry(&Fields { location: Location::Document, object }, || Ok(specs))
}

/// Reads everything but the specs, which come from `specs` once the version is known to be right.
fn registry(
    document: &Fields<'_>,
    specs: impl FnOnce() -> Result<Specs, RegistryError>,
) -> Result<Registry, RegistryError> {
    let version = document.get("version");
    if version.is_none_or(|it| it.get() != "1") {
        return Err(document.wrong("version", "1", version));
    }
    let registry = Registry {
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

/// Reads the object `settings`.
fn settings(raw: &RawValue) -> Result<Settings, RegistryError> {
    let fields = Fields::of(Location::Settings, raw)?;
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

/// Reads the paths in `auto_tests`.
fn auto_tests(document: &Fields<'_>) -> Result<BTreeSet<Utf8PathBuf>, RegistryError> {
    let list = document.optional("auto_tests", "a list", as_list)?.unwrap_or_default();
    let paths = list
        .into_iter()
        .map(|raw| Fields::of(Location::AutoTests, raw)?.required("path", PATH, as_file));
    paths.collect()
}

/// Reads the list `specs`. All refs are read first, because a spec may depend on a later one.
fn specs(document: &Fields<'_>) -> Result<Specs, RegistryError> {
    let list = document.required("specs", "a list", as_objects)?;
    let mut specs = Vec::with_capacity(list.len());
    let mut positions = BTreeMap::new();
    for (idx, object) in list.into_iter().enumerate() {
        let location = Location::Index(idx);
        let object = object.map_err(|found| not_an_object(&location, found))?;
        let mut fields = Fields { location, object };
        let spec: SpecRef = fields.required("spec_ref", SPEC, as_parsed)?;
        if let Some(first) = positions.insert(spec.clone(), idx) {
            return Err(RegistryError::Duplicate { spec, first, second: idx });
        }
        fields.location = Location::Spec(spec.clone());
        specs.push((spec, fields));
    }
    let entries = specs.into_iter().map(|(spec, fields)| {
        let entry = entry(&spec, &fields, &positions)?;
        Ok((spec, entry))
    });
    entries.collect()
}

/// Reads a spec. `known` holds the refs of all specs.
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
    let kwargs = kwargs(fields)?;
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
    })
}

/// Reads the decorator's arguments.
fn kwargs(fields: &Fields<'_>) -> Result<Kwargs, RegistryError> {
    let object = fields.optional("decorator_kwargs", OBJECT, as_object)?;
    let exact_text = fields.optional("decorator_kwargs_json", STRING, as_str)?;
    // Arguments without a strict JSON form, like `nan`, may come as the text alone.
    let either = object.or_else(|| serde_json::from_str(exact_text.as_deref()?).ok());
    if either.is_some_and(is_too_deep) {
        let expected = format!("nested at most {MAX_DEPTH} levels deep");
        return Err(fields.wrong("decorator_kwargs", &expected, either));
    }
    Ok(Kwargs::of_document(object, exact_text)?)
}

/// Reads the object `modules`.
fn modules(document: &Fields<'_>) -> Result<BTreeMap<ModuleName, ModuleEntry>, RegistryError> {
    let members = document.optional("modules", OBJECT, as_members)?.unwrap_or_default();
    let entries = members.into_iter().map(|(name, raw)| {
        let Ok(module) = name.parse() else {
            let field = format!("modules.{}", excerpt(&name));
            return Err(document.wrong(&field, "under a module name", Some(raw)));
        };
        let fields = Fields::of(Location::Module(name), raw)?;
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

/// Reads the digests of a module under other schemes.
fn digests(module: &Fields<'_>) -> Result<BTreeMap<u32, Digest>, RegistryError> {
    let members = module.optional("digests", OBJECT, as_members)?.unwrap_or_default();
    let digests = members.into_iter().map(|(scheme, raw)| {
        let wrong =
            |expected| module.wrong(&format!("digests.{}", excerpt(&scheme)), expected, Some(raw));
        let number = scheme.parse().map_err(|_| wrong("under the number of a scheme"))?;
        Ok((number, as_parsed(raw).ok_or_else(|| wrong(DIGEST))?))
    });
    digests.collect()
}
