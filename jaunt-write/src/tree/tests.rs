#![expect(clippy::disallowed_methods, reason = "the tests look at the disk behind the tree's back")]

use std::rc::Rc;
use std::{fs, thread};

use camino::Utf8Path;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use rustix::io::Errno;

use crate::testing::{Fault, World, both_ways, with_fault};
use crate::{Tree, WriteError, path};

type Act = fn(&Tree, &Utf8Path) -> Result<(), WriteError>;

/// All that can be done to a file.
const ACTIONS: [(&str, Act); 7] = [
    ("open", |tree, file| tree.open_file(file).map(drop)),
    ("read", |tree, file| tree.read(file).map(drop)),
    ("write", |tree, file| tree.write(file, b"new")),
    ("create", |tree, file| tree.create_new(file, b"new").map(drop)),
    ("remove", |tree, file| tree.remove(file).map(drop)),
    ("lock", |tree, file| tree.lock(file, "me").map(drop)),
    ("lock", |tree, file| tree.try_lock(file, "me").map(drop)),
];

#[test]
fn a_link_on_the_way_is_named_and_nothing_changes() {
    let directory = "remove it, or put a real directory in its place";
    let file = "remove it, or put a real file in its place";
    for (planted, path, link, wanted) in [
        ("p/src -> out", "src/g/m.py", "src", directory),
        ("p/src -> out", "src/sub/secret.py", "src", directory),
        ("p/src/g -> out", "src/g/secret.py", "src/g", directory),
        ("p/src/g -> out/nothing", "src/g/secret.py", "src/g", directory),
        ("p/src/g -> out/secret.py", "src/g/secret.py", "src/g", directory),
        ("p/src/g -> .", "src/g/m.py", "src/g", directory),
        ("p/src/g/sub -> out", "src/g/sub/secret.py", "src/g/sub", directory),
        ("p/src/g/sub -> out", "src/g/sub/sub/secret.py", "src/g/sub", directory),
        ("p/src/g/sub/sub -> ../..", "src/g/sub/sub/m.py", "src/g/sub/sub", directory),
        ("p/src/g/m.py -> out/secret.py", "src/g/m.py", "src/g/m.py", file),
        ("p/src/g/m.py -> out/nothing", "src/g/m.py", "src/g/m.py", file),
        ("p/src/g/m.py -> m.py", "src/g/m.py", "src/g/m.py", file),
        ("p/src/g/sub/m.py -> out", "src/g/sub/m.py", "src/g/sub/m.py", file),
    ] {
        let message = format!("`{path}`: `{link}` is a symbolic link; {wanted}");
        check_refusal(planted, path, &message);
    }
}

#[test]
fn what_is_no_file_or_directory_is_named_and_nothing_changes() {
    for (planted, path, at, kinds) in [
        ("p/src = x", "src/g/m.py", "src", "a file, not a directory"),
        ("p/src/g = x", "src/g/m.py", "src/g", "a file, not a directory"),
        ("p/src/g |", "src/g/m.py", "src/g", "a named pipe, not a directory"),
        ("p/src/g/sub = x", "src/g/sub/m.py", "src/g/sub", "a file, not a directory"),
        ("p/src/g/m.py/", "src/g/m.py", "src/g/m.py", "a directory, not a file"),
        ("p/src/g/m.py |", "src/g/m.py", "src/g/m.py", "a named pipe, not a file"),
        ("p/src/g/m.py @", "src/g/m.py", "src/g/m.py", "a socket, not a file"),
    ] {
        check_refusal(planted, path, &format!("`{path}`: `{at}` is {kinds}; move it away"));
    }
}

#[test]
fn a_device_is_not_read() {
    // Only an administrator can make one, but every system has some.
    let tree = Tree::open("/".into(), "dev".into()).unwrap().unwrap();
    let err = tree.read("null".into()).unwrap_err();
    assert_eq!(
        err.to_string(),
        "refusing to read `dev/null`: `dev/null` is a character device, not a file; move it away"
    );
}

