//! Paths that stay inside a directory of generated modules.

use std::sync::Arc;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// The path of a generated file: always inside a directory of generated modules. A clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GeneratedPath {
    /// Relative to the project root.
    path: Arc<Utf8Path>,
    /// The length in bytes of the directory of generated modules, with which the path begins.
    tree_len: usize,
}

impl GeneratedPath {
    /// Joins the directory of generated modules and the components of the file.
    pub(super) fn new<'a>(
        tree: Utf8PathBuf,
        file: impl IntoIterator<Item = Utf8Component<'a>>,
    ) -> Self {
        let tree_len = tree.as_str().len();
        let path = file.into_iter().fold(tree, |path, part| path.join(part));
        Self { path: path.into(), tree_len }
    }

    /// Returns the directory of generated modules, relative to the project root.
    pub fn tree(&self) -> &Utf8Path {
        self.path.as_str()[..self.tree_len].into()
    }

    /// Returns the file, relative to [`tree`](Self::tree).
    pub fn file(&self) -> &Utf8Path {
        self.path.as_str()[self.tree_len + 1..].into()
    }

    /// Returns the file, relative to the project root.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Returns the other file that the module could be: `b/__init__.py` for `b.py`, and the reverse.
    ///
    /// `None` for the directory of generated modules itself, which is always a package.
    pub fn other_shape(&self) -> Option<Self> {
        let file = self.file();
        let other = match file.as_str().strip_suffix(".py")? {
            "__init__" => return None,
            stem => match stem.strip_suffix("/__init__") {
                Some(dir) => format!("{dir}.py"),
                None => format!("{stem}/__init__.py"),
            },
        };
        let path = self.tree().join(other);
        check_components(&path).ok()?;
        Some(Self { path: path.into(), tree_len: self.tree_len })
    }

    /// Returns the `__init__.py` files that an import of the file needs, relative to
    /// [`tree`](Self::tree), outermost first. The file itself is not among them.
    pub fn package_inits(&self) -> Vec<Utf8PathBuf> {
        let mut dirs: Vec<&Utf8Path> = self.file().ancestors().skip(1).collect();
        dirs.reverse();
        let inits = dirs.into_iter().map(|dir| dir.join("__init__.py"));
        inits.filter(|init| init != self.file()).collect()
    }
}

/// Checks that a path is relative and has only plain components; the error is the reason.
pub(super) fn check_components(path: &Utf8Path) -> Result<(), &'static str> {
    if path.as_str().starts_with('/') {
        return Err("the path is absolute");
    }
    for part in path.as_str().split('/') {
        match part {
            "" => return Err("a path component is empty"),
            "." | ".." => return Err("a path component is `.` or `..`"),
            // No common file system allows longer names.
            _ if part.len() > 255 => return Err("a path component has more than 255 bytes"),
            _ if part.contains('\\') => return Err("the path contains a backslash"),
            _ if part.contains(char::is_control) => {
                return Err("the path contains a control character");
            }
            _ => {}
        }
    }
    Ok(())
}
