#![expect(clippy::disallowed_methods, reason = "the tests look at the disk behind the tree's back")]

use std::fs;

use crate::testing::{World, both_ways};
use crate::{FileKind, Listing};

#[test]
fn a_listing_is_sorted_and_follows_no_link() {
    both_ways(|| {
        let world = World::new(
            "
            p/g/b.py = b
            p/g/a/z.py = z
            p/g/a.py = a
            p/g/a/deep/er/m.py = m
            p/g/empty/
            p/g/.hidden = h
            p/g/link.py -> out/secret.py
            p/g/dangling -> nowhere
            p/g/a/out -> out
            p/g/up -> ..
            p/g/pipe |
            p/g/socket @
            p/g/.jaunt-1-2.tmp = left
            p/g/a/.jaunt-33-0.tmp = left
            p/g/.jaunt-1-2.tmp.py = mine
            ",
        );
        let listing = world.tree().list().unwrap();
        assert_eq!(
            listing.files,
            [".hidden", ".jaunt-1-2.tmp.py", "a/deep/er/m.py", "a/z.py", "a.py", "b.py"]
        );
        assert_eq!(listing.files, world.tree().files().unwrap());
        assert_eq!(listing.directories, ["a", "a/deep", "a/deep/er", "empty"]);
        assert_eq!(listing.leftovers, [".jaunt-1-2.tmp", "a/.jaunt-33-0.tmp"]);
        let skipped: Vec<_> =
            listing.skipped.iter().map(|it| (it.path.as_str(), it.kind)).collect();
        assert_eq!(
            skipped,
            [
                ("a/out", FileKind::Link),
                ("dangling", FileKind::Link),
                ("link.py", FileKind::Link),
                ("pipe", FileKind::Fifo),
                ("socket", FileKind::Socket),
                ("up", FileKind::Link),
            ]
        );
    });
}

#[test]
fn names_that_are_not_plain_are_skipped_and_can_be_printed() {
    let world = World::new("p/g/new\u{1b}line.py = x\np/g/back\\slash/m.py = x");
    let tree = world.tree();
    #[cfg(target_os = "linux")]
    {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let name = OsStr::from_bytes(b"not-\xff-utf8.py");
        fs::write(world.path("p/g").as_std_path().join(name), "x").unwrap();
    }
    let listing = tree.list().unwrap();
    assert_eq!(listing.files.len() + listing.directories.len(), 0);
    let skipped: Vec<_> = listing.skipped.iter().map(|it| it.path.as_str()).collect();
    let expected = ["back\\slash", "new\\u{1b}line.py", "not-\u{fffd}-utf8.py"];
    assert_eq!(skipped, expected[..if cfg!(target_os = "linux") { 3 } else { 2 }]);
}

#[test]
fn a_very_deep_tree_is_listed_and_pruned() {
    const DEPTH: usize = 2_100; // The path is longer than the 4096 bytes that a system call takes.
    let world = World::new("p/g/");
    let tree = world.tree();
    let deepest = format!("{}m.py", "d/".repeat(DEPTH));
    tree.write(deepest.as_str().into(), b"deep").unwrap();
    tree.write("d/d/d/beside.py".into(), b"beside").unwrap();

    let listing = tree.list().unwrap();
    assert_eq!(listing.files, ["d/d/d/beside.py", deepest.as_str()]);
    assert_eq!(listing.directories.len(), DEPTH);
    assert_eq!(tree.read(deepest.as_str().into()).unwrap().unwrap(), b"deep");

    assert!(tree.remove(deepest.as_str().into()).unwrap());
    assert_eq!(tree.prune(&[]).unwrap().len(), DEPTH - 3);
    assert_eq!(tree.list().unwrap().directories, ["d", "d/d", "d/d/d"]);
}

#[test]
fn a_deep_tree_is_listed_with_few_handles() {
    let world = World::new("");
    for depth in 0..300 {
        world.add(&format!("p/g/{}beside/", "d/".repeat(depth)));
    }
    assert_eq!(world.run("ulimit -n 40", "list"), "599");
}

#[test]
fn a_tree_that_is_gone_is_empty() {
    let world = World::new("p/g/cart.py = old");
    let tree = world.tree();
    fs::remove_dir_all(world.path("p/g")).unwrap();
    assert_eq!(tree.list().unwrap(), Listing::default());
    assert_eq!(tree.sweep().unwrap().len() + tree.prune(&[]).unwrap().len(), 0);
    assert_eq!(tree.read("cart.py".into()).unwrap(), None);
    assert!(!tree.remove("cart.py".into()).unwrap());
    let err = tree.write("cart.py".into(), b"new").unwrap_err();
    assert_eq!(err.to_string(), "cannot write `g/cart.py`: cannot open `g`");
    assert!(!tree.remove_if_empty(&[]).unwrap());
}

