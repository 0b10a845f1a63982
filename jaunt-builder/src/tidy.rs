//! Generated files whose specs are gone.

use std::collections::{BTreeMap, BTreeSet};
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Header, Kind, ModuleName};
use jaunt_write::{Tree, WriteError};

use crate::output::{Output, is_generated};
use crate::project::Project;

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
    /// All orphans, in order of path.
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

/// Why generated files could not be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TidyError {
    /// A directory below a root cannot be listed.
    #[error("cannot list `{path}`")]
    List {
        /// The directory, relative to the project root.
        path: Utf8PathBuf,
        /// What the operating system said.
        source: io::Error,
    },

    /// Something in a generated directory cannot be read.
    #[error(transparent)]
    Tree(#[from] WriteError),
}

/// Finds every generated directory below the roots and sorts what is in it.
///
/// Roots are relative to the project; what does not exist is passed over. A file in `also_expected`
/// is no orphan although it belongs to no module. Links are not followed, and
/// neither hidden folders nor virtual environments are looked into.
///
/// # Errors
///
/// When a directory or a generated file cannot be read.
pub fn find_generated(
    project: &Project,
    roots: &[String],
    generated_dir: &str,
    also_expected: &BTreeSet<Utf8PathBuf>,
) -> Result<GeneratedFiles, TidyError> {
    find_generated_beside(project, &BTreeMap::new(), roots, generated_dir, also_expected)
}

/// The same for a project whose [outputs](crate::read_outputs) are known: they are not read again.
///
/// # Errors
///
/// As [`find_generated`].
pub fn find_generated_beside(
    project: &Project,
    outputs: &BTreeMap<ModuleName, Output>,
    roots: &[String],
    generated_dir: &str,
    also_expected: &BTreeSet<Utf8PathBuf>,
) -> Result<GeneratedFiles, TidyError> {
    let mut paths = BTreeSet::new();
    for root in roots {
        find_trees(project.root(), Utf8Path::new(root), generated_dir, &mut paths)?;
    }
    // A module may have its code outside the roots.
    paths.extend(project.modules().values().map(|module| module.output.tree().to_owned()));
    // By path, and whether it is known to have our header. A path would compare part by part.
    let modules = project.modules().iter().map(|(name, module)| {
        let is_ours = matches!(outputs.get(name), Some(Output::Ours(_)));
        (module.output.path().as_str(), is_ours)
    });
    let expected: BTreeMap<&str, bool> =
        also_expected.iter().map(|path| (path.as_str(), false)).chain(modules).collect();

    let mut generated = GeneratedFiles::default();
    for path in paths {
        match Tree::open(project.root(), &path) {
            Ok(Some(tree)) => {
                let found = sort(&tree, &expected)?;
                generated.trees.insert(path, found);
            }
            Ok(None) => {}
            // A link in place of the directory: what is behind it is nobody's business here, and
            // the modules that belong there say so themselves.
            Err(err) if err.is_refusal() => {}
            Err(err) => return Err(err.into()),
        }
    }
    Ok(generated)
}

fn sort(tree: &Tree, expected: &BTreeMap<&str, bool>) -> Result<GeneratedTree, WriteError> {
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
        // Gone meanwhile, or nothing that anybody could call an orphan.
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

/// Whether the header of a generated file says that it holds tests.
fn is_test(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    Header::parse(&text).is_some_and(|header| header.kind() == Some(Kind::Test))
}

/// Looks for directories of this name, without recursion and without following links.
fn find_trees(
    root: &Utf8Path,
    start: &Utf8Path,
    generated_dir: &str,
    found: &mut BTreeSet<Utf8PathBuf>,
) -> Result<(), TidyError> {
    let mut pending = vec![normalize(start)];
    while let Some(dir) = pending.pop() {
        let path = root.join(&dir);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(err)
                if matches!(err.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
            {
                continue;
            }
            Err(source) => return Err(TidyError::List { path: dir, source }),
        };
        let mut below = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| TidyError::List { path: dir.clone(), source })?;
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name == "pyvenv.cfg" {
                // A virtual environment holds other people's packages.
                below.clear();
                break;
            }
            if !is_dir || name.starts_with('.') || name == "__pycache__" || name == "node_modules" {
                continue;
            }
            if name == generated_dir {
                found.insert(dir.join(name));
            } else {
                below.push(dir.join(name));
            }
        }
        pending.extend(below);
    }
    Ok(())
}

/// `./src/` as `src`.
fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    path.components().filter(|part| part.as_str() != ".").collect()
}
