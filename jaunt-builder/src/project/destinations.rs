//! Where the code of each module goes.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{GeneratedPath, Layout, LayoutError, ModuleEntry, ModuleName, Registry};
use unicode_normalization::UnicodeNormalization as _;

use super::module_specs::ModuleSpecs;
use crate::error::ProjectError;
use crate::index::{ModuleIdx, Table};

/// Where the code of a module goes.
pub(super) struct Destination {
    pub(super) generated_module: ModuleName,
    pub(super) path: GeneratedPath,
}

/// Returns the destination of every module of the registry, whatever its kind: they share
/// directories.
pub(super) fn destinations(
    registry: &Registry,
    layout: &Layout,
    modules: &Table<ModuleIdx, ModuleSpecs<'_>>,
) -> Result<Table<ModuleIdx, Destination>, ProjectError> {
    let modules = modules.rows();
    let given = |module: &ModuleSpecs<'_>| registry.modules.get(module.name);
    let generated: Vec<ModuleName> = modules
        .iter()
        .map(|module| {
            let given = given(module).and_then(|it| it.generated_module.clone());
            given.unwrap_or_else(|| layout.generated_module(module.name))
        })
        .collect();
    let packages = packages(&generated);

    let mut found = Vec::with_capacity(modules.len());
    for (module, generated_module) in modules.iter().zip(generated.iter().cloned()) {
        let is_package = packages.contains(generated_module.as_str());
        let source_file = &registry.specs.entry_at(module.specs.start.0).source_file;
        let given = given(module);
        match path(given, layout, module.name, &generated_module, source_file, is_package) {
            Ok(path) => found.push(Destination { generated_module, path }),
            Err(source) => {
                let error = ProjectError::Layout { module: module.name.clone(), source };
                return Err(collision(modules, &found).unwrap_or(error));
            }
        }
    }
    match collision(modules, &found) {
        Some(error) => Err(error),
        None => Ok(found.into()),
    }
}

/// Returns the names of all packages that these modules are in.
fn packages(modules: &[ModuleName]) -> BTreeSet<&str> {
    let mut packages = BTreeSet::new();
    let mut last = "";
    for module in modules {
        let mut name = module.as_str();
        while let Some((parent, _)) = name.rsplit_once('.') {
            // Most modules are in the package of the one before, whose parents are known too.
            if parent == last || !packages.insert(parent) {
                break;
            }
            name = parent;
        }
        last = module.as_str().rsplit_once('.').map_or("", |(parent, _)| parent);
    }
    packages
}

/// Finds the first module, in order of name, whose code would be the same file as that of one before.
fn collision(modules: &[ModuleSpecs<'_>], found: &[Destination]) -> Option<ProjectError> {
    let folded: Vec<String> = found.iter().map(|it| folded(it.path.path())).collect();
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_unstable_by(|left, right| folded[*left].cmp(&folded[*right]).then(left.cmp(right)));
    let twins = order.array_windows().filter(|[left, right]| folded[*left] == folded[*right]);
    let [left, right] = twins.copied().min_by_key(|[_, right]| *right)?;
    let (first, second) = (modules[left].name.clone(), modules[right].name.clone());
    let (first_path, path) =
        (found[left].path.path().to_owned(), found[right].path.path().to_owned());
    Some(if first_path == path {
        ProjectError::Collision { path, first, second }
    } else {
        ProjectError::Lookalike { first, second, first_path, second_path: path }
    })
}

/// Returns a path without the differences that some file systems do not make.
fn folded(path: &Utf8Path) -> String {
    if path.as_str().is_ascii() {
        return path.as_str().to_ascii_lowercase();
    }
    path.as_str().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

fn path(
    given: Option<&ModuleEntry>,
    layout: &Layout,
    name: &ModuleName,
    generated_module: &ModuleName,
    source_file: &Utf8Path,
    is_package: bool,
) -> Result<GeneratedPath, LayoutError> {
    let base = match given.and_then(|it| it.output_base.clone()) {
        Some(base) => base,
        None => layout.base_of(source_file, name)?,
    };
    let relpath = match given.and_then(|it| it.generated_relpath.clone()) {
        Some(relpath) if is_package => as_package(&relpath).unwrap_or(relpath),
        Some(relpath) => relpath,
        None => layout.generated_relpath(generated_module, is_package),
    };
    layout.generated_path(&base, &relpath)
}

/// Returns `x/b.py` as `x/b/__init__.py`; `None` if it is a package already.
fn as_package(relpath: &Utf8Path) -> Option<Utf8PathBuf> {
    let stem = relpath.file_stem().filter(|stem| *stem != "__init__")?;
    Some(relpath.with_file_name(stem).join("__init__.py"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_folded_as_file_systems_fold_them() {
        let fold = |path: &str| folded(Utf8Path::new(path));
        for (left, right) in [
            ("app/Cart.py", "app/cart.py"),
            ("app/caf\u{e9}.py", "app/cafe\u{301}.py"),
            ("app/\u{ff43}art.py", "app/cart.py"),
            ("app/\u{fb01}t.py", "app/fit.py"),
            ("app/\u{c9}t\u{e9}.py", "app/\u{e9}t\u{e9}.py"),
        ] {
            assert_eq!(fold(left), fold(right));
        }
        // A letter of another script is another letter.
        assert_ne!(fold("app/c\u{430}rt.py"), fold("app/cart.py"));
    }
}
