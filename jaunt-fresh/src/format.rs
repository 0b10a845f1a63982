//! The bytes of a cache, read in place.
//!
//! A head, three tables and all names, without gaps. Numbers have four bytes, the least significant
//! first. A name in a row is its offset from the beginning of the file, and its length.
//!
//! | head | bytes |
//! |---|---|
//! | version | 16 |
//! | digest of all that follows | 32 |
//! | key | 32 |
//! | stamp and digest of the registry document | 32 + 32 |
//! | digest of the index that belongs to it | 32 |
//! | number of folders, of files, of modules; zero | 16 |
//!
//! | row of | bytes |
//! |---|---|
//! | a folder | path 8, number of files 4, whether it is generated 4, stamp 32 |
//! | a file | name 8, stamp 32, digest 32 |
//! | a module | name 8 |
//!
//! The files of a folder stand together, in the order of the folders.

use jaunt_digest::Digest;
use jaunt_write::Stamp;

/// Changes with the form of the bytes, and with what the verdict means.
pub(crate) const VERSION: &[u8; 16] = b"jaunt-evidence 2";

/// The version, and the digest of all that follows.
pub(crate) const FRONT: usize = 48;
const KEY: usize = FRONT;
const REGISTRY_STAMP: usize = KEY + 32;
const REGISTRY_DIGEST: usize = REGISTRY_STAMP + Stamp::LEN;
const INDEX_DIGEST: usize = REGISTRY_DIGEST + 32;
const COUNTS: usize = INDEX_DIGEST + 32;
pub(crate) const HEAD: usize = COUNTS + 16;

/// The length of a row: path, number of files, whether it is generated, stamp.
pub(crate) const FOLDER: usize = NAME + 8 + Stamp::LEN;
/// The length of a row: name, stamp, digest.
pub(crate) const FILE: usize = NAME + Stamp::LEN + 32;
/// The length of a row, and of a name in other rows.
pub(crate) const NAME: usize = 8;

/// The bytes of a cache, which were checked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tables {
    bytes: Vec<u8>,
}

/// A row of the table of folders, by its offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FolderRow(usize);

/// A row of the table of files, by its offset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileRow(usize);

impl Tables {
    /// Takes bytes that are a cache; `None` if they are anything else.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        let tables = Self { bytes };
        tables.is_sound().then_some(tables)
    }

    /// Takes bytes that only lack the digest at the front.
    pub(crate) fn sealed(bytes: Vec<u8>) -> Self {
        let mut tables = Self { bytes };
        tables.seal();
        tables
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.slice(KEY, 32)
    }

    pub(crate) fn registry_stamp(&self) -> &[u8] {
        self.slice(REGISTRY_STAMP, Stamp::LEN)
    }

    pub(crate) fn registry_digest(&self) -> &[u8] {
        self.slice(REGISTRY_DIGEST, 32)
    }

    pub(crate) fn index_digest(&self) -> &[u8] {
        self.slice(INDEX_DIGEST, 32)
    }

    pub(crate) fn set_registry_stamp(&mut self, stamp: Stamp) {
        self.set(REGISTRY_STAMP, &stamp.to_bytes());
        self.seal();
    }

    pub(crate) fn set_index_digest(&mut self, digest: &Digest) {
        self.set(INDEX_DIGEST, digest.as_bytes());
        self.seal();
    }

    pub(crate) fn n_folders(&self) -> usize {
        self.number(COUNTS)
    }

    pub(crate) fn n_files(&self) -> usize {
        self.number(COUNTS + 4)
    }

    pub(crate) fn n_modules(&self) -> usize {
        self.number(COUNTS + 8)
    }

    pub(crate) fn folders(&self) -> impl DoubleEndedIterator<Item = FolderRow> + Clone + use<> {
        (0..self.n_folders()).map(|nth| FolderRow(HEAD + nth * FOLDER))
    }

    pub(crate) fn file(&self, nth: usize) -> FileRow {
        FileRow(HEAD + self.n_folders() * FOLDER + nth * FILE)
    }

    /// Returns the names of the modules, in order.
    pub(crate) fn modules(&self) -> impl ExactSizeIterator<Item = &str> {
        let start = self.file(self.n_files()).0;
        (0..self.n_modules()).map(move |nth| self.name(start + nth * NAME))
    }

    pub(crate) fn path(&self, FolderRow(at): FolderRow) -> &str {
        self.name(at)
    }

    pub(crate) fn n_files_in(&self, FolderRow(at): FolderRow) -> usize {
        self.number(at + NAME)
    }

    pub(crate) fn is_generated(&self, FolderRow(at): FolderRow) -> bool {
        self.number(at + NAME + 4) == 1
    }

    pub(crate) fn folder_stamp(&self, FolderRow(at): FolderRow) -> &[u8] {
        self.slice(at + NAME + 8, Stamp::LEN)
    }

    pub(crate) fn file_name(&self, FileRow(at): FileRow) -> &str {
        self.name(at)
    }

    pub(crate) fn file_stamp(&self, FileRow(at): FileRow) -> &[u8] {
        self.slice(at + NAME, Stamp::LEN)
    }

    pub(crate) fn file_digest(&self, FileRow(at): FileRow) -> &[u8] {
        self.slice(at + NAME + Stamp::LEN, 32)
    }

    /// Replaces stamps of folders and of files.
    pub(crate) fn set_stamps(
        &mut self,
        folders: impl IntoIterator<Item = (FolderRow, Stamp)>,
        files: impl IntoIterator<Item = (FileRow, Stamp)>,
    ) {
        for (FolderRow(at), stamp) in folders {
            self.set(at + NAME + 8, &stamp.to_bytes());
        }
        for (FileRow(at), stamp) in files {
            self.set(at + NAME, &stamp.to_bytes());
        }
        self.seal();
    }

    fn set(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn seal(&mut self) {
        let digest = Digest::of(&self.bytes[FRONT..]);
        self.set(VERSION.len(), digest.as_bytes());
    }

    /// Checks that the bytes are whole, and that every offset leads into them.
    fn is_sound(&self) -> bool {
        let len = self.bytes.len();
        if len < HEAD || self.bytes[..VERSION.len()] != *VERSION {
            return false;
        }
        if self.bytes[VERSION.len()..FRONT] != *Digest::of(&self.bytes[FRONT..]).as_bytes() {
            return false;
        }
        // Whoever made the digest made the tables. What they do not promise is checked all the same,
        // since a file may be planted.
        let FileRow(modules) = self.file(self.n_files());
        let names = modules + self.n_modules() * NAME;
        let is_name = |at: usize| {
            let start = self.number(at);
            let end = start + self.number(at + 4);
            start >= names && end <= len && std::str::from_utf8(&self.bytes[start..end]).is_ok()
        };
        let folders = self.folders().map(|FolderRow(at)| at);
        let files = (0..self.n_files()).map(|nth| self.file(nth).0);
        let modules = (0..self.n_modules()).map(|nth| modules + nth * NAME);
        names <= len
            && self.folders().map(|folder| self.n_files_in(folder)).sum::<usize>() == self.n_files()
            && folders.chain(files).chain(modules).all(is_name)
    }

    fn slice(&self, at: usize, len: usize) -> &[u8] {
        &self.bytes[at..at + len]
    }

    fn number(&self, at: usize) -> usize {
        let bytes = self.slice(at, 4).try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    }

    /// Returns the name whose offset and length are at `at`. It was checked when the bytes were taken.
    fn name(&self, at: usize) -> &str {
        let bytes = self.slice(self.number(at), self.number(at + 4));
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}