#[test]
fn a_sweep_takes_leftovers_and_nothing_that_looks_like_them() {
    let world = World::new(
        "
        p/g/.jaunt-1-2.tmp = left
        p/g/a/b/.jaunt-4194304-18446744073709551615.tmp = left
        p/g/.jaunt-1.tmp = mine
        p/g/.jaunt--.tmp = mine
        p/g/.jaunt-1-.tmp = mine
        p/g/.jaunt-1-2-3.tmp = mine
        p/g/.jaunt-x-2.tmp = mine
        p/g/.jaunt-1-2.tmp~ = mine
        p/g/jaunt-1-2.tmp = mine
        p/g/.jaunt-5-5.tmp -> out/secret.py
        p/g/.jaunt-6-6.tmp/m.py = mine
        p/g/.jaunt-7-7.tmp |
        ",
    );
    let swept = world.tree().sweep().unwrap();
    assert_eq!(swept, [".jaunt-1-2.tmp", "a/b/.jaunt-4194304-18446744073709551615.tmp"]);
    assert_eq!(world.files().matches("= mine").count(), 8);
    assert_eq!(world.files().matches("= left").count(), 0);
    assert!(world.path("p/g/.jaunt-5-5.tmp").is_symlink());
    assert!(world.path("p/g/.jaunt-7-7.tmp").exists());
}

#[test]
fn what_is_empty_is_pruned_with_its_caches() {
    check_prune("p/g/a/b/c/", "a a/b a/b/c");
    check_prune("p/g/a/m.py = x\np/g/a/b/", "a/b");
    check_prune("p/g/a/__pycache__/m.pyc = x", "a a/__pycache__");
    check_prune("p/g/a/__pycache__/sub/", "a a/__pycache__ a/__pycache__/sub");
    check_prune(
        "p/g/a/b/__pycache__/m.pyc = x\np/g/a/__pycache__/m.pyc = x",
        "a a/__pycache__ a/b a/b/__pycache__",
    );
}

#[test]
fn what_holds_something_stays_with_its_caches() {
    check_prune("p/g/m.py = x\np/g/__pycache__/m.pyc = x", "");
    check_prune("p/g/__pycache__/m.pyc = x\np/g/a/", "a __pycache__");
    check_prune("p/g/a/m.py = x\np/g/a/__pycache__/m.pyc = x", "");
    check_prune("p/g/a/__pycache__/sub/m.pyc = x", "");
    check_prune("p/g/a/__pycache__/link -> out/secret.py", "");
    check_prune("p/g/a/link -> out", "");
    check_prune("p/g/a/b/pipe |", "");
    check_prune("p/g/a/.jaunt-1-1.tmp = x", "");
    check_prune("p/g/a/other/m.pyc = x", "");
    check_prune("p/g/a/back\\slash/", "");
}

/// Prunes, and compares what is gone: first as the tree says, then as the disk says.
#[track_caller]
fn check_prune(lines: &str, gone: &str) {
    let world = World::new(lines);
    world.add("out/secret.py = secret");
    let (outside, before) = (world.state("out", ""), world.state("p", ""));
    let pruned = world.tree().prune(&["__pycache__"]).unwrap();
    let mut expected: Vec<_> = gone.split_whitespace().collect();
    expected.sort_unstable();
    assert_eq!(pruned, expected, "{lines}");
    let after = world.state("p", "");
    for path in before.keys() {
        let is_gone = pruned.iter().any(|dir| path.starts_with(format!("g/{dir}")));
        assert_eq!(is_gone, !after.contains_key(path), "{path}");
    }
    assert_eq!(world.state("out", ""), outside);
}

#[test]
fn a_tree_goes_when_nothing_is_in_it_and_else_stays_as_it_is() {
    for (lines, goes) in [
        ("p/g/", true),
        ("p/g/a/b/\np/g/__pycache__/m.pyc = x", true),
        ("p/g/m.py = x\np/g/a/", false),
        ("p/g/a/link -> out\np/g/b/", false),
        ("p/g/.jaunt-1-1.tmp = x\np/g/b/", false),
    ] {
        let world = World::new(&format!("p/beside.py = x\n{lines}"));
        let before = world.state("p", "");
        assert_eq!(world.tree().remove_if_empty(&["__pycache__"]).unwrap(), goes, "{lines}");
        assert_eq!(!world.path("p/g").exists(), goes, "{lines}");
        if !goes {
            assert_eq!(world.state("p", ""), before, "{lines}");
        }
        assert!(world.path("p/beside.py").exists());
    }
}
