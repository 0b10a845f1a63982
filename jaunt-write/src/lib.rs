//! Files that are replaced whole, below one directory and nowhere else.
//!
//! A [`Tree`] is the permission to write below a directory of a project. Each of its operations
//! walks down from the project's root without following a link, so nothing that is planted on the
//! way leads out of the tree. Those who only look have [`Stamp`]s, an open [`Folder`] and a [`walk`]:
//! they stay in this crate, although it is large, because they share that way down, and with it the
//! promise that nothing below a tree is opened in any other way. The crate knows bytes and paths; it
//! does not know what the files mean, which of them may be replaced, or when.
//!
//! Whoever reads a file that [`Tree::write`] replaces sees the old content or the new one, whole,
//! also after a kill or a power cut. What a killed process leaves beside its files,
//! [`Tree::sweep`] removes.
//!
//! ```
//! use jaunt_write::Tree;
//! # let root = tempfile::tempdir()?;
//! # let root = camino::Utf8Path::from_path(root.path()).expect("a UTF-8 path");
//!
//! let tree = Tree::create(root, "generated".into())?;
//! tree.write("shop/cart.py".into(), b"TOTAL = 3\n")?;
//!
//! assert_eq!(tree.files()?, ["shop/cart.py"]);
//! assert!(tree.write("../cart.py".into(), b"").is_err_and(|err| err.is_refusal()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod clock;
#[cfg(feature = "counting")]
mod counting;
mod descent;
mod dir;
mod error;
mod file;
mod folder;
mod list;
mod lock;
mod path;
mod replace;
mod stamp;
mod sys;
#[cfg(test)]
mod testing;
mod tree;
mod walk;

pub use crate::clock::time_before_changes;
#[cfg(feature = "counting")]
pub use crate::counting::take_counts;
pub use crate::error::{FileKind, WriteError};
pub use crate::file::{read_file, stamp_of};
pub use crate::folder::Folder;
pub use crate::list::{Listing, Skipped};
pub use crate::lock::{Lock, LockAttempt};
pub use crate::stamp::{Stamp, Time};
pub use crate::tree::Tree;
pub use crate::walk::{Visited, walk};

/// Its examples are tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
