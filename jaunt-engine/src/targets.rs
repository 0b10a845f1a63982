//! Which modules a person means.

use jaunt_digest::{Kind, ModuleName, Registry};

/// Names less alike than this (by Jaro and Winkler, from 0 to 1) are no near matches.
const ALIKE: f64 = 0.75;

/// How many near matches are listed.
const MAX_NEAR: usize = 3;

/// Why a target cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum TargetError {
    /// No spec has this name, or no module with specs.
    #[error("there is no {} `{target}`", if target.contains(':') { "spec" } else { "module with specs" })]
    Unknown {
        target: String,
        /// Names that are like it, the most alike first.
        near: Vec<String>,
    },

    /// A module of tests where product code is built.
    #[error("`{module}` holds test specs, which `jaunt build` does not generate")]
    HoldsTests { module: ModuleName },
}

/// The modules that targets name, by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    pub(crate) build: Vec<ModuleName>,
    pub(crate) test: Vec<ModuleName>,
}

impl Targets {
    /// Finds the module of every `MODULE[:QUALNAME]`.
    pub(crate) fn resolve(registry: &Registry, targets: &[String]) -> Result<Self, TargetError> {
        let mut found = Self::default();
        for target in targets {
            let (module, qualname) = match target.split_once(':') {
                Some((module, qualname)) => (module, Some(qualname)),
                None => (target.as_str(), None),
            };
            let mut specs = registry.specs.iter().filter(|(spec, _)| {
                spec.module().as_str() == module
                    && qualname.is_none_or(|it| spec.qualname() == it || spec.definition() == it)
            });
            let Some((spec, entry)) = specs.next() else {
                let near = near_matches(registry, target);
                return Err(TargetError::Unknown { target: target.clone(), near });
            };
            match entry.kind {
                Kind::Build => found.build.push(spec.module().clone()),
                Kind::Test => found.test.push(spec.module().clone()),
            }
        }
        Ok(found)
    }

    /// Returns all of them, whatever their kind.
    pub(crate) fn into_modules(self) -> impl Iterator<Item = ModuleName> {
        self.build.into_iter().chain(self.test)
    }
}

/// Returns the names of the registry that are most like a target, of specs if it has a colon, else of modules.
fn near_matches(registry: &Registry, target: &str) -> Vec<String> {
    let has_qualname = target.contains(':');
    let mut names: Vec<String> = registry
        .specs
        .keys()
        .map(|spec| if has_qualname { spec.to_string() } else { spec.module().to_string() })
        .collect();
    names.dedup();
    let mut near: Vec<(f64, String)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(target, &name), name))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
    near.into_iter().take(MAX_NEAR).map(|(_, name)| name).collect()
}
