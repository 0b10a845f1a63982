//! A walk through the folders of a project that may hold sources.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::descent::{Descent, entries};
use crate::error::{Attempt, Failure, FileKind, WriteError};

/// Names of directories that no walk goes into, beside hidden ones: they begin with a dot.
const NEVER_ENTERED: &[&str] = &["__pycache__", "node_modules"];

/// The file that makes a directory a virtual environment: it holds other people's packages.
const VIRTUAL_ENV: &str = "pyvenv.cfg";

/// One directory of a [`walk`], with the names in it in no order. Names that are not UTF-8 are left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visited {
    /// The directory, relative to the root of the walk; empty for the root itself.
    pub path: Utf8PathBuf,
    /// Names of the directories in it, without those that no walk goes into.
    pub directories: Vec<String>,
    /// Names of all else: files, and links, which are not followed.
    pub files: Vec<String>,
}

impl Visited {
    /// Checks whether this directory is a virtual environment. Only where a walk starts it can be
    /// one: others are not visited.
    pub fn is_virtual_env(&self) -> bool {
        self.files.iter().any(|name| name == VIRTUAL_ENV)
    }
}

/// Visits the directory `start` below `root`, and the directories below it that `enter` lets it
/// into.
///
/// The start may be reached through links; from there on none is followed. These are never visited,
/// whatever `enter` says: hidden directories, `__pycache__`, `node_modules`, and virtual
/// environments, which have a `pyvenv.cfg`. `enter` is asked with the path of a directory, relative
/// to `root`. What does not exist, or is no directory, is passed over.
///
/// # Errors
///
/// An item is an error if a directory cannot be read; the walk goes on after it.
pub fn walk<F: FnMut(&Utf8Path) -> bool>(
    root: &Utf8Path,
    start: &Utf8Path,
    enter: F,
) -> impl Iterator<Item = Result<Visited, WriteError>> + use<F> {
    // `./src/` as `src`.
    let start: Utf8PathBuf = start.components().filter(|part| part.as_str() != ".").collect();
    let (pending, error) = match Dir::open_ambient_dir(root.join(&start), ambient_authority()) {
        Ok(dir) => (vec![Descent::from(dir)], None),
        Err(err) if is_no_directory(err.kind()) => (Vec::new(), None),
        Err(source) => (Vec::new(), Some(cannot_list(&start, source))),
    };
    error.map(Err).into_iter().chain(Walk { start, pending, enter })
}

struct Walk<F> {
    start: Utf8PathBuf,
    pending: Vec<Descent>,
    enter: F,
}

impl<F: FnMut(&Utf8Path) -> bool> Iterator for Walk<F> {
    type Item = Result<Visited, WriteError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(next) = self.pending.pop() {
            let path = join(&self.start, next.path());
            match self.visit(&next, path) {
                Ok(None) => {}
                Ok(Some(visited)) => return Some(Ok(visited)),
                Err(err) => return Some(Err(err)),
            }
        }
        None
    }
}

impl<F: FnMut(&Utf8Path) -> bool> Walk<F> {
    /// Returns `None` if there is nothing to visit: no directory any more, or a virtual environment.
    fn visit(&mut self, next: &Descent, path: Utf8PathBuf) -> Result<Option<Visited>, WriteError> {
        let dir = match next.open(Attempt { action: "list", path: &path }) {
            Ok(Some(dir)) => dir,
            Ok(None) => return Ok(None),
            // A link took its place.
            Err(err) if err.is_refusal() => return Ok(None),
            Err(WriteError::Io { source, .. }) => return Err(cannot_list(&path, source)),
            Err(err) => return Err(err),
        };
        let mut visited = Visited { path, ..Visited::default() };
        let failed = |err: Failure| cannot_list(&join(&self.start, next.path()), err.source);
        for entry in entries(&dir).map_err(failed)? {
            let (name, kind) = entry.map_err(failed)?;
            let Ok(name) = name.into_string() else { continue };
            if kind != FileKind::Directory {
                visited.files.push(name);
            } else if !name.starts_with('.') && !NEVER_ENTERED.contains(&name.as_str()) {
                visited.directories.push(name);
            }
        }
        if visited.is_virtual_env() && !next.path().as_str().is_empty() {
            return Ok(None);
        }
        for name in &visited.directories {
            if (self.enter)(&join(&visited.path, Utf8Path::new(name))) {
                self.pending.push(next.step_into(&dir, name));
            }
        }
        Ok(Some(visited))
    }
}

