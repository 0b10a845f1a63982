//! Compares a cache with the disk.

use std::ops::Range;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::Digest;
use jaunt_write::{Folder, Stamp, Time};

use crate::cache::FreshCache;
use crate::format::{FileRow, FolderRow, Tables};

/// Reading so many files again takes about as long as storing the cache.
const WORTH_KEEPING: usize = 64;

/// Fewer files than this are not worth a thread.
const MIN_PER_THREAD: usize = 256;

/// More threads than this only wait for the same locks of the kernel.
const MAX_THREADS: usize = 8;

/// A verdict that still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many modules are fresh.
    pub n_modules: usize,
    /// Generated directories in which something appeared or went since.
    pub touched_dirs: Vec<Utf8PathBuf>,
    /// Whether storing the cache as it is now saves the next run more than it costs.
    pub is_worth_keeping: bool,
}

impl FreshCache {
    /// Looks at every file, on all cores, and reads those that have another stamp.
    ///
    /// New stamps of unchanged files become part of the cache. `taken` is a time before this.
    ///
    /// # Errors
    ///
    /// The files that are gone or have another content: the verdict does not hold for the modules
    /// that they belong to, nor for those that depend on them. If there are none, it does not hold
    /// for any module.
    pub fn verify(&mut self, root: &Utf8Path, taken: Time) -> Result<Verified, Vec<Utf8PathBuf>> {
        let tables = &self.tables;
        let n_files = tables.n_files();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        let chunk = n_files.div_ceil(threads).max(MIN_PER_THREAD);
        let look = |range: Range<usize>| Look::new(tables, root, taken, range).at_all();
        let looks: Vec<Option<Seen>> = thread::scope(|scope| {
            let workers: Vec<_> = (chunk..n_files)
                .step_by(chunk)
                .map(|from| scope.spawn(move || look(from..n_files.min(from + chunk))))
                .collect();
            let first = look(0..n_files.min(chunk));
            let joined = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            std::iter::once(first).chain(joined).collect()
        });
        let mut seen = Seen::default();
        for look in looks {
            let Seen { folders, files, changed } = look.ok_or_else(Vec::new)?;
            seen.folders.extend(folders);
            seen.files.extend(files);
            seen.changed.extend(changed);
        }
        if !seen.changed.is_empty() {
            return Err(seen.changed);
        }
        Ok(self.renew(&seen))
    }

    /// Takes the new stamps of what is unchanged.
    fn renew(&mut self, Seen { folders, files, .. }: &Seen) -> Verified {
        let path = |folder: FolderRow| Utf8PathBuf::from(self.tables.path(folder));
        let touched_dirs = folders.iter().map(|(folder, _)| path(*folder)).collect();
        if !folders.is_empty() || !files.is_empty() {
            self.tables.set_stamps(folders.iter().copied(), files.iter().copied());
        }
        let has_folders = folders.iter().any(|(_, stamp)| *stamp != Stamp::NONE);
        let n_files = files.iter().filter(|(_, stamp)| *stamp != Stamp::NONE).count();
        Verified {
            n_modules: self.tables.n_modules(),
            touched_dirs,
            is_worth_keeping: has_folders || n_files >= WORTH_KEEPING,
        }
    }
}

/// What was found out by looking.
#[derive(Default)]
struct Seen {
    /// Generated folders with new stamps.
    folders: Vec<(FolderRow, Stamp)>,
    /// Unchanged files with new stamps.
    files: Vec<(FileRow, Stamp)>,
    /// Files that are gone or have another content.
    changed: Vec<Utf8PathBuf>,
}

/// A look at some of the files, by their numbers, and at the folders whose first file is among them.
struct Look<'a> {
    tables: &'a Tables,
    root: &'a Utf8Path,
    taken: Time,
    range: Range<usize>,
    seen: Seen,
    bytes: Vec<u8>,
}

impl<'a> Look<'a> {
    fn new(tables: &'a Tables, root: &'a Utf8Path, taken: Time, range: Range<usize>) -> Self {
        Self { tables, root, taken, range, seen: Seen::default(), bytes: Vec::new() }
    }

    /// Returns `None` if a folder cannot be opened.
    fn at_all(mut self) -> Option<Seen> {
        let n_files = self.tables.n_files();
        let mut first = 0;
        for row in self.tables.folders() {
            let end = first + self.tables.n_files_in(row);
            let own = first.max(self.range.start)..end.min(self.range.end);
            // Folders without files are looked at where the next file is, or at the end.
            let is_ours =
                self.range.contains(&first) || (self.range.start == 0 && first == n_files);
            let is_generated = self.tables.is_generated(row);
            first = end;
            if own.is_empty() && !(is_ours && is_generated) {
                continue;
            }
            let path = Utf8Path::new(self.tables.path(row));
            let folder = match is_generated {
                true => Folder::open_below(self.root, path).ok()??,
                false => Folder::open(&self.root.join(path)).ok()?,
            };
            if is_ours && is_generated {
                self.at_folder(row, &folder)?;
            }
            for nth in own {
                self.at_file(path, self.tables.file(nth), &folder);
            }
        }
        Some(self.seen)
    }

    fn at_folder(&mut self, row: FolderRow, folder: &Folder) -> Option<()> {
        let stamp = folder.stamp()?;
        if !stamp.matches(self.tables.folder_stamp(row)) {
            self.seen.folders.push((row, stamp.settled_before(self.taken)));
        }
        Some(())
    }

    fn at_file(&mut self, path: &Utf8Path, row: FileRow, folder: &Folder) {
        let name = self.tables.file_name(row);
        let stamp = folder.stamp_of(name);
        if stamp.is_some_and(|stamp| stamp.matches(self.tables.file_stamp(row))) {
            return;
        }
        // What is not a regular file is not opened.
        let read = stamp.and_then(|_| folder.read(name, &mut self.bytes).ok());
        match read {
            Some(stamp) if Digest::of(&self.bytes).as_bytes() == self.tables.file_digest(row) => {
                self.seen.files.push((row, stamp.settled_before(self.taken)));
            }
            _ => self.seen.changed.push(path.join(name)),
        }
    }
}
