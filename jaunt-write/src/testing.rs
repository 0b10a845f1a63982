//! What the tests of this crate share: projects on a real disk, a machine that fails on demand, and
//! other processes.

#![expect(clippy::disallowed_methods, reason = "the tests look at the disk behind the tree's back")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};
use tempfile::TempDir;

use crate::{Tree, WriteError};

/// A project, and beside it the world that must not change.
///
/// It is written as lines: `path = content`, `path/`, `path -> target` for a link, `path => file` for
/// a hard link, `path |` for a named pipe, `path @` for a socket. Paths begin with `p/` (the
/// project) or `out/` (outside).
pub(crate) struct World {
    dir: TempDir,
}

impl World {
    pub(crate) fn new(lines: &str) -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        fs::create_dir(world.path("p")).unwrap();
        world.add("out/secret.py = secret");
        world.add("out/sub/secret.py = secret");
        lines.split('\n').for_each(|line| world.add(line));
        world
    }

    #[track_caller]
    pub(crate) fn add(&self, line: &str) {
        let line = line.trim();
        let place = |path: &str| {
            let path = self.path(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        if let Some((path, text)) = line.split_once(" = ") {
            fs::write(place(path), text).unwrap();
        } else if let Some((path, target)) = line.split_once(" -> ") {
            let target = if target.starts_with("out") { self.path(target) } else { target.into() };
            symlink(target, place(path)).unwrap();
        } else if let Some((path, file)) = line.split_once(" => ") {
            fs::hard_link(self.path(file), place(path)).unwrap();
        } else if let Some(path) = line.strip_suffix(" |") {
            assert!(Command::new("mkfifo").arg(place(path)).status().unwrap().success());
        } else if let Some(path) = line.strip_suffix(" @") {
            UnixListener::bind(place(path)).unwrap();
        } else if let Some(path) = line.strip_suffix('/') {
            fs::create_dir_all(place(path)).unwrap();
        } else {
            assert!(line.is_empty(), "not in the notation: {line}");
        }
    }

    #[track_caller]
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.dir.path()).unwrap().join(path)
    }

    pub(crate) fn root(&self) -> Utf8PathBuf {
        self.path("p")
    }

    pub(crate) fn tree(&self) -> Tree {
        Tree::open(&self.root(), "g".into()).unwrap().unwrap()
    }

    /// All that a directory holds, with times, modes and targets; with what is below `except` left
    /// out.
    pub(crate) fn state(&self, path: &str, except: &str) -> BTreeMap<Utf8PathBuf, String> {
        let (base, except) = (self.path(path), self.path(except));
        let mut state = BTreeMap::new();
        let mut pending = vec![base.clone()];
        while let Some(path) = pending.pop() {
            let it = path.symlink_metadata().unwrap();
            let mut text = format!("{:o}", it.mode());
            if path != except {
                let times = (it.mtime(), it.mtime_nsec(), it.ctime(), it.ctime_nsec());
                write!(text, " {} {times:?}", it.ino()).unwrap();
            }
            if it.is_file() {
                write!(text, " {:?}", fs::read_to_string(&path).unwrap()).unwrap();
            } else if it.is_symlink() {
                write!(text, " {}", path.read_link_utf8().unwrap()).unwrap();
            } else if it.is_dir() && path != except {
                pending.extend(path.read_dir_utf8().unwrap().map(|it| it.unwrap().into_path()));
            }
            state.insert(path.strip_prefix(&base).unwrap().to_owned(), text);
        }
        state
    }

    /// Paths and contents of the files below the project.
    pub(crate) fn files(&self) -> String {
        let mut files = String::new();
        for (path, _) in self.state("p", "out") {
            let file = self.root().join(&path);
            if file.symlink_metadata().unwrap().is_file() {
                writeln!(files, "{path} = {}", fs::read_to_string(file).unwrap()).unwrap();
            }
        }
        files
    }

    /// Another process that plays one of the [`roles`], after a piece of shell.
    ///
    /// It starts in the world's directory.
    pub(crate) fn process(&self, shell: &str, role: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{shell}\nexec \"$0\" --exact testing::role --nocapture")])
            .arg(std::env::current_exe().unwrap())
            .current_dir(self.path(""))
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What a process says before it ends.
    pub(crate) fn run(&self, shell: &str, role: &str) -> String {
        let output = self.process(shell, role).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().filter_map(said).collect()
    }
}

