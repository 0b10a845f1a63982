//! Finds generated files, also those whose specs are gone.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Header, Kind, ModuleName};
use jaunt_write::{Tree, WriteError, walk};

use crate::on_disk::{OnDisk, is_generated};
use crate::survey::Survey;

/// What is below the generated directories of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneratedFiles {
    /// Each generated directory, relative to the project root, with what is in it.
    pub trees: BTreeMap<Utf8PathBuf, GeneratedTree>,
}

/// What is in one generated directory; paths are relative to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GeneratedTree {
    /// Files with jaunt's header that belong to a module of the project.
    pub current: Vec<Utf8PathBuf>,
    /// Files with jaunt's header that belong to none.
    pub orphans: Vec<Utf8PathBuf>,
    /// Those of them that are tests.
    pub orphaned_tests: BTreeSet<Utf8PathBuf>,
    /// Temporary files of runs that were killed.
    pub leftovers: Vec<Utf8PathBuf>,
    /// Empty `__init__.py` files.
    pub inits: Vec<Utf8PathBuf>,
    /// All other files: a person's, or those that Python's jaunt keeps beside its modules.
    pub others: Vec<Utf8PathBuf>,
}

impl GeneratedFiles {
    /// Returns all orphans, in order of path.
    pub fn orphans(&self) -> impl Iterator<Item = Orphan> {
        self.trees.iter().flat_map(|(tree, it)| {
            it.orphans.iter().map(|file| Orphan {
                path: tree.join(file),
                kind: if it.orphaned_tests.contains(file) { Kind::Test } else { Kind::Build },
            })
        })
    }
}

/// A generated file that belongs to no module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Where it is, relative to the project root.
    pub path: Utf8PathBuf,
    /// What its header says it is.
    pub kind: Kind,
}

/// Where to look for generated files, and what is known about them already.
#[derive(Clone, Copy, Debug)]
pub struct FindOptions<'a> {
    /// Directories to look in, relative to the project root. What does not exist is passed over.
    pub roots: &'a [String],
    /// The name of generated directories.
    pub generated_dir: &'a str,
    /// Files that are not orphans although they belong to no module, relative to the project root.
    pub also_expected: &'a BTreeSet<Utf8PathBuf>,
    /// What was found at the destinations of modules, so that it is not read again.
    pub known: Option<&'a BTreeMap<ModuleName, OnDisk>>,
}

/// Finds every generated directory of a project and sorts what is in it.
///
/// Links are not followed. [`walk`] says which directories are never looked into; a root that is a
/// virtual environment is not either.
///
/// # Errors
///
/// Fails if a directory or a generated file cannot be read.
pub fn find_generated(
    survey: &Survey,
    options: &FindOptions<'_>,
) -> Result<GeneratedFiles, WriteError> {
    let mut paths = BTreeSet::new();
    for root in options.roots {
        find_trees(survey.root(), Utf8Path::new(root), options.generated_dir, &mut paths)?;
    }
    // A module may have its code outside the roots.
    paths.extend(survey.modules().values().map(|module| module.destination.tree().to_owned()));
    // By path, and whether it is known to have our header. A path would compare part by part.
    let modules = survey.modules().iter().map(|(name, module)| {
        let known = options.known.and_then(|known| known.get(name));
        (module.destination.path().as_str(), matches!(known, Some(OnDisk::Ours(_))))
    });
    let expected: BTreeMap<&str, bool> =
        options.also_expected.iter().map(|path| (path.as_str(), false)).chain(modules).collect();

    let mut generated = GeneratedFiles::default();
    for path in paths {
        match Tree::open(survey.root(), &path) {
            Ok(Some(tree)) => {
                let found = sort_files(&tree, &expected)?;
                generated.trees.insert(path, found);
            }
            Ok(None) => {}
            // A link in place of the directory is not followed. The modules that belong there are
            // unreadable, and the plan says so.
            Err(err) if err.is_refusal() => {}
            Err(err) => return Err(err),
        }
    }
    Ok(generated)
}

fn sort_files(tree: &Tree, expected: &BTreeMap<&str, bool>) -> Result<GeneratedTree, WriteError> {
    let listing = tree.list()?;
    let mut found = GeneratedTree { leftovers: listing.leftovers, ..GeneratedTree::default() };
    for file in listing.files {
        if file.extension() != Some("py") {
            found.others.push(file);
            continue;
        }
        let known = expected.get(tree.path().join(&file).as_str());
        if known == Some(&true) {
            found.current.push(file);
            continue;
        }
        // Gone meanwhile, or not a file that could be an orphan.
        let Ok(Some(bytes)) = tree.read(&file) else { continue };
        if is_generated(&bytes) {
            if known.is_some() {
                found.current.push(file);
                continue;
            }
            if is_test(&bytes) {
                found.orphaned_tests.insert(file.clone());
            }
            found.orphans.push(file);
        } else if bytes.is_empty() && file.file_name() == Some("__init__.py") {
            found.inits.push(file);
        } else {
            found.others.push(file);
        }
    }
    Ok(found)
}

/// Checks whether the header of a generated file says that it holds tests.
fn is_test(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    Header::parse(&text).is_some_and(|header| header.kind() == Some(Kind::Test))
}

/// Looks for directories of this name, which may be many.
fn find_trees(
    root: &Utf8Path,
    start: &Utf8Path,
    generated_dir: &str,
    found: &mut BTreeSet<Utf8PathBuf>,
) -> Result<(), WriteError> {
    for dir in walk(root, start, |dir| dir.file_name() != Some(generated_dir)) {
        let dir = dir?;
        // It holds other people's packages.
        if dir.is_virtual_env() {
            break;
        }
        if dir.directories.iter().any(|name| name == generated_dir) {
            found.insert(dir.path.join(generated_dir));
        }
    }
    Ok(())
}