/// Does everything to a file below `src/g` after something was planted, with a tree that was opened
/// before and with one that is opened then; all is refused with this message, and nothing changes.
#[track_caller]
fn check_refusal(planted: &str, path: &str, message: &str) {
    let file = Utf8Path::new(path).strip_prefix("src/g").ok();
    both_ways(|| {
        let world = World::new("p/src/g/m.py = old\np/src/m.py = mine");
        let root = world.root();
        let early = Tree::open(&root, "src/g".into()).unwrap().unwrap();
        fs::remove_dir_all(root.join("src")).unwrap();
        world.add(planted);
        let before = world.state("", "");

        let mut refusals = vec![];
        if let Some(file) = file {
            for (action, act) in ACTIONS {
                refusals.push((action, early.path(), act(&early, file).err()));
            }
        }
        let late = Tree::open(&root, "src/g".into());
        let made = Tree::create(&root, "src/g".into());
        match (late, file) {
            (Ok(Some(late)), Some(file)) => {
                for (action, act) in ACTIONS {
                    refusals.push((action, early.path(), act(&late, file).err()));
                }
                made.unwrap();
            }
            (late, _) => {
                let opened = late.err().unwrap().to_string();
                assert!(opened.starts_with("refusing to open `src/g`: `src"), "{opened}");
                let made = made.err().unwrap().to_string();
                assert_eq!(made.replace("create", "open"), opened);
                let listed = early.list().unwrap_err().to_string();
                assert_eq!(listed.replace("list", "open"), opened);
                assert!(early.sweep().is_err() && early.prune(&[]).is_err());
                assert!(early.clone().remove_if_empty(&[]).is_err());
            }
        }
        for (action, _, err) in refusals {
            let err = err.unwrap_or_else(|| panic!("{planted}: could {action}"));
            assert_eq!(err.to_string(), format!("refusing to {action} {message}"), "{planted}");
            assert!(err.is_refusal());
        }
        assert_eq!(world.state("", ""), before, "{planted}");
    });
}

#[test]
fn paths_that_are_not_plain_are_refused_before_anything_is_looked_at() {
    let long = "x".repeat(256);
    for (path, reason) in [
        ("", "the path is empty"),
        ("/etc/passwd", "the path is absolute"),
        ("..", "a part of the path is `.` or `..`"),
        ("../m.py", "a part of the path is `.` or `..`"),
        ("sub/../../m.py", "a part of the path is `.` or `..`"),
        ("./m.py", "a part of the path is `.` or `..`"),
        ("sub//m.py", "a part of the path is empty"),
        ("sub/", "a part of the path is empty"),
        ("m.py\0", "the path has a control character"),
        ("m\n.py", "the path has a control character"),
        ("m\u{85}.py", "the path has a control character"),
        ("sub\\m.py", "the path has a backslash"),
        (".jaunt-1-1.tmp", "the name is kept for temporary files"),
        ("sub/.jaunt-1-1.tmp", "the name is kept for temporary files"),
        (&long, "a part of the path is longer than 255 bytes"),
    ] {
        // A tree whose directory is gone would fail in another way if it were looked at.
        let world = World::new("p/g/");
        let tree = world.tree();
        fs::remove_dir(world.path("p/g")).unwrap();
        let shown =
            path.replace('\0', "\\u{0}").replace('\n', "\\u{a}").replace('\u{85}', "\\u{85}");
        for (action, act) in ACTIONS {
            let err = act(&tree, path.into()).unwrap_err();
            let message = format!("refusing to {action} `{shown}` below `g`: {reason}");
            assert_eq!(err.to_string(), message);
            assert!(err.is_refusal());
        }
        let root = world.root();
        for err in [Tree::open(&root, path.into()).err(), Tree::create(&root, path.into()).err()] {
            assert!(err.unwrap().to_string().ends_with(reason));
        }
    }
}

#[test]
fn unusual_names_that_are_plain_are_names_like_others() {
    let world = World::new("p/g/");
    let tree = world.tree();
    // Look-alikes of dots and slashes, which are neither; the longest name there can be.
    let long = "x".repeat(255);
    let names =
        ["．．", "․․", "a／b", "a∕b", " ", "-rf", "~", "%2e%2e", "...", "COM1", "café.py", &long];
    for name in names {
        let file = Utf8Path::new(name).join(name);
        tree.write(&file, name.as_bytes()).unwrap();
        assert_eq!(tree.read(&file).unwrap().unwrap(), name.as_bytes());
        assert_eq!(fs::read(world.path("p/g").join(&file)).unwrap(), name.as_bytes());
    }
    assert_eq!(tree.files().unwrap().len(), names.len());
    assert_eq!(fs::read_dir(world.path("p")).unwrap().count(), 1);
}

#[test]
fn the_root_may_be_reached_through_links() {
    both_ways(|| {
        let world = World::new("p/src/g/\nelsewhere/link -> ../p");
        let root = world.path("elsewhere/link");
        let tree = Tree::create(&root, "src/g".into()).unwrap();
        tree.write("m.py".into(), b"new").unwrap();
        assert_eq!(world.files(), "src/g/m.py = new\n");
    });
}

#[test]
fn only_the_last_part_of_a_tree_is_made() {
    both_ways(|| {
        let world = World::new("p/src/");
        let root = world.root();
        assert!(Tree::open(&root, "src/g".into()).unwrap().is_none());
        assert!(Tree::open(&root, "lib/g".into()).unwrap().is_none());
        let err = Tree::create(&root, "lib/shop/g".into()).unwrap_err();
        assert_eq!(err.to_string(), "cannot create `lib/shop/g`: cannot open `lib`");
        assert!(!root.join("lib").exists());

        Tree::create(&root, "src/g".into()).unwrap();
        Tree::create(&root, "src/g".into()).unwrap();
        Tree::create(&root, ".jaunt".into()).unwrap();
        assert!(root.join("src/g").is_dir() && root.join(".jaunt").is_dir());
        assert_eq!(Tree::open(&root, "src/g".into()).unwrap().unwrap().path(), "src/g");
    });
}

