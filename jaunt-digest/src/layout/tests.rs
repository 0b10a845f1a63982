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
    assert_eq!(Layout::new("gen").unwrap().generated_dir, "gen");
    for bad in ["", ".", "..", "a/b", "a.b", "gen-dir", " gen", "gen\\", "/gen", "9"] {
        let err = Layout::new(bad).unwrap_err().to_string();
        let rest = "cannot be the directory of generated modules: it must be one identifier";
        assert_eq!(err, format!("`{bad}` {rest}"));
    }
}

#[test]
fn a_module_can_be_a_file_or_a_package() {
    let place = |relpath: &str| layout().generated_path("src".into(), relpath.into()).unwrap();
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
fn the_base_is_the_file_without_the_module() {
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
    assert_snapshot!(err, @"source file `src/till.py` does not end in `shop/cart.py` or `shop/cart/__init__.py`, as module `shop.cart` requires");
}

#[test]
fn a_generated_path_is_a_tree_and_a_file_in_it() {
    let place = |base: &str, relpath: &str| {
        let place = layout().generated_path(Utf8Path::new(base), Utf8Path::new(relpath)).unwrap();
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
fn nothing_is_generated_outside_of_a_tree() {
    let refusal = |base: &str, relpath: &str| {
        layout()
            .generated_path(Utf8Path::new(base), Utf8Path::new(relpath))
            .unwrap_err()
            .to_string()
    };
    assert_snapshot!(refusal("/src", "a/__generated__/b.py"), @"cannot generate into `/src`: the path is absolute");
    assert_snapshot!(refusal("../src", "a/__generated__/b.py"), @"cannot generate into `../src`: a path component is `.` or `..`");
    assert_snapshot!(refusal("src/", "a/__generated__/b.py"), @"cannot generate into `src/`: a path component is empty");
    assert_snapshot!(refusal("src", "/a/__generated__/b.py"), @"cannot generate into `/a/__generated__/b.py`: the path is absolute");
    assert_snapshot!(refusal("src", "a/__generated__/../b.py"), @"cannot generate into `a/__generated__/../b.py`: a path component is `.` or `..`");
    assert_snapshot!(refusal("src", "./a/__generated__/b.py"), @"cannot generate into `./a/__generated__/b.py`: a path component is `.` or `..`");
    assert_snapshot!(refusal("src", "a//__generated__/b.py"), @"cannot generate into `a//__generated__/b.py`: a path component is empty");
    assert_snapshot!(refusal("src", "a\\__generated__/b.py"), @r"cannot generate into `a\__generated__/b.py`: the path contains a backslash");
    assert_snapshot!(refusal("src", "a/__generated__/b\0.py"), @r"cannot generate into `a/__generated__/b\u{0}.py`: the path contains a control character");
    assert_snapshot!(refusal("src", "a/b.py"), @"cannot generate into `a/b.py`: the path is not inside the directory of generated modules");
    assert_snapshot!(refusal("src", "a/__generated__"), @"cannot generate into `a/__generated__`: the file name does not end in `.py`");
    assert_snapshot!(refusal("src", "a/__generated__.py"), @"cannot generate into `a/__generated__.py`: the path is not inside the directory of generated modules");
    assert_snapshot!(refusal("src", "a/__generated__/b.pyi"), @"cannot generate into `a/__generated__/b.pyi`: the file name does not end in `.py`");
    assert_snapshot!(refusal("src", "a/__generated__/.py"), @"cannot generate into `a/__generated__/.py`: the file name does not end in `.py`");
    let long = "n".repeat(253);
    let refused = refusal("src", &format!("__generated__/{long}.py"));
    assert!(refused.ends_with("a path component has more than 255 bytes"), "{refused}");
    assert_snapshot!(refusal("src", ""), @"cannot generate into ``: the file name does not end in `.py`");
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
            let place = layout().generated_path(Utf8Path::new("src"), &relpath).unwrap();
            prop_assert_eq!(place.path(), Utf8Path::new("src").join(relpath));
        }
    }

    #[test]
    fn the_base_of_a_file_is_found(base in "([a-z]{1,3}/){0,3}", name in "[a-z]{1,3}(\\.[a-z]{1,3}){0,3}", is_package: bool) {
        let base = Utf8PathBuf::from(base.trim_end_matches('/'));
        let stem: Utf8PathBuf = module(&name).parts().collect();
        let file = if is_package { stem.join("__init__.py") } else { stem.with_extension("py") };
        let found = layout().base_of(&base.join(file), &module(&name)).unwrap();
        prop_assert_eq!(found, base);
    }

    #[test]
    fn a_generated_path_never_leaves_its_tree(base in "[a./\\\\\0_]{0,8}", relpath in "([a./\\\\]{0,4}/)?__generated__/[a./\\\\\n]{0,6}(\\.py)?") {
        let (base, relpath) = (Utf8Path::new(&base), Utf8Path::new(&relpath));
        if let Ok(place) = layout().generated_path(base, relpath) {
            prop_assert!(place.tree().ends_with("__generated__"));
            prop_assert!(place.path().components().all(|it| matches!(it, Utf8Component::Normal(_))));
            prop_assert_eq!(place.path(), base.join(relpath));
        }
    }
}
