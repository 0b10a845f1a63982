//! Where generated modules belong.

use std::sync::Arc;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::name::ModuleName;
use crate::text::{is_identifier, shown};

/// How the directory of generated modules is called, and all that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    generated_dir: String,
}

/// Why a generated module has no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages explain the fields")]
#[non_exhaustive]
pub enum LayoutError {
    /// The directory of generated modules would not be a Python package of its own.
    #[error(
        "`{}` cannot be the directory of generated modules: it must be one identifier",
        shown(.name)
    )]
    GeneratedDir { name: String },

    /// A module's source file is not where the name of the module says.
    #[error(
        "source file `{}` does not end in `{expected}.py` or `{expected}/__init__.py`, \
         as module `{module}` asks for",
        shown(.source_file.as_str())
    )]
    Base { source_file: Utf8PathBuf, module: ModuleName, expected: String },

    /// A path that nothing may be generated to.
    #[error("refusing to generate to `{}`: it {reason}", shown(.path.as_str()))]
    Place { path: Utf8PathBuf, reason: &'static str },
}

impl Layout {
    /// Takes the name of the directory, usually `__generated__`.
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

    /// Returns the name of the directory.
    pub fn generated_dir(&self) -> &str {
        &self.generated_dir
    }

    /// Returns the module that is generated for a spec module.
    ///
    /// The directory follows the first part: `a.b.c` gives `a.__generated__.b.c`. A one-part
    /// module `a` gives `__generated__.a`. A module in generated code stays what it is.
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

    /// Returns the file of a *generated* module, relative to the directory that is imported from.
    ///
    /// With `is_package` that is the `__init__.py` of a package: the place of a module which has
    /// other generated modules below it. The directory itself, and a name of one part, is always a
    /// package.
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

    /// Returns the directory that a module is imported from, judged by its source file.
    ///
    /// It is what is left when `a/b/c.py` or `a/b/c/__init__.py` is taken from the end of the
    /// file of `a.b.c`; nothing may be left, and the path is empty then.
    ///
    /// # Errors
    ///
    /// If the file does not end so.
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

    /// Says where in the project a generated file goes.
    ///
    /// `base` is relative to the project root (empty for the root itself), `relpath` to `base`.
    ///
    /// # Errors
    ///
    /// If a path is absolute, or has a part that is empty, `.` or `..`, or that holds a backslash or
    /// a control character or has more than 255 bytes; if `relpath` has no directory of generated modules in it, or does not
    /// end in `.py`.
    pub fn place(&self, base: &Utf8Path, relpath: &Utf8Path) -> Result<GeneratedPath, LayoutError> {
        let refuse =
            |path: &Utf8Path, reason| Err(LayoutError::Place { path: path.to_owned(), reason });
        for path in [base, relpath].into_iter().filter(|it| *it != "") {
            if let Err(reason) = check_parts(path) {
                return refuse(path, reason);
            }
        }
        let stem = relpath.file_name().and_then(|name| name.strip_suffix(".py"));
        if stem.is_none_or(str::is_empty) {
            return refuse(relpath, "does not end in a file name with `.py`");
        }
        let parts: Vec<Utf8Component<'_>> = relpath.components().collect();
        let dirs = &parts[..parts.len() - 1];
        let Some(at) = dirs.iter().position(|part| part.as_str() == self.generated_dir) else {
            return refuse(relpath, "is not inside the directory of generated modules");
        };
        let tree: Utf8PathBuf = base.components().chain(parts[..=at].iter().copied()).collect();
        let tree_len = tree.as_str().len();
        let path = parts[at + 1..].iter().fold(tree, |path, part| path.join(part));
        Ok(GeneratedPath { path: path.into(), tree_len })
    }
}

/// Says what is wrong with a path that must be relative and plain.
fn check_parts(path: &Utf8Path) -> Result<(), &'static str> {
    if path.as_str().starts_with('/') {
        return Err("is absolute");
    }
    for part in path.as_str().split('/') {
        match part {
            "" => return Err("has an empty part"),
            "." | ".." => return Err("has a part that is `.` or `..`"),
            // No file system in use takes longer names.
            _ if part.len() > 255 => return Err("has a part of more than 255 bytes"),
            _ if part.contains('\\') => return Err("contains a backslash"),
            _ if part.contains(char::is_control) => return Err("contains a control character"),
            _ => {}
        }
    }
    Ok(())
}

/// The place of a generated file: below a directory of generated modules, and nowhere else. A clone
/// is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GeneratedPath {
    path: Arc<Utf8Path>,
    tree_len: usize,
}

impl GeneratedPath {
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