#[test]
fn a_root_that_is_missing_is_an_error() {
    let world = World::new("");
    let root = world.path("missing");
    let err = Tree::open(&root, "g".into()).unwrap_err();
    assert_eq!(err.to_string(), format!("cannot open `g`: cannot open `{root}`"));
    assert!(!err.is_refusal());
}

#[test]
fn what_was_replaced_by_another_directory_is_used() {
    let world = World::new("p/g/sub/m.py = old");
    let tree = world.tree();
    fs::rename(world.path("p/g"), world.path("p/old")).unwrap();
    fs::create_dir(world.path("p/g")).unwrap();
    tree.write("sub/m.py".into(), b"new").unwrap();
    assert_eq!(world.files(), "g/sub/m.py = new\nold/sub/m.py = old\n");
}

#[test]
fn reading_and_removing_what_is_missing_is_no_error() {
    both_ways(|| {
        let world = World::new("p/g/m.py = old");
        let tree = world.tree();
        for file in ["missing.py", "missing/m.py", "missing/sub/m.py"] {
            assert_eq!(tree.read(file.into()).unwrap(), None);
            assert!(!tree.remove(file.into()).unwrap());
        }
        assert!(tree.remove("m.py".into()).unwrap());
        assert_eq!(world.files(), "");
    });
}

#[test]
fn a_pipe_is_not_opened_not_even_for_a_moment() {
    let world = World::new("p/g/pipe |");
    let tree = world.tree();
    for act in [
        |tree: &Tree| tree.read("pipe".into()).is_err(),
        |tree: &Tree| tree.lock("pipe".into(), "me").is_err(),
    ] {
        // One call leads to the directory, the next one looks.
        let (refused, happened) = with_fault(2, Fault::Errno(Errno::IO), || act(&tree));
        assert!(refused && !happened);
    }
}

#[test]
fn whatever_is_planted_between_two_system_calls_leads_nowhere() {
    for (gone, planted) in [
        ("p/g", "p/g -> out"),
        ("p/g", "p/g -> old"),
        ("p/g/sub", "p/g/sub -> out"),
        ("p/g/sub", "p/g/sub = x"),
        ("p/g/sub/secret.py", "p/g/sub/secret.py -> out/secret.py"),
        ("p/g/sub/secret.py", "p/g/sub/secret.py -> out/new.py"),
        ("p/g/sub/secret.py", "p/g/sub/secret.py => out/secret.py"),
        ("p/g/sub/secret.py", "p/g/sub/secret.py -> mine.py"),
        ("p/g/sub/secret.py", "p/g/sub/secret.py |"),
        ("p/g/sub/secret.py", "p/g/sub/secret.py/full/"),
    ] {
        for (action, act) in ACTIONS {
            both_ways(|| {
                for n in 0.. {
                    let world =
                        Rc::new(World::new("p/g/sub/secret.py = old\np/g/sub/mine.py = mine"));
                    let tree = world.tree();
                    let outside = world.state("out", "");
                    let before = world.clone();
                    let meddle = Fault::Meddle(Box::new(move || {
                        fs::rename(before.path(gone), before.path("p/gone")).ok();
                        before.add(planted);
                    }));
                    let (_, happened) =
                        with_fault(n, meddle, || act(&tree, "sub/secret.py".into()));
                    if !planted.contains("=>") {
                        assert_eq!(
                            world.state("out", ""),
                            outside,
                            "{planted} at call {n} of {action}"
                        );
                    }
                    let secret = fs::read_to_string(world.path("out/secret.py")).unwrap();
                    assert_eq!(secret, "secret", "{planted} at call {n} of {action}");
                    let files = world.files();
                    assert!(files.contains("/mine.py = mine"), "{planted} at call {n} of {action}");
                    assert!(!files.contains(".tmp"), "{planted} at call {n} of {action}");
                    if !happened {
                        assert!(n > 1, "only {n} calls");
                        break;
                    }
                }
            });
        }
    }
}

#[test]
fn a_directory_that_somebody_else_makes_first_is_used() {
    for n in 0.. {
        let world = World::new("p/g/");
        let sub = world.path("p/g/sub");
        let meddle = Fault::Meddle(Box::new(move || drop(fs::create_dir(sub))));
        let (_, happened) =
            with_fault(n, meddle, || world.tree().write("sub/m.py".into(), b"new").unwrap());
        assert_eq!(world.files(), "g/sub/m.py = new\n", "at call {n}");
        if !happened {
            break;
        }
    }
}

