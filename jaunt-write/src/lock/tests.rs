#![expect(clippy::disallowed_methods, reason = "the tests look at the disk behind the tree's back")]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;

use crate::testing::{Fault, World, said, say, with_fault};
use crate::{LockAttempt, Tree};

#[test]
fn a_lock_is_held_once_and_names_its_holder() {
    let world = World::new("p/g/");
    let tree = world.tree();
    let lock = tree.lock("sub/lock".into(), "jaunt build").unwrap();
    assert_eq!(holder(&tree), format!("process {} (jaunt build)", std::process::id()));
    assert_eq!(holder(&world.tree().clone()), holder(&tree));
    drop(lock);
    assert_eq!(holder(&tree), "nobody");
    assert_eq!(world.files(), "g/sub/lock = \n", "the file stays, and names nobody");
}

#[test]
fn a_killed_process_leaves_its_lock_to_the_next() {
    let world = World::new("p/g/");
    let mut process = world.process("", "hold-lock jaunt test").spawn().unwrap();
    let stdin = process.stdin.take();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| said(&line.unwrap()) == Some("locked")));
    assert_eq!(holder(&world.tree()), format!("process {} (jaunt test)", process.id()));

    process.kill().unwrap();
    process.wait().unwrap();

    // A child of its lives on, since our end of its input is still open.
    assert_eq!(holder(&world.tree()), "nobody");
    world.tree().lock("sub/lock".into(), "me").map(drop).unwrap();
    drop(stdin);
}

/// The role of a process that holds a lock until it is killed.
pub(crate) fn hold(tree: &Tree, holder: &str) {
    let _lock = tree.lock("sub/lock".into(), holder).unwrap();
    let mut child = Command::new("sh");
    let child = child.args(["-c", "echo; exec cat >&2"]).stdin(Stdio::inherit());
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // Before its own program runs, a child has our file handles.
    child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
    say("locked");
    child.wait().unwrap();
}

#[test]
fn who_waits_gets_the_lock_in_the_end() {
    let world = World::new("p/g/");
    let tree = world.tree();
    let lock = tree.lock("sub/lock".into(), "first").unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| tree.lock("sub/lock".into(), "second").unwrap());
        drop(lock);
        let _lock = waiting.join().unwrap();
        assert!(holder(&tree).ends_with("(second)"));
    });
}

#[test]
fn a_lock_on_a_file_that_was_replaced_is_worth_nothing() {
    for take in [
        |tree: &Tree| tree.lock("sub/lock".into(), "first").unwrap(),
        |tree: &Tree| match tree.try_lock("sub/lock".into(), "first").unwrap() {
            LockAttempt::Acquired(lock) => lock,
            LockAttempt::Held { by } => panic!("held by {by}"),
        },
    ] {
        // The last call looks at the file, so it is too late to replace what holds it.
        for (gone, too_late) in [("p/g/sub/lock", 0), ("p/g/sub", 1)] {
            let mut is_seen = vec![];
            for n in 0.. {
                let world = World::new("p/g/sub/lock = x");
                let gone = world.path(gone);
                let meddle = Fault::Meddle(Box::new(move || {
                    fs::rename(&gone, gone.with_extension("gone")).unwrap();
                }));
                let (lock, happened) = with_fault(n, meddle, || take(&world.tree()));
                if !happened {
                    break;
                }
                is_seen.push(holder(&world.tree()).ends_with("(first)"));
                drop(lock);
            }
            assert!(is_seen.len() > 6, "only {} calls", is_seen.len());
            assert!(is_seen.iter().rev().skip(too_late).all(|seen| *seen), "{gone}: {is_seen:?}");
        }
    }
}

#[test]
fn what_a_holder_says_is_made_harmless() {
    let world = World::new("p/g/");
    let file = File::create_new(world.path("p/g/lock")).unwrap();
    file.lock().unwrap();
    for (text, shown) in [
        (&b"process 7 (jaunt build)\nmore"[..], "process 7 (jaunt build)"),
        (b"", "another process"),
        (b" \n", "another process"),
        (b"\x1b[31mred\x07\xff\xe2\x80\xae", "?[31mred?????"),
        (&[b'x'; 256], &"x".repeat(256)),
    ] {
        fs::write(world.path("p/g/lock"), text).unwrap();
        match world.tree().try_lock("lock".into(), "me").unwrap() {
            LockAttempt::Held { by } => assert_eq!(by, shown),
            LockAttempt::Acquired(_) => panic!("it is held"),
        }
    }
}

#[test]
fn a_holder_with_much_to_say_is_cut_short() {
    let world = World::new("p/g/");
    let tree = world.tree();
    let _lock = tree.lock("sub/lock".into(), &"é".repeat(1000)).unwrap();
    assert!(holder(&tree).len() < 256);
}

#[test]
fn a_file_that_is_more_than_a_lock_is_not_touched() {
    let large = "x".repeat(257);
    let world = World::new(&format!("p/g/linked => out/secret.py\np/g/large = {large}"));
    let before = world.state("", "");
    for (file, message) in [
        (
            "linked",
            "refusing to lock `g/linked`, which cannot be a lock file: it has a second name (a hard \
             link); move it away",
        ),
        (
            "large",
            "refusing to lock `g/large`, which cannot be a lock file: it is too large; move it away",
        ),
    ] {
        let err = world.tree().lock(file.into(), "me").unwrap_err();
        assert_eq!(err.to_string(), message);
        assert!(err.is_refusal());
        assert!(world.tree().try_lock(file.into(), "me").is_err());
    }
    assert_eq!(world.state("", ""), before);
}

/// Who holds the lock.
fn holder(tree: &Tree) -> String {
    match tree.try_lock("sub/lock".into(), "asking").unwrap() {
        LockAttempt::Held { by } => by,
        LockAttempt::Acquired(_) => "nobody".to_owned(),
    }
}
