//! What pytest has to be told so that generated tests can be imported.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_builder::{Project, SpecModule};
use jaunt_digest::Kind;

use crate::select::TestFile;

/// Returns the folders that imports start from: first those of product code, then those of tests.
pub(crate) fn python_path(project: &Project, source_roots: &[String]) -> Vec<Utf8PathBuf> {
    let bases = |kind| project.of_kind(kind).map(|(_, module)| base(module));
    let roots = source_roots.iter().map(Utf8PathBuf::from);
    let mut seen = BTreeSet::new();
    roots
        .chain(bases(Kind::Build))
        .chain(bases(Kind::Test))
        .map(|dir| {
            project.root().join(dir).components().filter(|part| part.as_str() != ".").collect()
        })
        .filter(|dir: &Utf8PathBuf| seen.insert(dir.clone()))
        .collect()
}

/// Returns the folder from which a module is imported: what is left of its generated directory without the
/// packages above it.
fn base(module: &SpecModule) -> Utf8PathBuf {
    let tree = module.destination.tree();
    let dir = tree.file_name().unwrap_or_default();
    let packages = module.generated_module.parts().take_while(|part| *part != dir).count();
    tree.ancestors().nth(packages + 1).unwrap_or(Utf8Path::new("")).to_owned()
}

/// Options that make generated tests importable where pytest's default would fail.
///
/// By default pytest names a test module after the highest folder with an `__init__.py`. When the
/// folder above `__generated__` has none, that name begins with `__generated__`, and of two such
/// folders (that of another test root, or of a product module without a package) Python can import
/// only one. The option for namespace packages is known to pytest from 8.1 on and ignored before;
/// until then `importlib` alone does it.
pub(crate) fn import_options(
    project: &Project,
    files: &[TestFile],
    args: &[String],
) -> Vec<String> {
    let is_chosen = args.iter().any(|arg| arg.starts_with("--import-mode"));
    let is_bare = |tree: &Utf8Path| {
        let above = tree.parent().unwrap_or(tree);
        !project.root().join(above).join("__init__.py").exists()
    };
    let trees = |kind| project.of_kind(kind).map(|(_, module)| module.destination.tree());
    let top_level: BTreeSet<&Utf8Path> = project
        .of_kind(Kind::Build)
        .filter(|(_, module)| {
            module.generated_module.parts().next() == module.destination.tree().file_name()
        })
        .map(|(_, module)| module.destination.tree())
        .chain(trees(Kind::Test).filter(|tree| is_bare(tree)))
        .collect();
    let runs_bare = files
        .iter()
        .map(|file| project.module(&file.module).destination.tree())
        .any(|tree| top_level.contains(tree));
    if is_chosen || top_level.len() < 2 || !runs_bare {
        return Vec::new();
    }
    ["--import-mode=importlib", "-o", "consider_namespace_packages=true"]
        .map(str::to_owned)
        .to_vec()
}
