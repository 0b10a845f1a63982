//! What the registry says about one module, and what came of that: enough to load it again.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use jaunt_builder::{SpecModule, Survey};
use jaunt_digest::{Digest, Kind, Kwargs, ModuleEntry, ModuleName, Registry, SpecEntry, SpecRef};
use serde::{Deserialize, Serialize};

/// One product module.
#[derive(Serialize, Deserialize)]
pub(crate) struct Record {
    generated_module: ModuleName,
    #[serde(rename = "output")]
    destination: Utf8PathBuf,
    digests: BTreeMap<u32, String>,
    specs: Vec<SpecRecord>,
}

#[derive(Serialize, Deserialize)]
struct SpecRecord {
    spec: SpecRef,
    source_file: Utf8PathBuf,
    kwargs: Kwargs,
    dependencies: Vec<SpecRef>,
    /// The digest of the spec and all that it depends on.
    graph: String,
}

impl Record {
    /// Returns the record of a module; `None` if a spec of it was not loaded.
    pub(crate) fn of(
        survey: &Survey,
        registry: &Registry,
        name: &ModuleName,
        module: &SpecModule,
    ) -> Option<Self> {
        let spec_record = |spec: &SpecRef| {
            let entry = survey.spec(spec)?.clone();
            Some(SpecRecord {
                spec: spec.clone(),
                source_file: entry.source_file.to_path_buf(),
                kwargs: entry.kwargs,
                dependencies: entry.dependencies,
                graph: survey.graph_digest(spec)?.to_string(),
            })
        };
        let digests = registry.modules.get(name).into_iter().flat_map(|it| &it.digests);
        Some(Self {
            generated_module: module.generated_module.clone(),
            destination: module.destination.path().to_owned(),
            digests: digests.map(|(scheme, it)| (*scheme, it.to_string())).collect(),
            specs: module.specs.iter().map(spec_record).collect::<Option<_>>()?,
        })
    }

    /// Returns the source files of the specs, sorted.
    pub(crate) fn sources(&self) -> Vec<&str> {
        let sources: BTreeSet<&str> = self.specs.iter().map(|it| it.source_file.as_str()).collect();
        sources.into_iter().collect()
    }

    /// Forgets the dependencies of the specs, and adds to `known` the digests that cover them.
    pub(crate) fn cut_off(&mut self, known: &mut BTreeMap<SpecRef, Digest>) -> Option<()> {
        for spec in &mut self.specs {
            spec.dependencies.clear();
            known.insert(spec.spec.clone(), spec.graph.parse().ok()?);
        }
        Some(())
    }

    /// Adds the module to a registry whose specs are collected beside it.
    pub(crate) fn add_to(
        self,
        registry: &mut Registry,
        specs: &mut Vec<(SpecRef, SpecEntry)>,
    ) -> Option<()> {
        let digests = self.digests.into_iter().map(|(scheme, it)| Some((scheme, it.parse().ok()?)));
        let module = self.specs.first()?.spec.module().clone();
        let entry = ModuleEntry {
            kind: Kind::Build,
            generated_module: Some(self.generated_module),
            generated_relpath: Some(self.destination),
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
