use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::{iter, thread};

use rustix::io::Errno;

use crate::testing::{Fault, STEPS, World, say, say_result, steps, with_fault};
use crate::{Tree, WriteError};

const BAD_LUCK: [Errno; 6] =
    [Errno::NOSPC, Errno::IO, Errno::ROFS, Errno::ACCESS, Errno::MFILE, Errno::DQUOT];

#[test]
fn whatever_fails_when_a_file_is_replaced_the_old_one_is_intact() {
    check_bad_luck("p/g/shop/cart.py = old", 8, |tree| tree.write("shop/cart.py".into(), b"new"));
}

#[test]
fn whatever_fails_when_a_file_is_made_nothing_is_left() {
    check_bad_luck("p/g/", 15, |tree| tree.write("shop/sub/cart.py".into(), b"new"));
}

#[test]
fn whatever_fails_when_a_missing_file_is_made_nothing_is_left() {
    check_bad_luck("p/g/", 10, |tree| {
        tree.create_new("shop/cart.py".into(), b"new").map(|made| assert!(made))
    });
}

/// Writes `new` over and over in a fresh world, with a failure in the place of another system call
/// each time, until all calls had their turn.
#[track_caller]
fn check_bad_luck(lines: &str, at_least: u32, write: impl Fn(&Tree) -> Result<(), WriteError>) {
    for errno in BAD_LUCK {
        for n in 0.. {
            let world = World::new(lines);
            if let Some((file, _)) = lines.split_once(" = ") {
                // The umask does not leave it to a new file.
                let mode = fs::Permissions::from_mode(0o666);
                fs::set_permissions(world.path(file), mode).unwrap();
            }
            let (tree, before) = (world.tree(), world.files());
            let (result, happened) = with_fault(n, Fault::Errno(errno), || write(&tree));
            match result {
                Ok(()) => {
                    assert!(world.files().ends_with("cart.py = new\n"), "{errno} at call {n}");
                }
                Err(err) => {
                    assert_eq!(world.files(), before, "{errno} at call {n}: {err}");
                    assert!(err.to_string().contains("cart.py`"), "{err}");
                    assert!(!err.is_refusal(), "{err}");
                    let source = std::error::Error::source(&err).map(ToString::to_string);
                    assert_eq!(source, Some(std::io::Error::from(errno).to_string()));
                }
            }
            if !happened {
                assert!(n >= at_least, "only {n} calls");
                break;
            }
        }
    }
}

#[test]
fn killed_at_any_call_every_file_is_whole_and_a_sweep_leaves_nothing_else() {
    for n in 0.. {
        let world = World::new("p/g/shop/cart.py = old\np/g/shop/stay.py = old");
        let said = world.run("ulimit -c 0", &format!("killed-at {n}"));
        world.tree().sweep().unwrap();
        let files = world.files();
        let whole = ["old", "new"].into_iter().flat_map(|cart| {
            ["", "g/shop/new/new.py = new\n"]
                .map(|new| format!("g/shop/cart.py = {cart}\n{new}g/shop/stay.py = old\n"))
        });
        assert!(whole.into_iter().any(|it| it == files), "killed at call {n}: {files}");
        if said == "done" {
            assert!(n > 20, "only {n} calls");
            break;
        }
        assert_eq!(said, "", "killed at call {n}");
    }
}

/// The role of a process that is killed at one of its system calls.
pub(crate) fn killed_at(tree: &Tree, n: u32) {
    let write = || {
        tree.write("shop/cart.py".into(), b"new")?;
        tree.write("shop/new/new.py".into(), b"new")
    };
    say_result(with_fault(n, Fault::Kill, write).0);
}

#[test]
fn the_content_is_synced_before_the_name_and_the_name_before_the_end() {
    // Only a power cut would show it otherwise.
    let world = World::new("p/g/old.py = old");
    let tree = world.tree();
    assert_eq!(
        steps(|| tree.write("new.py".into(), b"new").unwrap()),
        [
            "look at",
            "create a temporary file beside",
            "write",
            "sync",
            "put a new file in place of",
            "sync the directory that holds",
        ]
    );
    assert_eq!(
        steps(|| tree.write("old.py".into(), b"new").unwrap()),
        [
            "look at",
            "create a temporary file beside",
            "give a new file the permissions of",
            "write",
            "sync",
            "keep",
            "put a new file in place of",
            "sync the directory that holds",
        ]
    );
    assert_eq!(
        steps(|| assert!(tree.create_new("a/b/new.py".into(), b"").unwrap())),
        [
            "create",
            "sync the directory that holds",
            "create",
            "sync the directory that holds",
            "look at",
            "create a temporary file beside",
            "write",
            "sync",
            "put a new file in place of",
            "sync the directory that holds",
        ]
    );
}

