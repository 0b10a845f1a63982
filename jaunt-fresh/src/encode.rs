//! Makes the bytes of a cache.

use camino::Utf8Path;
use jaunt_digest::{Digest, ModuleName};
use jaunt_write::Stamp;

use crate::format::{FILE, FOLDER, FRONT, HEAD, NAME, Tables, VERSION};
use crate::registry::RegistryState;

/// The tables as they grow.
#[derive(Default)]
pub(crate) struct Encoder {
    folders: Vec<u8>,
    files: Vec<u8>,
    modules: Vec<u8>,
    names: Vec<u8>,
}

impl Encoder {
    /// Adds a folder. Its files have to be added before the next one.
    pub(crate) fn folder(
        &mut self,
        path: &Utf8Path,
        is_generated: bool,
        stamp: Stamp,
        n_files: usize,
    ) {
        let name = self.name(path.as_str());
        self.folders.extend(name);
        self.folders.extend(number(n_files));
        self.folders.extend(number(usize::from(is_generated)));
        self.folders.extend(stamp.to_bytes());
    }

    /// Adds a file of the last folder.
    pub(crate) fn file(&mut self, name: &str, stamp: Stamp, digest: &Digest) {
        let name = self.name(name);
        self.files.extend(name);
        self.files.extend(stamp.to_bytes());
        self.files.extend(digest.as_bytes());
    }

    /// Adds a module.
    pub(crate) fn module(&mut self, name: &ModuleName) {
        let name = self.name(name.as_str());
        self.modules.extend(name);
    }

    /// Adds a name, and returns its offset among the names and its length.
    fn name(&mut self, name: &str) -> [u8; NAME] {
        let mut row = [0; NAME];
        row[..4].copy_from_slice(&number(self.names.len()));
        row[4..].copy_from_slice(&number(name.len()));
        self.names.extend(name.as_bytes());
        row
    }

    /// Puts the parts together.
    pub(crate) fn finish(mut self, key: &Digest, registry: &RegistryState) -> Tables {
        // So far offsets are counted from the first name.
        let names = HEAD + self.folders.len() + self.files.len() + self.modules.len();
        let tables =
            [(&mut self.folders, FOLDER), (&mut self.files, FILE), (&mut self.modules, NAME)];
        for (table, size) in tables {
            for row in table.chunks_exact_mut(size) {
                let offset = u32::from_le_bytes(row[..4].try_into().expect("four bytes"));
                row[..4].copy_from_slice(&number(offset as usize + names));
            }
        }
        let mut bytes = Vec::with_capacity(names + self.names.len());
        bytes.extend(VERSION);
        bytes.resize(FRONT, 0);
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
        Tables::sealed(bytes)
    }
}

fn number(number: usize) -> [u8; 4] {
    u32::try_from(number).expect("fewer than four billion").to_le_bytes()
}
