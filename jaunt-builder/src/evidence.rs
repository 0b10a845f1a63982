//! What the verdict "everything is fresh" rests on, so that it need not be reached again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::ops::Range;
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use jaunt_digest::{Digest, ModuleName};
use jaunt_write::Tree;

use crate::output::Output;
use crate::plan::Plan;
use crate::project::Project;
use crate::stamp::{self, Folder, Found, Stamp, Time};

/// Changes with the form of the text, and with what the verdict means.
const MAGIC: &[u8; 16] = b"jaunt-evidence 2";
/// The magic text and the digest of all that follows.
const FRONT: usize = 48;
/// Key, stamp and digest of the registry, digest of the parts, four counts.
const FIXED: usize = FRONT + 32 + Stamp::LEN + 32 + 32 + 16;
const PARTS: usize = FRONT + 32 + Stamp::LEN + 32;
/// Path, number of files, whether it is generated, stamp.
const FOLDER: usize = 16 + Stamp::LEN;
/// Name, stamp, digest.
const FILE: usize = 8 + Stamp::LEN + 32;
const NAME: usize = 8;

/// Reading so many files again takes about as long as putting the evidence on the disk.
const WORTH_KEEPING: usize = 64;

/// The evidence that every module of one kind was fresh: each file that was looked at, as it was.
///
/// It is one text of bytes, read in place: a digest at the front, then tables, then all names.
/// Where every file is as it was, the verdict still holds, whatever it was reached by. A text that
/// is damaged, cut off or of another version is no evidence.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    bytes: Vec<u8>,
}

/// The registry document that a verdict was reached with.
#[derive(Clone, Copy, Debug)]
pub struct RegistryState {
    stamp: Stamp,
    digest: Digest,
}

impl RegistryState {
    /// A document that is not in a file of its own.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self { stamp: Stamp::NONE, digest: Digest::of(bytes) }
    }

    /// A document in a file. The file is what it was *before* `bytes` were read from it.
    pub fn of_file(before: FileState, bytes: &[u8]) -> Self {
        Self { stamp: before.0, digest: Digest::of(bytes) }
    }
}

/// Size, times and identity of a file. It tells nothing where there is no file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState(Stamp);

impl FileState {
    /// Looks at a file, through links.
    pub fn at(path: &Utf8Path) -> Self {
        let found = File::open(path).and_then(|file| stamp::of_file(&file));
        match found {
            Ok(Found::File(stamp)) => Self(stamp),
            _ => Self(Stamp::NONE),
        }
    }
}

/// A verdict that still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StillFresh {
    /// How many modules are fresh.
    pub n_modules: usize,
    /// Generated directories in which something appeared or went since.
    pub stirred: Vec<Utf8PathBuf>,
    /// Whether keeping the evidence as it is now saves the next one more than it costs.
    pub is_worth_keeping: bool,
}

impl Evidence {
    /// Puts together what a plan of all modules, none of them stale, rests on.
    ///
    /// `key` stands for all that is not in files: versions, settings. `taken` is a time before
    /// anything was read. None where the plan is no such plan, or where files have no stamps.
    pub fn of(
        project: &Project,
        plan: &Plan,
        outputs: &BTreeMap<ModuleName, Output>,
        registry: &RegistryState,
        key: &Digest,
        taken: Time,
    ) -> Option<Self> {
        let is_whole = project.of_kind(plan.kind()).count() == plan.modules().len();
        if !is_whole || plan.modules().is_empty() || plan.stale().next().is_some() {
            return None;
        }
        // Each folder, and whether it is generated, with its files.
        let mut folders: BTreeMap<(Utf8PathBuf, bool), Vec<_>> = BTreeMap::new();
        for (path, stamp, digest) in project.source_files() {
            let folder = (path.parent()?.to_owned(), false);
            folders.entry(folder).or_default().push((path.file_name()?, stamp, digest));
        }
        for (name, module) in project.of_kind(plan.kind()) {
            let Output::Ours(facts) = &outputs[name] else { return None };
            let file = module.output.file();
            let above = file.parent().filter(|it| !it.as_str().is_empty());
            let folder =
                above.map_or(module.output.tree().to_owned(), |it| module.output.tree().join(it));
            let (stamp, digest) = facts.file?;
            folders.entry((folder, true)).or_default().push((file.file_name()?, stamp, digest));
        }
        let trees: BTreeSet<&Utf8Path> =
            project.of_kind(plan.kind()).map(|(_, module)| module.output.tree()).collect();
        for path in trees {
            let tree = Tree::open(project.root(), path).ok()??;
            folders.entry((path.to_owned(), true)).or_default();
            for below in tree.list().ok()?.directories {
                folders.entry((path.join(below), true)).or_default();
            }
        }

        let mut text = Text::default();
        for ((path, is_generated), files) in &folders {
            let stamp = match is_generated {
                true => match Folder::open_without_links(project.root(), path).ok()?.itself() {
                    Found::Directory(stamp) => stamp.settled_before(taken),
                    _ => return None,
                },
                false => Stamp::NONE,
            };
            text.folder(path, *is_generated, stamp, files.len());
            for (name, stamp, digest) in files {
                text.file(name, stamp.settled_before(taken), digest);
            }
        }
        for name in plan.modules().keys() {
            text.module(name);
        }
        let registry =
            RegistryState { stamp: registry.stamp.settled_before(taken), digest: registry.digest };
        Some(text.finish(key, &registry))
    }

