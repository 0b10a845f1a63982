#![expect(clippy::disallowed_methods, reason = "the tests look at the disk behind the tree's back")]

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::io::Errno;
use tempfile::TempDir;

use crate::{Tree, WriteError, bad_luck};

const BAD_LUCK: [Errno; 5] = [Errno::NOSPC, Errno::IO, Errno::ROFS, Errno::ACCESS, Errno::MFILE];

#[test]
fn whatever_call_fails_the_old_file_is_intact_and_nothing_is_left() {
    check(&[("g/shop/cart.py", "old")], &["g/shop/cart.py"], |tree| {
        tree.write("shop/cart.py".into(), b"new")
    });
}

/// Runs an operation that ends with a file `new` over and over in a fresh project, with a failure
/// of another system call each time, until it makes no more calls.
#[track_caller]
fn check(before: &[(&str, &str)], paths: &[&str], run: impl Fn(&Tree) -> Result<(), WriteError>) {
    for errno in BAD_LUCK {
        for n in 0.. {
            let project = project(before);
            let root = Utf8Path::from_path(project.path()).unwrap();
            let tree = Tree::open(root, "g".into()).unwrap().unwrap();
            let (result, struck) = bad_luck::with(n, errno.raw_os_error(), || run(&tree));
            let after = files(root);
            match result {
                Ok(()) => assert!(after.values().any(|text| text == "new"), "{errno} at call {n}"),
                Err(err) => {
                    let before: BTreeMap<_, _> = before
                        .iter()
                        .map(|(path, text)| (Utf8PathBuf::from(*path), (*text).to_owned()))
                        .collect();
                    assert_eq!(after, before, "{errno} at call {n}: {err}");
                    assert!(
                        paths.iter().any(|path| err.to_string().contains(path)),
                        "no path in: {err}"
                    );
                }
            }
            if !struck {
                assert!(n > 5, "only {n} calls");
                break;
            }
        }
    }
}

fn project(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("g")).unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn files(root: &Utf8Path) -> BTreeMap<Utf8PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in dir.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                dirs.push(path);
            } else {
                let text = fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(root).unwrap().to_owned(), text);
            }
        }
    }
    found
}
