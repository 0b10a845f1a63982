//! Where generated modules belong.

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use self::path::check_components;
use crate::name::ModuleName;
use crate::text::{excerpt, is_identifier};

mod path;

pub use self::path::GeneratedPath;

/// The name of the directory of generated modules, and the names and paths that follow from it.
///
/// ```
/// use jaunt_digest::Layout;
///
/// let layout = Layout::new("__generated__")?;
/// let generated = layout.generated_module(&"shop.cart".parse()?);
/// assert_eq!(generated.as_str(), "shop.__generated__.cart");
/// let relpath = layout.generated_relpath(&generated, false);
/// let path = layout.generated_path("src".into(), &relpath)?;
/// assert_eq!(path.path(), "src/shop/__generated__/cart.py");
/// assert!(layout.generated_path("..".into(), &relpath).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    generated_dir: String,
}

/// Why a generated module cannot be given a name or a path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum LayoutError {
    /// The name of the directory of generated modules is not a Python identifier.
    #[error(
        "`{}` cannot be the directory of generated modules: it must be one identifier",
        excerpt(.name)
    )]
    GeneratedDir { name: String },

    /// A module's source file is not where the module's name says.
    #[error(
        "source file `{}` does not end in `{expected}.py` or `{expected}/__init__.py`, \
         as module `{module}` requires",
        excerpt(.source_file.as_str())
    )]
    Base { source_file: Utf8PathBuf, module: ModuleName, expected: String },

    /// A path that code must not be generated into.
    #[error("cannot generate into `{}`: {reason}", excerpt(.path.as_str()))]
    Path { path: Utf8PathBuf, reason: &'static str },
}

impl Layout {
    /// Creates a layout from the name of the directory, usually `__generated__`.
    ///
    /// # Errors
    ///
    /// If the name is not a Python identifier: generated modules are imported through it.
    pub fn new(generated_dir: &str) -> Result<Self, LayoutError> {
        let name = generated_dir.to_owned();
        if is_identifier(generated_dir) {
            Ok(Self { generated_dir: name })
        } else {
            Err(LayoutError::GeneratedDir { name })
        }
    }

    /// Returns the module that is generated for a spec module.
    ///
    /// The directory follows the first part: `a.b.c` gives `a.__generated__.b.c`. A top-level module
    /// `a` gives `__generated__.a`. A generated module gives itself.
    pub fn generated_module(&self, module: &ModuleName) -> ModuleName {
        let dir = self.generated_dir.as_str();
        let mut parts = module.parts();
        let first = parts.next().expect("a module name has a part");
        match parts.clone().next() {
            _ if first == dir => module.clone(),
            None => ModuleName::join([dir, first]),
            Some(second) if second == dir => module.clone(),
            Some(_) => ModuleName::join([first, dir].into_iter().chain(parts)),
        }
    }

    /// Returns the file of a *generated* module, relative to the directory it is imported from.
    ///
    /// With `is_package` that is an `__init__.py`, as a module needs that has other generated modules
    /// below it. The directory itself, and a top-level module, is always a package.
    pub fn generated_relpath(&self, generated: &ModuleName, is_package: bool) -> Utf8PathBuf {
        let path: Utf8PathBuf = generated.parts().collect();
        let is_dir = generated.parts().next_back() == Some(&self.generated_dir)
            && generated.parts().next() != Some(&self.generated_dir);
        if is_package || is_dir || generated.parts().count() == 1 {
            path.join("__init__.py")
        } else {
            Utf8PathBuf::from(format!("{path}.py"))
        }
    }

    /// Returns the directory that a module is imported from, given its source file.
    ///
    /// The source file of `a.b.c` must end in `a/b/c.py` or `a/b/c/__init__.py`. What stands before
    /// that is the directory; it may be empty.
    ///
    /// # Errors
    ///
    /// If the file ends differently.
    pub fn base_of(
        &self,
        source_file: &Utf8Path,
        module: &ModuleName,
    ) -> Result<Utf8PathBuf, LayoutError> {
        let expected: Utf8PathBuf = module.parts().collect();
        let stem = match source_file.file_name() {
            Some("__init__.py") if module.parts().next_back() != Some("__init__") => {
                source_file.parent().map(Utf8Path::to_owned)
            }
            Some(name) if name.ends_with(".py") => Some(source_file.with_extension("")),
            _ => None,
        };
        match stem {
            Some(stem) if stem.ends_with(&expected) => Ok(stem
                .ancestors()
                .nth(module.parts().count())
                .expect("a path has as many ancestors as components")
                .to_owned()),
            _ => Err(LayoutError::Base {
                source_file: source_file.to_owned(),
                module: module.clone(),
                expected: expected.into_string(),
            }),
        }
    }

    /// Returns the path of a generated file in the project.
    ///
    /// `base` is relative to the project root (empty for the root itself), `relpath` to `base`.
    ///
    /// # Errors
    ///
    /// If a path is absolute; if a component is empty, `.` or `..`, contains a backslash or a control
    /// character, or has more than 255 bytes; if `relpath` is not inside a directory of generated
    /// modules, or does not end in `.py`.
    pub fn generated_path(
        &self,
        base: &Utf8Path,
        relpath: &Utf8Path,
    ) -> Result<GeneratedPath, LayoutError> {
        let wrong =
            |path: &Utf8Path, reason| Err(LayoutError::Path { path: path.to_owned(), reason });
        for path in [base, relpath].into_iter().filter(|it| *it != "") {
            if let Err(reason) = check_components(path) {
                return wrong(path, reason);
            }
        }
        let stem = relpath.file_name().and_then(|name| name.strip_suffix(".py"));
        if stem.is_none_or(str::is_empty) {
            return wrong(relpath, "the file name does not end in `.py`");
        }
        let parts: Vec<Utf8Component<'_>> = relpath.components().collect();
        let dirs = &parts[..parts.len() - 1];
        let Some(at) = dirs.iter().position(|part| part.as_str() == self.generated_dir) else {
            return wrong(relpath, "the path is not inside the directory of generated modules");
        };
        let tree = base.components().chain(parts[..=at].iter().copied()).collect();
        Ok(GeneratedPath::new(tree, parts[at + 1..].iter().copied()))
    }
}

#[cfg(test)]
mod tests;