    /// Takes a text that [`as_bytes`](Self::as_bytes) gave; none where it is anything else.
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let evidence = Self { bytes };
        evidence.is_sound().then_some(evidence)
    }

    /// The text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The modules that were fresh, in order of name.
    pub fn modules(&self) -> impl ExactSizeIterator<Item = &str> {
        let start = FIXED + self.n_folders() * FOLDER + self.n_files() * FILE;
        (0..self.n_modules()).map(move |idx| self.name(start + idx * NAME))
    }

    /// Whether the verdict was reached with this registry document, of which `state` tells without
    /// reading it.
    pub fn is_about_file(&self, state: FileState) -> bool {
        state.0 != Stamp::NONE && state.0.to_bytes()[..] == *self.slice(FRONT + 32, Stamp::LEN)
    }

    /// Whether the verdict was reached with this registry document.
    pub fn is_about(&self, registry: &RegistryState) -> bool {
        self.slice(FRONT + 32 + Stamp::LEN, 32) == registry.digest.as_bytes()
    }

    /// Whether the verdict was reached with this key.
    pub fn has_key(&self, key: &Digest) -> bool {
        self.slice(FRONT, 32) == key.as_bytes()
    }

    /// Binds the index of [parts](crate::Parts) to this evidence.
    pub fn bind(&mut self, index: &str) {
        self.bytes[PARTS..PARTS + 32].copy_from_slice(Digest::of(index).as_bytes());
        self.seal();
    }

    /// Whether this index of parts was made together with this evidence.
    pub fn is_bound_to(&self, index: &str) -> bool {
        self.slice(PARTS, 32) == Digest::of(index).as_bytes()
    }

    /// Takes note of the file that has the document which the verdict was reached with; whether there
    /// was anything to note.
    pub fn note(&mut self, registry: &RegistryState, taken: Time) -> bool {
        let stamp = registry.stamp.settled_before(taken);
        if stamp == Stamp::NONE || !self.is_about(registry) {
            return false;
        }
        self.bytes[FRONT + 32..FRONT + 32 + Stamp::LEN].copy_from_slice(&stamp.to_bytes());
        self.seal();
        true
    }

    /// Looks at every file, on all cores, and reads those that have another stamp.
    ///
    /// What is known by new stamps becomes part of the evidence. `taken` is a time before this.
    ///
    /// # Errors
    ///
    /// The files that are gone or have another content: the verdict is void for all modules that
    /// they belong to and that depend on those. None are named where it is void altogether.
    pub fn verify(&mut self, root: &Utf8Path, taken: Time) -> Result<StillFresh, Vec<Utf8PathBuf>> {
        let n_files = self.n_files();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
        let chunk = n_files.div_ceil(threads).max(256);
        let this = &*self;
        let results: Vec<Option<(Vec<Renewal>, Vec<Utf8PathBuf>)>> = thread::scope(|scope| {
            let workers: Vec<_> = (chunk..n_files)
                .step_by(chunk)
                .map(|from| {
                    scope.spawn(move || this.look(root, from..n_files.min(from + chunk), taken))
                })
                .collect();
            let first = this.look(root, 0..n_files.min(chunk), taken);
            let joined = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            std::iter::once(first).chain(joined).collect()
        });
        let mut renewals = Vec::new();
        let mut changed = Vec::new();
        for result in results {
            let (renewed, other) = result.ok_or_else(Vec::new)?;
            renewals.extend(renewed);
            changed.extend(other);
        }
        if !changed.is_empty() {
            return Err(changed);
        }

        let mut stirred = Vec::new();
        for renewal in &renewals {
            self.bytes[renewal.at..renewal.at + Stamp::LEN]
                .copy_from_slice(&renewal.stamp.to_bytes());
            stirred.extend(renewal.stirred.clone());
        }
        if !renewals.is_empty() {
            self.seal();
        }
        let settled = renewals.iter().filter(|it| it.stamp != Stamp::NONE);
        let n_files = settled.clone().filter(|it| it.stirred.is_none()).count();
        let has_folders = settled.clone().any(|it| it.stirred.is_some());
        let is_worth_keeping = has_folders || n_files >= WORTH_KEEPING;
        Ok(StillFresh { n_modules: self.n_modules(), stirred, is_worth_keeping })
    }

    /// Looks at some of the files, and at the folders whose first file is among them.
    ///
    /// Gives the new stamps, and the files that changed. None where a folder cannot be opened.
    fn look(
        &self,
        root: &Utf8Path,
        range: Range<usize>,
        taken: Time,
    ) -> Option<(Vec<Renewal>, Vec<Utf8PathBuf>)> {
        let mut renewals = Vec::new();
        let mut changed = Vec::new();
        let mut first = 0;
        let files = FIXED + self.n_folders() * FOLDER;
        for idx in 0..self.n_folders() {
            let at = FIXED + idx * FOLDER;
            let path = Utf8Path::new(self.name(at));
            let n_files = self.number(at + 8);
            let is_generated = self.number(at + 12) == 1;
            let own = first.max(range.start)..(first + n_files).min(range.end);
            // Folders without files are looked at where the next file is, or at the end.
            let is_ours = range.contains(&first) || (range.start == 0 && first == self.n_files());
            first += n_files;
            if own.is_empty() && !(is_ours && is_generated) {
                continue;
            }
            let folder = match is_generated {
                true => Folder::open_without_links(root, path).ok()?,
                false => Folder::open(root, path).ok()?,
            };
            if is_ours && is_generated {
                let Found::Directory(stamp) = folder.itself() else { return None };
                if !self.has_stamp(at + 16, stamp) {
                    let stamp = stamp.settled_before(taken);
                    renewals.push(Renewal { at: at + 16, stamp, stirred: Some(path.to_owned()) });
                }
            }
            let mut reader = Reader { root, path, is_generated, tree: None };
            for file in own {
                let at = files + file * FILE;
                let name = self.name(at);
                let Found::File(stamp) = folder.look(name, !is_generated) else {
                    changed.push(path.join(name));
                    continue;
                };
                if self.has_stamp(at + 8, stamp) {
                    continue;
                }
                let is_same = reader
                    .digest(name)
                    .is_some_and(|it| self.slice(at + 8 + Stamp::LEN, 32) == it.as_bytes());
                if !is_same {
                    changed.push(path.join(name));
                    continue;
                }
                let stamp = stamp.settled_before(taken);
                renewals.push(Renewal { at: at + 8, stamp, stirred: None });
            }
        }
        Some((renewals, changed))
    }

    fn seal(&mut self) {
        let digest = Digest::of(&self.bytes[FRONT..]);
        self.bytes[16..FRONT].copy_from_slice(digest.as_bytes());
    }

    fn has_stamp(&self, at: usize, stamp: Stamp) -> bool {
        stamp != Stamp::NONE && self.slice(at, Stamp::LEN) == stamp.to_bytes()
    }

    /// Whether every offset in the text leads into it.
    fn is_sound(&self) -> bool {
        let len = self.bytes.len();
        if len < FIXED || self.bytes[..16] != *MAGIC {
            return false;
        }
        if self.bytes[16..FRONT] != *Digest::of(&self.bytes[FRONT..]).as_bytes() {
            return false;
        }
        // Whoever made the digest made the tables. What they do not promise is checked all the same,
        // since a file may be planted.
        let (n_folders, n_files, n_modules) = (self.n_folders(), self.n_files(), self.n_modules());
        let tables = FIXED + n_folders * FOLDER + n_files * FILE + n_modules * NAME;
        let is_name = |at: usize| {
            let start = self.number(at);
            let end = start + self.number(at + 4);
            start >= tables && end <= len && std::str::from_utf8(&self.bytes[start..end]).is_ok()
        };
        let folders = (0..n_folders).map(|idx| FIXED + idx * FOLDER);
        let files = (0..n_files).map(|idx| FIXED + n_folders * FOLDER + idx * FILE);
        let modules = (0..n_modules).map(|idx| tables - (idx + 1) * NAME);
        tables <= len
            && folders.clone().map(|at| self.number(at + 8)).sum::<usize>() == n_files
            && folders.chain(files).chain(modules).all(is_name)
    }

    fn n_folders(&self) -> usize {
        self.number(FIXED - 16)
    }

    fn n_files(&self) -> usize {
        self.number(FIXED - 12)
    }

    fn n_modules(&self) -> usize {
        self.number(FIXED - 8)
    }

    fn slice(&self, at: usize, len: usize) -> &[u8] {
        &self.bytes[at..at + len]
    }

    fn number(&self, at: usize) -> usize {
        let bytes = self.slice(at, 4).try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    }

    /// The name whose place stands here. It was checked when the text was taken.
    fn name(&self, at: usize) -> &str {
        let bytes = self.slice(self.number(at), self.number(at + 4));
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

/// A stamp that takes the place of another one, and the folder if it is one's.
struct Renewal {
    at: usize,
    stamp: Stamp,
    stirred: Option<Utf8PathBuf>,
}

/// Reads files of one folder.
struct Reader<'a> {
    root: &'a Utf8Path,
    path: &'a Utf8Path,
    is_generated: bool,
    tree: Option<Tree>,
}

