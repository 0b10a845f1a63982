//! A project in parts, so that a plan can be made of those that a change can reach.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{
    Digest, Kind, Kwargs, Layout, ModuleEntry, ModuleName, Registry, SpecEntry, SpecRef,
};
use serde::{Deserialize, Serialize};

use crate::project::Project;

const HEAD: &str = "jaunt-parts 2";

/// The index of a project's product modules: what each is made from, and who depends on it.
///
/// It is [bound](crate::Evidence::bind) to evidence that every module was fresh. The first line is
/// the version, the second the name of generated directories. Then one line for each module, in order
/// of name: its source files, its output, the place and digest of its
/// part in the other text, the numbers of the lines that depend on it, and of those it depends on.
#[derive(Debug)]
pub struct Parts {
    text: String,
}

/// The texts of a project in parts.
#[derive(Debug)]
pub struct PartTexts {
    /// For [`Parts::from_text`].
    pub index: String,
    /// What the index points into.
    pub parts: Vec<u8>,
}

/// One module: what the registry says of it, and what came of that.
#[derive(Serialize, Deserialize)]
struct Part {
    generated_module: ModuleName,
    output: Utf8PathBuf,
    digests: BTreeMap<u32, String>,
    specs: Vec<PartSpec>,
}

#[derive(Serialize, Deserialize)]
struct PartSpec {
    spec: SpecRef,
    source_file: Utf8PathBuf,
    kwargs: Kwargs,
    dependencies: Vec<SpecRef>,
    graph: String,
}

/// A line of the index.
#[derive(Clone, Copy)]
struct Line<'a> {
    sources: &'a str,
    output: &'a str,
    at: usize,
    len: usize,
    digest: &'a str,
    dependents: &'a str,
    dependencies: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split('\t');
        let mut next = || fields.next();
        Some(Self {
            sources: next()?,
            output: next()?,
            at: next()?.parse().ok()?,
            len: next()?.parse().ok()?,
            digest: next()?,
            dependents: next()?,
            dependencies: next()?,
        })
    }

    fn numbers(list: &str) -> Option<Vec<usize>> {
        list.split(',').filter(|it| !it.is_empty()).map(|it| it.parse().ok()).collect()
    }

    fn has_file(&self, path: &str) -> bool {
        self.output == path || self.sources.split('\u{1f}').any(|source| source == path)
    }
}

impl PartTexts {
    /// Takes a project apart. None where that cannot be done: it is a matter of speed alone.
    pub fn of(project: &Project, registry: &Registry) -> Option<Self> {
        let modules: Vec<_> = project.of_kind(Kind::Build).collect();
        let generated_dir = modules.first()?.1.output.tree().file_name()?;
        let layout = Layout::new(generated_dir).ok()?;
        let number: BTreeMap<&ModuleName, usize> =
            modules.iter().enumerate().map(|(idx, (name, _))| (*name, idx)).collect();
        let mut dependents: Vec<Vec<String>> = vec![Vec::new(); modules.len()];
        let mut dependencies = dependents.clone();
        for (idx, (_, module)) in modules.iter().enumerate() {
            for dep in &module.dependencies {
                let dep = *number.get(dep)?;
                dependents[dep].push(idx.to_string());
                dependencies[idx].push(dep.to_string());
            }
        }

        let mut lines = Vec::with_capacity(modules.len());
        let mut parts = Vec::new();
        for (idx, (name, module)) in modules.iter().enumerate() {
            let output = module.output.path().to_owned();
            let is_plain = layout
                .generated_path(Utf8Path::new(""), &output)
                .is_ok_and(|place| place == module.output);
            let specs: Option<Vec<PartSpec>> = module
                .specs
                .iter()
                .map(|spec| {
                    let entry = project.spec(spec)?.clone();
                    Some(PartSpec {
                        spec: spec.clone(),
                        source_file: entry.source_file.to_path_buf(),
                        kwargs: entry.kwargs,
                        dependencies: entry.dependencies,
                        graph: project.graph(spec).to_string(),
                    })
                })
                .collect();
            let specs = specs?;
            let sources: BTreeSet<&str> = specs.iter().map(|it| it.source_file.as_str()).collect();
            let sources = sources.into_iter().collect::<Vec<_>>().join("\u{1f}");
            let given = registry.modules.get(*name);
            let digests = given.into_iter().flat_map(|it| &it.digests);
            let part = Part {
                generated_module: module.generated_module.clone(),
                output: output.clone(),
                digests: digests.map(|(scheme, it)| (*scheme, it.to_string())).collect(),
                specs,
            };
            let at = parts.len();
            serde_json::to_writer(&mut parts, &part).ok()?;
            let (len, digest) = (parts.len() - at, Digest::of(&parts[at..]));
            let line = format!(
                "{sources}\t{output}\t{at}\t{len}\t{digest}\t{}\t{}",
                dependents[idx].join(","),
                dependencies[idx].join(",")
            );
            if !is_plain || line.contains('\n') || line.matches('\t').count() != 6 {
                return None;
            }
            lines.push(line);
        }
        let index = format!("{HEAD}\n{generated_dir}\n{}", lines.join("\n"));
        Some(Self { index, parts })
    }
}

