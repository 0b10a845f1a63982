//! Which specs of a registry belong to one module.

use std::ops::Range;

use jaunt_digest::{Kind, ModuleName, Specs};

use crate::error::ProjectError;
use crate::index::{ModuleIdx, SpecIdx, Table};

/// The specs of one module.
pub(super) struct ModuleSpecs<'a> {
    pub(super) name: &'a ModuleName,
    pub(super) kind: Kind,
    /// Refs begin with the name of their module, so they stand together.
    pub(super) specs: Range<SpecIdx>,
}

/// Returns the modules with specs, in order of name.
pub(super) fn module_specs(
    specs: &Specs,
) -> Result<Table<ModuleIdx, ModuleSpecs<'_>>, ProjectError> {
    let mut modules: Vec<ModuleSpecs<'_>> = Vec::new();
    for (idx, (spec, entry)) in specs.iter().enumerate() {
        match modules.last_mut() {
            Some(module) if module.name == spec.module() => {
                if module.kind != entry.kind {
                    return Err(ProjectError::MixedKinds { module: spec.module().clone() });
                }
                module.specs.end = SpecIdx(idx + 1);
            }
            _ => {
                let specs = SpecIdx(idx)..SpecIdx(idx + 1);
                modules.push(ModuleSpecs { name: spec.module(), kind: entry.kind, specs });
            }
        }
    }
    modules.sort_unstable_by_key(|module| module.name);
    Ok(modules.into())
}
