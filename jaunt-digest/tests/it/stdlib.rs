//! The Python files of the machine's standard library, and what parsers find in them.

#![expect(clippy::disallowed_methods, reason = "the tests ask the Python of the machine")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{DefinitionKind, Digest};

/// A name, `def`, `async` or `class`, and a range of bytes; for every definition at the top level.
pub(crate) type Found = Vec<(String, String, usize, usize)>;

/// The standard library of `python3`, without third-party packages.
pub(crate) struct Stdlib {
    /// The version of Python, as in `3.11.7`.
    pub(crate) version: String,
    /// The files by their place in the library.
    pub(crate) files: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

impl Stdlib {
    pub(crate) fn read() -> Self {
        let script = "import platform, sysconfig\n\
                      print(platform.python_version(), sysconfig.get_path('stdlib'))";
        let answer = python(script, "");
        let (version, root) = answer.trim_end().split_once(' ').unwrap();
        let mut files = BTreeMap::new();
        let mut dirs = vec![Utf8PathBuf::from(root)];
        while let Some(dir) = dirs.pop() {
            for entry in dir.read_dir_utf8().unwrap() {
                let entry = entry.unwrap();
                let path = entry.path();
                if entry.file_type().unwrap().is_dir() {
                    if !matches!(entry.file_name(), "site-packages" | "dist-packages") {
                        dirs.push(path.to_owned());
                    }
                } else if path.extension() == Some("py") {
                    let place = path.strip_prefix(root).unwrap().to_owned();
                    files.insert(place, std::fs::read(path).unwrap());
                }
            }
        }
        assert!(files.len() > 100, "the standard library in {root} is incomplete");
        Self { version: version.to_owned(), files }
    }

    /// The version, and a digest of the list of files: distributions leave out different parts.
    pub(crate) fn id(&self) -> String {
        let places: Vec<&str> = self.files.keys().map(|it| it.as_str()).collect();
        let digest = Digest::of(places.join("\n")).to_string();
        format!("{}-{}", self.version, &digest[..8])
    }

    /// Calls a function with every file, on all processors and with much stack.
    pub(crate) fn map<T: Send>(&self, each: impl Fn(&[u8]) -> T + Sync) -> BTreeMap<&Utf8Path, T> {
        let files: Vec<(&Utf8Path, &[u8])> =
            self.files.iter().map(|(place, bytes)| (place.as_path(), bytes.as_slice())).collect();
        let jobs = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs)
                .map(|job| {
                    let mine = files.iter().skip(job).step_by(jobs);
                    let each = &each;
                    let work = move || mine.map(|(place, bytes)| (*place, each(bytes))).collect();
                    let builder = thread::Builder::new().stack_size(256 << 20);
                    builder.spawn_scoped(scope, work).unwrap()
                })
                .collect();
            threads.into_iter().flat_map(|it| -> Vec<_> { it.join().unwrap() }).collect()
        })
    }
}

pub(crate) fn kind_name(kind: DefinitionKind) -> String {
    match kind {
        DefinitionKind::Function => "def",
        DefinitionKind::AsyncFunction => "async",
        DefinitionKind::Class => "class",
    }
    .to_owned()
}

/// Runs a script and returns what it prints.
#[track_caller]
pub(crate) fn python(script: &str, input: &str) -> String {
    let mut child = Command::new("python3")
        .args(["-I", "-X", "utf8", "-W", "ignore", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("these tests need `python3`");
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // Both at once: a full pipe stops whoever writes to it.
        scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "python3: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