impl Parts {
    /// Takes the index; none where it is of another version.
    pub fn from_text(text: String) -> Option<Self> {
        text.starts_with(HEAD).then_some(Self { text })
    }

    /// The part of the project that a change of these files can reach, with what it stands on.
    ///
    /// Everything that depends on a module with one of the files is in it, and the direct
    /// dependencies of those, whose own dependencies are left out: their digests are known. A plan
    /// of it is the plan of the project for every module that can be stale. `read` gives a range of
    /// the other text. None where it is not worth while, or anything does not fit: then the whole
    /// project has to be loaded.
    pub fn reached(
        &self,
        root: &Utf8Path,
        files: &[Utf8PathBuf],
        mut read: impl FnMut(usize, usize) -> Option<Vec<u8>>,
    ) -> Option<Project> {
        let mut lines = self.text.split('\n').skip(1);
        let layout = Layout::new(lines.next()?).ok()?;
        let lines: Vec<&str> = lines.collect();
        let mut reached = BTreeSet::new();
        let mut pending = Vec::new();
        for file in files {
            let mut is_known = false;
            for (idx, line) in lines.iter().enumerate() {
                // The paths come first, so this seldom has to look into the line.
                if line.contains(file.as_str()) && Line::parse(line)?.has_file(file.as_str()) {
                    pending.push(idx);
                    is_known = true;
                }
            }
            if !is_known {
                return None;
            }
        }
        while let Some(idx) = pending.pop() {
            if reached.insert(idx) {
                pending.extend(Line::numbers(Line::parse(lines.get(idx)?)?.dependents)?);
            }
        }
        if reached.len() > lines.len() / 8 + 16 {
            return None;
        }

        let mut part = |line: Line<'_>| {
            let bytes = read(line.at, line.len)?;
            (Digest::of(&bytes).to_string() == line.digest).then_some(())?;
            serde_json::from_slice::<Part>(&bytes).ok()
        };
        let mut registry = Registry::default();
        let mut specs = Vec::new();
        let mut below = BTreeSet::new();
        for idx in &reached {
            let line = Line::parse(lines[*idx])?;
            below.extend(Line::numbers(line.dependencies)?);
            part(line)?.add_to(&mut registry, &mut specs)?;
        }
        let mut known = BTreeMap::new();
        for idx in below.difference(&reached) {
            let mut part = part(Line::parse(lines.get(*idx)?)?)?;
            for spec in &mut part.specs {
                spec.dependencies.clear();
                known.insert(spec.spec.clone(), spec.graph.parse().ok()?);
            }
            part.add_to(&mut registry, &mut specs)?;
        }
        registry.specs = specs.into_iter().collect();
        Project::load_part(root, &registry, &layout, &known).ok()
    }
}

impl Part {
    fn add_to(self, registry: &mut Registry, specs: &mut Vec<(SpecRef, SpecEntry)>) -> Option<()> {
        let digests = self.digests.into_iter().map(|(scheme, it)| Some((scheme, it.parse().ok()?)));
        let module = self.specs.first()?.spec.module().clone();
        let entry = ModuleEntry {
            kind: Kind::Build,
            generated_module: Some(self.generated_module),
            generated_relpath: Some(self.output),
            output_base: Some(Utf8PathBuf::new()),
            digests: digests.collect::<Option<_>>()?,
        };
        registry.modules.insert(module, entry);
        for spec in self.specs {
            let entry = SpecEntry {
                kind: Kind::Build,
                source_file: spec.source_file.into(),
                kwargs: spec.kwargs,
                dependencies: spec.dependencies,
            };
            specs.push((spec.spec, entry));
        }
        Some(())
    }
}