impl Reader<'_> {
    /// The digest of a file; none where it cannot be read.
    fn digest(&mut self, name: &str) -> Option<Digest> {
        #[cfg(test)]
        stamp::counting::read();
        if !self.is_generated {
            let mut bytes = Vec::new();
            let mut file = File::open(self.root.join(self.path).join(name)).ok()?;
            file.read_to_end(&mut bytes).ok()?;
            return Some(Digest::of(&bytes));
        }
        if self.tree.is_none() {
            self.tree = Tree::open(self.root, self.path).ok()?;
        }
        let bytes = self.tree.as_ref()?.read(Utf8Path::new(name)).ok()??;
        Some(Digest::of(&bytes))
    }
}

/// The text in parts, as it grows.
#[derive(Default)]
struct Text {
    folders: Vec<u8>,
    files: Vec<u8>,
    modules: Vec<u8>,
    names: Vec<u8>,
}

impl Text {
    fn folder(&mut self, path: &Utf8Path, is_generated: bool, stamp: Stamp, n_files: usize) {
        let name = self.name(path.as_str());
        self.folders.extend(name);
        self.folders.extend(number(n_files));
        self.folders.extend(number(usize::from(is_generated)));
        self.folders.extend(stamp.to_bytes());
    }

    fn file(&mut self, name: &str, stamp: Stamp, digest: &Digest) {
        let name = self.name(name);
        self.files.extend(name);
        self.files.extend(stamp.to_bytes());
        self.files.extend(digest.as_bytes());
    }