const ROLE: &str = "JAUNT_WRITE_TEST_ROLE";

/// Speaks to the process that has started this one, past the test harness.
pub(crate) fn say(text: impl std::fmt::Display) {
    use std::io::Write;

    let mut stdout = io::stdout().lock();
    writeln!(stdout, "\n> {text}").unwrap();
    stdout.flush().unwrap();
}

/// What a line of such a process says.
pub(crate) fn said(line: &str) -> Option<&str> {
    line.strip_prefix("> ")
}

/// Says how an operation went.
pub(crate) fn say_result(result: Result<(), WriteError>) {
    match result {
        Ok(()) => say("done"),
        Err(err) => {
            let source = std::error::Error::source(&err);
            say(format_args!("{err}: {}", source.map(ToString::to_string).unwrap_or_default()));
        }
    }
}

/// Does nothing, unless [`World::process`] has started it.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let tree = || Tree::open("p".into(), "g".into()).unwrap().unwrap();
    match role.split_once(' ').unwrap_or((&role, "")) {
        ("write", path) => say_result(tree().write(path.into(), b"new")),
        ("write-much", path) => say_result(tree().write(path.into(), &vec![b'x'; 1 << 20])),
        ("write-without-handles", path) => crate::replace::tests::without_handles(&tree(), path),
        ("killed-at", n) => crate::replace::tests::killed_at(&tree(), n.parse().unwrap()),
        ("list", _) => say(tree().list().unwrap().directories.len()),
        ("hold-lock", holder) => crate::lock::tests::hold(&tree(), holder),
        _ => unreachable!("no such role: {role}"),
    }
}

/// What goes wrong when a system call is about to be made.
pub(crate) enum Fault {
    /// It fails.
    Errno(Errno),
    /// The process is killed.
    Kill,
    /// Another process is faster.
    Meddle(Box<dyn FnOnce()>),
}

thread_local! {
    static NEXT_FAULT: Cell<Option<(u32, Fault)>> = const { Cell::new(None) };
    pub(crate) static STEPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    static WALKING: Cell<bool> = const { Cell::new(false) };
}

/// Runs something with a fault at the `n`th system call (from 0) that this thread makes.
///
/// Also returns whether it happened: whether so many calls were made.
pub(crate) fn with_fault<T>(n: u32, fault: Fault, run: impl FnOnce() -> T) -> (T, bool) {
    NEXT_FAULT.set(Some((n, fault)));
    let result = run();
    (result, NEXT_FAULT.take().is_none())
}

/// Returns the steps that this thread makes meanwhile, without the opening of directories, of which
/// some systems need more.
pub(crate) fn steps(run: impl FnOnce()) -> Vec<&'static str> {
    STEPS.take();
    run();
    let mut steps = STEPS.take();
    steps.retain(|step| *step != "open");
    steps
}

/// Records a system call, and lets the next fault happen if it is its turn.
pub(crate) fn record_step(step: &'static str) -> io::Result<()> {
    STEPS.with_borrow_mut(|steps| steps.push(step));
    match NEXT_FAULT.take() {
        None => Ok(()),
        Some((0, Fault::Errno(errno))) => Err(errno.into()),
        Some((0, Fault::Kill)) => {
            kill_process(getpid(), Signal::KILL).unwrap();
            unreachable!("killed")
        }
        Some((0, Fault::Meddle(meddle))) => {
            meddle();
            Ok(())
        }
        Some((n, fault)) => {
            NEXT_FAULT.set(Some((n - 1, fault)));
            Ok(())
        }
    }
}

/// Runs a test with the short way down that Linux offers, and again with the long way.
pub(crate) fn both_ways(test: impl Fn()) {
    test();
    WALKING.set(true);
    test();
    WALKING.set(false);
}

#[cfg(target_os = "linux")]
pub(crate) fn is_walking() -> bool {
    WALKING.get()
}