#[test]
fn what_somebody_else_makes_first_counts_only_if_it_is_a_file() {
    for n in 0.. {
        let world = World::new("p/g/");
        let file = world.path("p/g/m.py");
        let meddle = Fault::Meddle(Box::new(move || drop(fs::create_dir(file))));
        let (made, happened) =
            with_fault(n, meddle, || world.tree().create_new("m.py".into(), b"new"));
        assert_eq!(made.is_ok(), world.path("p/g/m.py").is_file(), "at call {n}");
        if !happened {
            break;
        }
    }
}

#[test]
fn a_file_that_turns_into_something_else_is_read_whole_or_not_at_all() {
    for planted in ["p/g/m.py |", "p/g/m.py @", "p/g/m.py/", "p/g/m.py -> mine.py"] {
        for n in 0.. {
            let world = Rc::new(World::new("p/g/m.py = old\np/g/mine.py = mine"));
            let before = world.clone();
            let meddle = Fault::Meddle(Box::new(move || {
                fs::remove_file(before.path("p/g/m.py")).unwrap();
                before.add(planted);
            }));
            let (read, happened) = with_fault(n, meddle, || world.tree().read("m.py".into()));
            match read {
                Ok(bytes) => assert_eq!(bytes.unwrap(), b"old", "{planted} at call {n}"),
                Err(err) => assert!(err.is_refusal(), "{planted} at call {n}: {err}"),
            }
            if !happened {
                break;
            }
        }
    }
}

#[test]
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn a_directory_that_turns_into_a_link_and_back_leads_nowhere() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    const ROUNDS: usize = 500;
    let world = World::new("p/g/sub/stay.py = old\np/g/stay.py = old\np/link -> out");
    let outside = world.state("out", "");
    let tree = world.tree();
    let race = || {
        for _ in 0..ROUNDS {
            for file in ["secret.py", "sub/secret.py", "sub/m.py"] {
                for (_, act) in ACTIONS {
                    // Which of them succeed is up to chance.
                    act(&tree, file.into()).ok();
                }
                let read = tree.read(file.into()).ok().flatten();
                assert_ne!(read.as_deref(), Some(&b"secret"[..]));
            }
            tree.list().ok();
            tree.sweep().ok();
            tree.prune(&[]).ok();
        }
    };
    let swap = |dir: &str| {
        let (dir, link) = (world.path(dir), world.path("p/link"));
        renameat_with(CWD, dir.as_str(), CWD, link.as_str(), RenameFlags::EXCHANGE)
    };
    thread::scope(|scope| {
        let racers = [scope.spawn(race), scope.spawn(race)];
        while !racers.iter().all(|racer| racer.is_finished()) {
            for dir in ["p/g", "p/g", "p/g/sub", "p/g/sub"] {
                swap(dir).unwrap();
            }
        }
    });
    assert_eq!(world.state("out", ""), outside);
}

fn part() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "a",
        "a",
        "b",
        "m.py",
        "m.py",
        "..",
        "..",
        ".",
        "",
        "link",
        "link.py",
        "up",
        "self",
        "pipe",
        "secret.py",
        "sub",
        "p",
        "g",
        "out",
        "n\nl",
        "nul\0",
        "back\\slash",
        "．．",
        "․․",
        "a／..",
        ".jaunt-1-1.tmp",
        "-",
        "~",
        "%2e%2e",
    ]);
    prop_oneof![
        8 => known.prop_map(str::to_owned),
        1 => (250..260usize).prop_map(|n| "x".repeat(n)),
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_the_path_only_what_is_strictly_below_the_tree_changes(
        parts in prop::collection::vec(part(), 0..5),
        absolute in prop::bool::weighted(0.1),
    ) {
        let world = World::new(
            "
            p/m.py = mine
            p/src/m.py = mine
            p/src/g/a/m.py = old
            p/src/g/link -> out
            p/src/g/a/link -> out
            p/src/g/link.py -> out/secret.py
            p/src/g/up -> ..
            p/src/g/self -> .
            p/src/g/pipe |
            ",
        );
        let tree = Tree::open(&world.root(), "src/g".into()).unwrap().unwrap();
        let before = world.state("", "p/src/g");
        let file = parts.join("/");
        let file = if absolute { world.path("p/src/g").join(file) } else { file.into() };

        for (action, act) in ACTIONS {
            let result = act(&tree, &file);
            prop_assert_eq!(&world.state("", "p/src/g"), &before, "{} {:?}", action, file);
            match result {
                Ok(()) => prop_assert!(path::fault(file.as_str()).is_none()),
                Err(err) => prop_assert!(err.is_refusal(), "{err}"),
            }
        }
        prop_assert!(tree.list().unwrap().leftovers.is_empty());
    }
}