#[test]
fn an_update_shows_the_old_content_and_puts_the_new_in_its_place() {
    let world = World::new("p/g/old.py = old");
    let tree = world.tree();
    let add = |old: Option<Vec<u8>>| {
        let mut bytes = old.unwrap_or_else(|| b"none".to_vec());
        bytes.extend(b" and new");
        Ok::<_, WriteError>(bytes)
    };
    tree.update("old.py".into(), add).unwrap();
    tree.update("sub/new.py".into(), add).unwrap();
    assert_eq!(world.files(), "g/old.py = old and new\ng/sub/new.py = none and new\n");
    // A file that is not there is looked at once, and the way to it is walked once.
    STEPS.take();
    tree.update("newer.py".into(), add).unwrap();
    assert_eq!(
        STEPS.take(),
        [
            "open",
            "look at",
            "create a temporary file beside",
            "write",
            "sync",
            "put a new file in place of",
            "sync the directory that holds",
        ]
    );
}

#[test]
fn an_update_that_is_called_off_leaves_the_file() {
    #[derive(Debug)]
    enum Never {
        Mind,
        Mine(WriteError),
    }
    impl From<WriteError> for Never {
        fn from(err: WriteError) -> Self {
            Self::Mine(err)
        }
    }
    let world = World::new("p/g/old.py = old\np/g/link.py -> old.py");
    let before = world.state("p", "");
    let tree = world.tree();
    for file in ["old.py", "new.py"] {
        let result = tree.update(file.into(), |_| Err(Never::Mind));
        assert!(matches!(result, Err(Never::Mind)));
    }
    let result = tree.update("link.py".into(), |_| unreachable!());
    assert!(matches!(result, Err(Never::Mine(WriteError::Link { action: "read", .. }))));
    assert_eq!(world.state("p", ""), before);
}

#[test]
fn whatever_fails_when_a_file_is_updated_the_old_one_is_intact() {
    check_bad_luck("p/g/shop/cart.py = old", 12, |tree| {
        tree.update("shop/cart.py".into(), |old| {
            assert_eq!(old.unwrap(), b"old");
            Ok(b"new".to_vec())
        })
    });
}

#[test]
fn a_limit_in_the_middle_of_a_file_leaves_the_old_one() {
    let world = World::new("p/g/cart.py = old");
    // Without the signal the system call fails, after it has written some of the bytes.
    let said = world.run("trap '' XFSZ; ulimit -f 64", "write-much cart.py");
    assert_eq!(said, "cannot write `g/cart.py`: File too large (os error 27)");
    assert_eq!(world.files(), "g/cart.py = old\n");
}

#[test]
fn without_file_handles_the_old_file_is_left() {
    let world = World::new("p/g/cart.py = old");
    let said = world.run("ulimit -n 40", "write-without-handles cart.py");
    assert_eq!(
        said,
        "cannot write `g/cart.py`: cannot open `g`: Too many open files (os error 24)\
         cannot write `g/cart.py`: cannot create a temporary file beside it: \
         Too many open files (os error 24)\
         done"
    );
    assert_eq!(world.files(), "g/cart.py = new\n");
}

/// The role of a process that has used up its file handles, and gets back one after the other.
pub(crate) fn without_handles(tree: &Tree, path: &str) {
    let mut hogs: Vec<_> = iter::from_fn(|| File::open("p").ok()).collect();
    for _ in 0..3 {
        let result = tree.write(path.into(), b"new");
        // The harness needs a handle to print.
        say_result(result);
        hogs.pop();
    }
    say("");
}

#[test]
fn a_new_file_has_the_mode_that_the_umask_leaves() {
    for (umask, mode) in [("000", 0o666), ("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        let world = World::new("p/g/");
        assert_eq!(world.run(&format!("umask {umask}"), "write sub/cart.py"), "done");
        assert_eq!(world.mode("p/g/sub/cart.py"), mode, "umask {umask}");
        assert_eq!(world.mode("p/g/sub"), 0o777 & !u32::from_str_radix(umask, 8).unwrap());
    }
}

#[test]
fn a_replaced_file_keeps_its_mode_whatever_the_umask() {
    for umask in ["000", "022", "077"] {
        for mode in [0o600, 0o640, 0o644, 0o666, 0o755, 0o444, 0o000] {
            let world = World::new("p/g/cart.py = old");
            let file = world.path("p/g/cart.py");
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(world.run(&format!("umask {umask}"), "write cart.py"), "done");
            assert_eq!(world.mode("p/g/cart.py"), mode, "umask {umask}");
        }
    }
}

#[test]
fn a_generated_file_never_runs_as_somebody_else() {
    let world = World::new("p/g/cart.py = old");
    let file = world.path("p/g/cart.py");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o6755)).unwrap();
    world.tree().write("cart.py".into(), b"new").unwrap();
    assert_eq!(world.mode("p/g/cart.py"), 0o755);
}