    fn module(&mut self, name: &ModuleName) {
        let name = self.name(name.as_str());
        self.modules.extend(name);
    }

    /// Where a name is among the names, and its length.
    fn name(&mut self, name: &str) -> [u8; NAME] {
        let mut place = [0; NAME];
        place[..4].copy_from_slice(&number(self.names.len()));
        place[4..].copy_from_slice(&number(name.len()));
        self.names.extend(name.as_bytes());
        place
    }

    fn finish(mut self, key: &Digest, registry: &RegistryState) -> Evidence {
        // So far places are counted from the first name.
        let names = FIXED + self.folders.len() + self.files.len() + self.modules.len();
        let tables =
            [(&mut self.folders, FOLDER), (&mut self.files, FILE), (&mut self.modules, NAME)];
        for (table, size) in tables {
            for row in table.chunks_exact_mut(size) {
                let place = u32::from_le_bytes(row[..4].try_into().expect("four bytes"));
                row[..4].copy_from_slice(&number(place as usize + names));
            }
        }
        let mut bytes = Vec::with_capacity(names + self.names.len());
        bytes.extend(MAGIC);
        bytes.extend([0; FRONT - 16]);
        bytes.extend(key.as_bytes());
        bytes.extend(registry.stamp.to_bytes());
        bytes.extend(registry.digest.as_bytes());
        bytes.extend([0; 32]);
        bytes.extend(number(self.folders.len() / FOLDER));
        bytes.extend(number(self.files.len() / FILE));
        bytes.extend(number(self.modules.len() / NAME));
        bytes.extend(number(0));
        for part in [self.folders, self.files, self.modules, self.names] {
            bytes.extend(part);
        }
        let digest = Digest::of(&bytes[FRONT..]);
        bytes[16..FRONT].copy_from_slice(digest.as_bytes());
        Evidence { bytes }
    }
}

fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("fewer than four billion").to_le_bytes()
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test makes the project it works on")]
mod tests {
    use std::fs;

    use jaunt_digest::Kind;
    use jaunt_digest::Layout;
    use jaunt_digest::Registry;

    use super::*;
    use crate::output::read_outputs;
    use crate::parts::PartTexts;
    use crate::parts::Parts;
    use crate::plan::PlanOptions;
    use crate::stamp::counting;

    /// Later than all that happens here.
    const LATER: Time = Time::MAX;

    /// Fewer than are shared among threads.
    const N: usize = 40;

    fn load(root: &Utf8Path) -> (Registry, Project) {
        let specs: Vec<_> = (0..N)
            .map(|idx| {
                let below: Vec<_> =
                    idx.checked_sub(1).map(|it| format!("app.m{it}:f")).into_iter().collect();
                serde_json::json!({
                    "kind": "magic", "spec_ref": format!("app.m{idx}:f"), "qualname": "f",
                    "module": format!("app.m{idx}"), "source_file": format!("app/m{idx}.py"),
                    "dependencies": below,
                })
            })
            .collect();
        let document = serde_json::json!({"version": 1, "specs": specs}).to_string();
        let registry = Registry::from_json(document.as_bytes()).unwrap();
        let layout = Layout::new("made").unwrap();
        let project = Project::load(root, &registry, &layout, &[Kind::Build]).unwrap();
        (registry, project)
    }

    #[test]
    fn each_file_is_read_once_and_later_only_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(dir.path()).unwrap();
        fs::create_dir_all(root.join("app/made")).unwrap();
        for idx in 0..N {
            fs::write(root.join(format!("app/m{idx}.py")), "def f():\n    pass\n").unwrap();
        }
        for (name, module) in load(root).1.of_kind(Kind::Build) {
            let text = format!(
                "# This file was generated by jaunt. DO NOT EDIT.\n# jaunt:kind=build\n\
                 # jaunt:source_module={name}\n# jaunt:module_digest={}\n\ndef f():\n    pass\n",
                module.digest
            );
            fs::write(root.join(module.output.path()), text).unwrap();
        }
        counting::take();

        let (registry, project) = load(root);
        let outputs = read_outputs(&project);
        assert_eq!(counting::take(), (N, 2 * N), "cold: each source and each output is read");

        let plan = Plan::new(&project, Kind::Build, &outputs, &PlanOptions::default());
        let (state, key) = (RegistryState::of_bytes(b"registry"), Digest::of("key"));
        let mut evidence = Evidence::of(&project, &plan, &outputs, &state, &key, LATER).unwrap();
        assert_eq!(counting::take(), (1, 0), "to remember it takes a look at the folder");

        evidence.verify(root, LATER).unwrap();
        assert_eq!(
            counting::take(),
            (2 * N + 1, 0),
            "warm: each file and the folder are looked at"
        );

        let source = root.join("app/m35.py");
        fs::write(&source, fs::read(&source).unwrap()).unwrap();
        evidence.verify(root, LATER).unwrap();
        assert_eq!(counting::take(), (2 * N + 1, 1), "touched: one of them is read");

        fs::write(&source, "def f():\n    return 1\n").unwrap();
        let changed = evidence.verify(root, LATER).unwrap_err();
        assert_eq!(counting::take(), (2 * N + 1, 1), "changed: one of them is read");
        let texts = PartTexts::of(&project, &registry).unwrap();
        let read = |at, len| texts.parts.get(at..at + len).map(<[u8]>::to_vec);
        let part = Parts::from_text(texts.index.clone()).unwrap().reached(root, &changed, read);
        let part = part.unwrap();
        read_outputs(&part);
        // The module, four above it, and one below.
        assert_eq!(counting::take(), (6, 12), "what it can reach is read again");
    }
}