/// Joins two paths. An empty one would add a slash.
fn join(base: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    if path.as_str().is_empty() { base.to_owned() } else { base.join(path) }
}

fn is_no_directory(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn cannot_list(path: &Utf8Path, source: io::Error) -> WriteError {
    let path = if path.as_str().is_empty() { Utf8Path::new(".") } else { path };
    Attempt { action: "list", path }.failed(path, Failure { step: "list", source })
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;
    use crate::testing::{Fault, World, both_ways, with_fault};

    /// Returns the directories that are visited, and the files in them, sorted.
    fn visited(world: &World, start: &str, skip: &str) -> String {
        let walk = walk(&world.root(), start.into(), |path| path.file_name() != Some(skip));
        let mut lines: Vec<String> = walk
            .map(|it| {
                let mut it = it.unwrap();
                it.files.sort();
                it.directories.sort();
                format!("{}: {} / {}", it.path, it.directories.join(" "), it.files.join(" "))
            })
            .collect();
        lines.sort();
        lines.join("\n")
    }

    const LINES: &str = "
        p/src/a/m.py = x
        p/src/a/made/deep/m.py = x
        p/src/.hidden/m.py = x
        p/src/__pycache__/m.pyc = x
        p/src/node_modules/m.py = x
        p/src/venv/pyvenv.cfg = x
        p/src/venv/lib/m.py = x
        p/src/up -> ..
        p/src/out -> out
        p/src/link.py -> a/m.py
        p/link -> src
        p/file = x
    ";

    #[test]
    fn a_walk_follows_no_link_and_skips_what_holds_no_sources() {
        both_ways(|| {
            let world = World::new(LINES);
            let lines = "src/a: made / m.py\nsrc: a venv / link.py out up";
            assert_eq!(visited(&world, "src", "made"), lines);
            assert_eq!(visited(&world, "./src/", "made"), lines);
            assert_eq!(visited(&world, "link", "made"), lines.replace("src", "link"));
            assert_eq!(
                visited(&world, "src/a", ""),
                "src/a/made/deep:  / m.py\nsrc/a/made: deep / \nsrc/a: made / m.py"
            );
            assert_eq!(visited(&world, ".", "src"), ": src / file link");
            assert_eq!(visited(&world, "missing", "") + &visited(&world, "file", ""), "");
        });
    }

    #[test]
    fn a_virtual_environment_is_visited_where_the_walk_starts() {
        let world = World::new(LINES);
        let walk = walk(&world.root(), "src/venv".into(), |_| false);
        let visited: Vec<_> = walk.map(Result::unwrap).collect();
        assert!(visited.len() == 1 && visited[0].is_virtual_env());
    }

    #[test]
    fn a_directory_that_cannot_be_read_is_an_item() {
        let world = World::new("p/src/a/m.py = x\np/src/b/m.py = x");
        let mut found = Vec::new();
        for n in 0.. {
            let list = || walk(&world.root(), "src".into(), |_| true).collect::<Vec<_>>();
            let (items, happened) = with_fault(n, Fault::Errno(Errno::ACCESS), list);
            if !happened {
                break;
            }
            let errors: Vec<_> = items.iter().filter_map(|it| it.as_ref().err()).collect();
            found.extend(errors.iter().map(|err| err.to_string()));
            assert!(errors.len() <= 1 && (items.len() == 3 || errors.len() == items.len()));
        }
        found.sort();
        found.dedup();
        assert_eq!(found, ["src/a", "src/b", "src"].map(|path| format!("cannot list `{path}`")));
    }
}