impl World {
    fn mode(&self, path: &str) -> u32 {
        self.path(path).metadata().unwrap().mode() & 0o7777
    }
}

#[test]
fn a_hard_link_keeps_the_old_content_under_its_other_name() {
    let world = World::new("p/g/secret.py => out/secret.py");
    world.tree().write("secret.py".into(), b"new").unwrap();
    assert_eq!(world.files(), "g/secret.py = new\n");
    assert_eq!(fs::read_to_string(world.path("out/secret.py")).unwrap(), "secret");
}

#[test]
fn names_of_temporary_files_that_are_taken_are_passed_over() {
    let world = World::new("p/g/cart.py = old");
    // The shell has the process id that our program will have.
    let shell = "
        for n in 0 1 2; do
            ln -s ../../out/secret.py p/g/.jaunt-$$-$n.tmp
            ln -s ../../out/new.py p/g/.jaunt-$$-$((n + 3)).tmp
            mkdir p/g/.jaunt-$$-$((n + 6)).tmp
            mkfifo p/g/.jaunt-$$-$((n + 9)).tmp
            echo left > p/g/.jaunt-$$-$((n + 12)).tmp
        done";
    let outside = world.state("out", "");
    assert_eq!(world.run(shell, "write cart.py"), "done");
    assert_eq!(world.state("out", ""), outside);
    assert_eq!(fs::read_to_string(world.path("p/g/cart.py")).unwrap(), "new");
    let swept = world.tree().sweep().unwrap();
    assert_eq!(swept.len(), 3, "the leftovers and nothing else: {swept:?}");
}

#[test]
fn a_reader_sees_the_old_content_or_the_new_and_no_mixture() {
    let world = World::new("p/g/");
    let tree = world.tree();
    // Of different lengths, so that a cut would show too.
    let contents = [vec![b'a'; 100_000], vec![b'b'; 30_000]];
    tree.write("cart.py".into(), &contents[0]).unwrap();
    let file = world.path("p/g/cart.py");
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..=200 {
                tree.write("cart.py".into(), &contents[round % 2]).unwrap();
            }
        });
        let mut seen = BTreeSet::new();
        while !writer.is_finished() {
            let bytes = fs::read(&file).unwrap();
            assert!(contents.contains(&bytes), "{} bytes", bytes.len());
            assert!(contents.contains(&tree.read("cart.py".into()).unwrap().unwrap()));
            seen.insert(bytes);
        }
        assert_eq!(seen.len(), 2, "the reader was there");
    });
    assert_eq!(tree.list().unwrap().leftovers, Vec::<camino::Utf8PathBuf>::new());
}

#[test]
fn many_threads_write_beside_one_another() {
    let world = World::new("p/g/");
    let tree = world.tree();
    thread::scope(|scope| {
        for n in 0..8 {
            let tree = tree.clone();
            scope.spawn(move || {
                for round in 0..10 {
                    let own = format!("a/b/{n}/m{round}.py");
                    tree.write(own.as_str().into(), own.as_bytes()).unwrap();
                    tree.write("a/shared.py".into(), b"shared").unwrap();
                    tree.create_new("a/b/__init__.py".into(), b"").unwrap();
                }
            });
        }
    });
    let listing = tree.list().unwrap();
    assert_eq!(listing.files.len(), 82);
    assert_eq!(listing.leftovers.len(), 0);
    for file in listing.files.iter().filter(|file| file.starts_with("a/b/0")) {
        assert_eq!(tree.read(file).unwrap().unwrap(), file.as_str().as_bytes());
    }
}

#[test]
fn only_one_of_many_makes_a_missing_file() {
    let world = World::new("p/g/");
    let tree = world.tree();
    let made: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n: u8| {
                let tree = &tree;
                scope.spawn(move || tree.create_new("sub/__init__.py".into(), &[n]).unwrap())
            })
            .collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(made, 1);
    assert_eq!(tree.files().unwrap(), ["sub/__init__.py"]);
}

#[test]
fn what_is_there_is_not_made_again() {
    let world = World::new("p/g/__init__.py = mine");
    assert!(!world.tree().create_new("__init__.py".into(), b"").unwrap());
    assert_eq!(world.files(), "g/__init__.py = mine\n");
}