    /// Returns where the module would be if it ceased to be, or became, a package: `b/__init__.py`
    /// instead of `b.py`, and the other way round.
    ///
    /// The directory of generated modules itself can only be a package.
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
        check_parts(&path).ok()?;
        Some(Self { path: path.into(), tree_len: self.tree_len })
    }

    /// Returns the `__init__.py` files that importing the file needs, relative to
    /// [`tree`](Self::tree), outermost first.
    ///
    /// The file itself is not among them.
    pub fn package_inits(&self) -> Vec<Utf8PathBuf> {
        let mut dirs: Vec<&Utf8Path> = self.file().ancestors().skip(1).collect();
        dirs.reverse();
        let inits = dirs.into_iter().map(|dir| dir.join("__init__.py"));
        inits.filter(|init| init != self.file()).collect()
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn layout() -> Layout {
        Layout::new("__generated__").unwrap()
    }

    fn module(text: &str) -> ModuleName {
        text.parse().unwrap()
    }

    #[test]
    fn the_directory_is_one_identifier() {
        assert_eq!(Layout::new("gen").unwrap().generated_dir(), "gen");
        for bad in ["", ".", "..", "a/b", "a.b", "gen-dir", " gen", "gen\\", "/gen", "9"] {
            let err = Layout::new(bad).unwrap_err().to_string();
            let rest = "cannot be the directory of generated modules: it must be one identifier";
            assert_eq!(err, format!("`{bad}` {rest}"));
        }
    }

    #[test]
    fn a_module_and_a_package_are_shapes_of_one_thing() {
        let place = |relpath: &str| layout().place("src".into(), relpath.into()).unwrap();
        for (module, package) in [
            ("a/__generated__/b.py", "a/__generated__/b/__init__.py"),
            ("__generated__/b/c.d.py", "__generated__/b/c.d/__init__.py"),
        ] {
            assert_eq!(place(module).other_shape(), Some(place(package)));
            assert_eq!(place(package).other_shape(), Some(place(module)));
        }
        assert_eq!(place("a/__generated__/__init__.py").other_shape(), None);
        let longest = format!("__generated__/{}/__init__.py", "b".repeat(253));
        assert_eq!(place(&longest).other_shape(), None);
    }

    #[test]
    fn a_module_with_modules_below_it_is_a_package() {
        let relpath = |name, is_package| layout().generated_relpath(&module(name), is_package);
        for (name, file, package) in [
            ("a.__generated__.b", "a/__generated__/b.py", "a/__generated__/b/__init__.py"),
            ("__generated__.a", "__generated__/a.py", "__generated__/a/__init__.py"),
            ("a.__generated__", "a/__generated__/__init__.py", "a/__generated__/__init__.py"),
        ] {
            assert_eq!(relpath(name, false), file);
            assert_eq!(relpath(name, true), package);
        }
    }

    #[test]
    fn the_base_is_what_the_module_leaves_of_its_file() {
        for (file, name, base) in [
            ("src/shop/cart.py", "shop.cart", "src"),
            ("src/shop/__init__.py", "shop", "src"),
            ("shop/cart.py", "shop.cart", ""),
            ("cart.py", "cart", ""),
            ("a/b/a/b.py", "a.b", "a/b"),
            ("a/b.c/d.py", "d", "a/b.c"),
            ("lib/shop/__init__.py", "shop.__init__", "lib"),
        ] {
            let found = layout().base_of(Utf8Path::new(file), &module(name));
            assert_eq!(found, Ok(Utf8PathBuf::from(base)), "{file}");
        }
    }

    #[test]
    fn a_file_that_is_not_where_its_module_says_is_an_error() {
        for (file, name) in [
            ("src/shop/cart.py", "cart.shop"),
            ("src/workshop/cart.py", "shop.cart"),
            ("cart.py", "shop.cart"),
            ("shop/cart.pyi", "shop.cart"),
            ("shop/cart", "shop.cart"),
            ("shop/cart.py/x.py", "shop.cart"),
            ("__init__.py", "shop"),
            ("", "shop"),
        ] {
            layout().base_of(Utf8Path::new(file), &module(name)).unwrap_err();
        }
        let err = layout().base_of(Utf8Path::new("src/till.py"), &module("shop.cart")).unwrap_err();
        assert_snapshot!(err, @"source file `src/till.py` does not end in `shop/cart.py` or `shop/cart/__init__.py`, as module `shop.cart` asks for");
    }

    #[test]
    fn a_place_is_a_tree_and_a_file_in_it() {
        let place = |base: &str, relpath: &str| {
            let place = layout().place(Utf8Path::new(base), Utf8Path::new(relpath)).unwrap();
            assert_eq!(place.tree().join(place.file()), place.path());
            let inits = place.package_inits().into_iter().map(Utf8PathBuf::into_string);
            format!("{} | {} | {}", place.tree(), place.file(), inits.collect::<Vec<_>>().join(" "))
        };
        assert_snapshot!(place("src", "shop/__generated__/cart.py"), @"src/shop/__generated__ | cart.py | __init__.py");
        assert_snapshot!(place("", "__generated__/a.py"), @"__generated__ | a.py | __init__.py");
        assert_snapshot!(place("src/lib", "a/__generated__/b/c/d.py"), @"src/lib/a/__generated__ | b/c/d.py | __init__.py b/__init__.py b/c/__init__.py");
        assert_snapshot!(place("src", "a/__generated__/b/__init__.py"), @"src/a/__generated__ | b/__init__.py | __init__.py");
        assert_snapshot!(place("src", "a/__generated__/__init__.py"), @"src/a/__generated__ | __init__.py |");
        assert_snapshot!(place("src", "a/__generated__/b/__generated__/c.py"), @"src/a/__generated__ | b/__generated__/c.py | __init__.py b/__init__.py b/__generated__/__init__.py");
    }

    #[test]
    fn nothing_is_placed_outside_of_a_tree() {
        let refusal = |base: &str, relpath: &str| {
            layout().place(Utf8Path::new(base), Utf8Path::new(relpath)).unwrap_err().to_string()
        };
        assert_snapshot!(refusal("/src", "a/__generated__/b.py"), @"refusing to generate to `/src`: it is absolute");
        assert_snapshot!(refusal("../src", "a/__generated__/b.py"), @"refusing to generate to `../src`: it has a part that is `.` or `..`");
        assert_snapshot!(refusal("src/", "a/__generated__/b.py"), @"refusing to generate to `src/`: it has an empty part");
        assert_snapshot!(refusal("src", "/a/__generated__/b.py"), @"refusing to generate to `/a/__generated__/b.py`: it is absolute");
        assert_snapshot!(refusal("src", "a/__generated__/../b.py"), @"refusing to generate to `a/__generated__/../b.py`: it has a part that is `.` or `..`");
        assert_snapshot!(refusal("src", "./a/__generated__/b.py"), @"refusing to generate to `./a/__generated__/b.py`: it has a part that is `.` or `..`");
        assert_snapshot!(refusal("src", "a//__generated__/b.py"), @"refusing to generate to `a//__generated__/b.py`: it has an empty part");
        assert_snapshot!(refusal("src", "a\\__generated__/b.py"), @r"refusing to generate to `a\__generated__/b.py`: it contains a backslash");
        assert_snapshot!(refusal("src", "a/__generated__/b\0.py"), @r"refusing to generate to `a/__generated__/b\u{0}.py`: it contains a control character");
        assert_snapshot!(refusal("src", "a/b.py"), @"refusing to generate to `a/b.py`: it is not inside the directory of generated modules");
        assert_snapshot!(refusal("src", "a/__generated__"), @"refusing to generate to `a/__generated__`: it does not end in a file name with `.py`");
        assert_snapshot!(refusal("src", "a/__generated__.py"), @"refusing to generate to `a/__generated__.py`: it is not inside the directory of generated modules");
        assert_snapshot!(refusal("src", "a/__generated__/b.pyi"), @"refusing to generate to `a/__generated__/b.pyi`: it does not end in a file name with `.py`");
        assert_snapshot!(refusal("src", "a/__generated__/.py"), @"refusing to generate to `a/__generated__/.py`: it does not end in a file name with `.py`");
        let long = "n".repeat(253);
        let refused = refusal("src", &format!("__generated__/{long}.py"));
        assert!(refused.ends_with("it has a part of more than 255 bytes"), "{refused}");
        assert_snapshot!(refusal("src", ""), @"refusing to generate to ``: it does not end in a file name with `.py`");
    }

    proptest! {
        #[test]
        fn a_generated_module_is_its_own_generated_module(
            name in "(a|__generated__|é)(\\.(b|__generated__|c)){0,4}",
        ) {
            let generated = layout().generated_module(&module(&name));
            prop_assert_eq!(layout().generated_module(&generated), generated.clone());

            let relpath = layout().generated_relpath(&generated, false);
            if name != "__generated__" {
                let place = layout().place(Utf8Path::new("src"), &relpath).unwrap();
                prop_assert_eq!(place.path(), Utf8Path::new("src").join(relpath));
            }
        }

        #[test]
        fn the_base_of_a_file_is_found_again(base in "([a-z]{1,3}/){0,3}", name in "[a-z]{1,3}(\\.[a-z]{1,3}){0,3}", is_package: bool) {
            let base = Utf8PathBuf::from(base.trim_end_matches('/'));
            let stem: Utf8PathBuf = module(&name).parts().collect();
            let file = if is_package { stem.join("__init__.py") } else { stem.with_extension("py") };
            let found = layout().base_of(&base.join(file), &module(&name)).unwrap();
            prop_assert_eq!(found, base);
        }

        #[test]
        fn a_place_never_leaves_its_tree(base in "[a./\\\\\0_]{0,8}", relpath in "([a./\\\\]{0,4}/)?__generated__/[a./\\\\\n]{0,6}(\\.py)?") {
            let (base, relpath) = (Utf8Path::new(&base), Utf8Path::new(&relpath));
            if let Ok(place) = layout().place(base, relpath) {
                prop_assert!(place.tree().ends_with("__generated__"));
                prop_assert!(place.path().components().all(|it| matches!(it, Utf8Component::Normal(_))));
                prop_assert_eq!(place.path(), base.join(relpath));
            }
        }
    }
}
