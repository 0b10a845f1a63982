//! Replaces directories by symbolic links while builds run.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{fs, thread};

use anyhow::ensure;

use crate::copy::copy;
use crate::faults::lab::{GENERATED, Lab, Project};
use crate::faults::size::Size;
use crate::random::Random;

/// Directories that are replaced by links: one that is written to, one above it, and the engine's own.
const SWAPPED: &[&str] = &[GENERATED, "src/app", ".jaunt/engine", ".jaunt"];

/// Replaces directories by links that lead outside while builds run, and checks that the outside stays as
/// it is.
pub(crate) fn run(lab: &Lab, size: Size) -> anyhow::Result<String> {
    let rounds = size.pick(10_000, 400);
    let mut swaps = 0;
    let mut builds = 0;
    let mut refused = 0;
    for swapped in SWAPPED {
        let project = lab.project("raced", &[vec![], vec![], vec![], vec![0], vec![1], vec![2]])?;
        project.build(&[])?;
        // The outside has the same files as the inside, so that only the place can be the reason not to
        // write.
        let outside = lab.dir().join("outside");
        if outside.exists() {
            fs::remove_dir_all(&outside)?;
        }
        copy(&project.root().join(swapped), &outside, &[])?;
        let before = snapshot(&outside)?;

        let is_over = AtomicBool::new(false);
        let done = AtomicUsize::new(0);
        let place = project.root().join(swapped);
        thread::scope(|scope| -> anyhow::Result<()> {
            let swapper = scope.spawn(|| swap(&place, &outside, &is_over, &done));
            let mut result = Ok(());
            let mut n_builds = 0;
            while result.is_ok()
                && (done.load(Ordering::Relaxed) < rounds / SWAPPED.len() || n_builds < 3)
            {
                result = build(&project, &mut refused);
                n_builds += 1;
            }
            is_over.store(true, Ordering::Relaxed);
            swapper.join().expect("the swapper does not panic")?;
            builds += n_builds;
            result
        })?;
        swaps += done.load(Ordering::Relaxed);
        let after = snapshot(&outside)?;
        ensure!(before == after, "the outside changed:\nbefore {before:?}\nafter  {after:?}");
        project.build(&[])?;
        let leftovers = project.leftovers()?;
        ensure!(leftovers.is_empty(), "the next run left {leftovers:?}");
    }
    Ok(format!(
        "{swaps} times a directory was replaced by a link during {builds} builds ({refused} of them refused \
         something by name); outside no byte and no time changed"
    ))
}

fn build(project: &Project, refused: &mut usize) -> anyhow::Result<()> {
    let output = project.jaunt(&["build", "--force", "--jobs", "2"]).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        matches!(output.status.code(), Some(0..=3)) && !said.contains("bug in jaunt"),
        "a build ended with {}: {said}",
        output.status
    );
    *refused += usize::from(said.contains("symbolic link"));
    Ok(())
}

/// Moves a directory away, puts a link in its place, and moves it back, again and again.
fn swap(
    place: &Path,
    outside: &Path,
    is_over: &AtomicBool,
    done: &AtomicUsize,
) -> anyhow::Result<()> {
    let aside = place.with_extension("aside");
    let mut rng = Random::new(7);
    let mut pause = move |max: u64| thread::sleep(Duration::from_micros(rng.below(max)));
    while !is_over.load(Ordering::Relaxed) {
        if fs::rename(place, &aside).is_err() {
            continue;
        }
        let is_linked = symlink(outside, place).is_ok();
        pause(300);
        if is_linked {
            fs::remove_file(place)?;
        }
        if fs::rename(&aside, place).is_err() {
            // A build has made the directory again meanwhile.
            fs::remove_dir_all(place)?;
            fs::rename(&aside, place)?;
        }
        done.fetch_add(1, Ordering::Relaxed);
        pause(1500);
    }
    Ok(())
}

/// Bytes, times, and other metadata of a file.
type State = (Vec<u8>, [i64; 4], [u64; 4]);

/// Returns everything about the outside that can change: bytes, times, owners, permissions.
fn snapshot(dir: &Path) -> anyhow::Result<BTreeMap<PathBuf, State>> {
    let mut found = BTreeMap::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(path) = pending.pop() {
        let meta = path.symlink_metadata()?;
        let mut bytes = Vec::new();
        if meta.is_dir() {
            for entry in fs::read_dir(&path)? {
                pending.push(entry?.path());
            }
        } else {
            bytes = fs::read(&path)?;
        }
        let times = [meta.mtime(), meta.mtime_nsec(), meta.ctime(), meta.ctime_nsec()];
        let rest = [meta.ino(), meta.nlink(), u64::from(meta.mode()), u64::from(meta.uid())];
        found.insert(path, (bytes, times, rest));
    }
    Ok(found)
}
